// Firefox delays WebSocket attempts to a server that did not answer before, after many by some 20 s, and the SDK comes back in time
// all the same: the preference that the other tests turn off has its default here (docs/protocol.md 9.1). The SDK's own delays are
// drawn anew in each page, so the clock starts with the first attempt for which the server is there.

import {chromium, firefox, type Browser} from '@playwright/test';
import {chromiumPath, firefoxPath} from './support/engines.ts';
import {status} from './support/pages.ts';
import {expect, test, type Page} from './support/test.ts';

const outageMs = Number(process.env.E2E_OUTAGE_SECONDS ?? 30) * 1000;
const laterMsMax = 3000;

interface Attempt {begun: number; ended: number}
declare global {
    interface Window {attempts: Attempt[]}
}

// What the page tries over either transport, and until when, in ms of the wall clock that the test reads too.
const noteAttempts = (page: Page) => page.addInitScript(() => {
    window.attempts = [];
    for (const name of ['WebSocket', 'EventSource'] as const) {
        window[name] = new Proxy(window[name] as typeof WebSocket, {
            construct(transport, parameters: [string]) {
                const made = Reflect.construct(transport, parameters) as WebSocket;
                const attempt = {begun: Date.now(), ended: Infinity};
                window.attempts.push(attempt);
                for (const event of ['error', 'close']) made.addEventListener(event, () => (attempt.ended = Math.min(attempt.ended, Date.now())));
                return made;
            },
        }) as typeof WebSocket & typeof EventSource;
    }
});

test('after an outage a page in Firefox is back within 3 s of its first attempt that the server can answer, as in Chromium', async ({server}, testInfo) => {
    test.setTimeout(2 * outageMs + 120_000);
    const browsers: Record<string, Browser> = {
        chromium: await chromium.launch({executablePath: chromiumPath, args: ['--no-sandbox', '--disable-gpu']}),
        firefox: await firefox.launch({channel: 'moz-firefox', executablePath: firefoxPath}),
    };
    try {
        const pages: [name: string, page: Page][] = [];
        for (const transport of ['auto', 'websocket']) {
            for (const [name, browser] of Object.entries(browsers)) {
                const page = await (await browser.newContext()).newPage();
                await noteAttempts(page);
                await page.goto(`${server.origin}/chat/?name=${name}-${transport}&transport=${transport}`);
                await expect(status(page)).toHaveAttribute('data-state', 'open');
                pages.push([`${name} ${transport}`, page]);
            }
        }
        await server.kill9();
        const killed = performance.now();
        await expect.poll(() => performance.now() - killed, {timeout: outageMs + 10_000}).toBeGreaterThan(outageMs);
        await server.restart();
        const back = Date.now();
        const ms = Object.fromEntries(await Promise.all(pages.map(async ([name, page]) => {
            await expect(status(page)).toHaveAttribute('data-state', 'open', {timeout: 90_000});
            const open = Date.now();
            const first = Math.min(...(await page.evaluate(() => window.attempts)).filter(({ended}) => ended > back).map(({begun}) => begun));
            return [name, {afterServer: open - back, afterAttempt: open - Math.max(first, back)}] as const;
        })));
        const figures = Object.entries(ms).map(([name, {afterServer, afterAttempt}]) => `${name} ${afterServer} ms (${afterAttempt} after the attempt)`).join(', ');
        console.log(`    open again after an outage of ${outageMs / 1000} s: ${figures}`);
        testInfo.annotations.push({type: 'figures', description: figures});
        for (const {afterAttempt} of Object.values(ms)) expect(afterAttempt, figures).toBeLessThan(laterMsMax);
    } finally {
        for (const browser of Object.values(browsers)) await browser.close();
    }
});
