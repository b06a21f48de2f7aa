// Every page through axe-core (the rules of WCAG that a program can check): light and dark, wide and narrow, connected and
// not.

import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {test, expect} from './support/test.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const paths = ['/', '/classic/', '/chat/?name=Ada', '/ticker/', '/notifications/'];

interface Violation { id: string; help: string; nodes: {target: string[]}[] }

for (const path of paths) {
    for (const state of ['open', 'waiting'] as const) {
        test(`${path} is accessible while the connection is ${state}`, async ({server, visit}) => {
            for (const colorScheme of ['light', 'dark'] as const) {
                for (const width of [1280, 360]) {
                    const page = await visit(server.origin + path, {
                        viewport: {width, height: 800}, colorScheme, network: state === 'open' ? 'sound' : 'faulty',
                        // axe is put into the page from outside, which the page's own policy rightly forbids.
                        bypassCSP: true,
                        before: async (fresh) => {
                            if (state === 'open') return;
                            await fresh.routeWebSocket(/./, (socket) => socket.close());
                            await fresh.route(/\/(sse|events)\b/, (route) => route.abort());
                        },
                    });
                    await expect(page.getByTestId('status')).toHaveAttribute('data-state', state);
                    await page.evaluate(() => { for (const details of document.querySelectorAll('details')) details.open = true; });
                    await page.evaluate(axe);
                    const {violations} = await page.evaluate('axe.run()') as {violations: Violation[]};
                    expect(violations.map(({id, help, nodes}) => `${id}: ${help}: ${nodes[0]!.target.join(' ')}`), `${colorScheme}, ${width} px`)
                        .toEqual([]);
                    await page.context().close();
                }
            }
        });
    }
}
