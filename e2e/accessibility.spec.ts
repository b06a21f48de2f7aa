// Every page through axe-core (the rules of WCAG that a program can check): light and dark, wide and narrow, connected and
// not.

import {test, expect} from './support/test.ts';
import {violationsOf} from './support/axe.ts';
import {hurry, say, status, waitingTexts} from './support/pages.ts';

const paths = ['/', '/classic/', '/chat/?name=Ada', '/ticker/', '/notifications/', '/lose/', '/ai/?room=a', '/document/?room=a', '/whiteboard/?name=Ada', '/device/', '/drop/', '/game/?name=Ada', '/dashboard/', '/news/', '/playground/'];
// It has a server of its own, within the page; its spec looks at it while a client waits.
const neverWaits = '/playground/';

// Pages that wait differ from open ones by some words and colours: each of them is seen once in each scheme.
const looks = {
    open: [['light', 1280], ['light', 360], ['dark', 1280], ['dark', 360]],
    waiting: [['light', 360], ['dark', 1280]],
} as const;

for (const path of paths) {
    for (const state of ['open', 'waiting'] as const) {
        if (state === 'waiting' && path === neverWaits) continue;
        test(`${path} is accessible while the connection is ${state}`, async ({server, visit}) => {
            const page = await visit(server.origin + path, {
                viewport: {width: 1280, height: 800}, network: state === 'open' ? 'sound' : 'faulty',
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
            // News that fade in have no contrast to speak of on their way.
            await page.addStyleTag({content: '*, ::before, ::after { animation-duration: 0s !important; animation-delay: 0s !important; }'});
            for (const [colorScheme, width] of looks[state]) {
                await page.emulateMedia({colorScheme});
                await page.setViewportSize({width, height: 800});
                await expect(page.getByTestId('status')).toHaveAttribute('data-state', state);
                expect(await violationsOf(page), `${colorScheme}, ${width} px`).toEqual([]);
            }
        });
    }
}

for (const colorScheme of ['light', 'dark'] as const) {
    test(`messages that wait, a storage that fails and a gap are accessible, ${colorScheme}`, async ({server, visit}) => {
        const options = {colorScheme, bypassCSP: true, network: 'faulty'} as const;
        const chat = await visit(`${server.origin}/chat/?name=Ada`, {
            ...options, before: (page) => page.addInitScript(() => { IDBFactory.prototype.open = () => { throw new Error('refused'); }; }),
        });
        const ticker = await visit(`${server.origin}/ticker/`, options);
        await expect(status(chat)).toHaveAttribute('data-state', 'open');
        await expect(ticker.getByTestId('received')).not.toHaveText('0');
        await server.kill9();
        for (const page of [chat, ticker]) await expect(status(page)).toHaveAttribute('data-state', 'waiting');
        await say(chat, 'waiting');
        await expect(waitingTexts(chat)).toHaveCount(1);
        await expect(chat.getByTestId('not-kept')).toBeVisible();
        expect(await violationsOf(chat)).toEqual([]);
        await server.restart();
        await hurry(ticker);
        await expect(ticker.getByTestId('recovered')).toHaveAttribute('data-gap', 'true');
        expect(await violationsOf(ticker)).toEqual([]);
    });
}
