// Firefox delays WebSocket attempts to a server that did not answer before, after many by some 20 s, and the SDK comes back in time
// all the same: the preference that the other tests turn off has its default here (docs/protocol.md 9.1).

import {chromium, firefox, type Browser} from '@playwright/test';
import {chromiumPath, firefoxPath} from './support/engines.ts';
import {status} from './support/pages.ts';
import {expect, test, type Page} from './support/test.ts';

const outageMs = Number(process.env.E2E_OUTAGE_SECONDS ?? 30) * 1000;
const laterMsMax = 3000;

// Both browsers draw the same delays, so that the difference is not chance.
const drawAlike = (page: Page) => page.addInitScript(() => {
    let state = 1;
    const next = (): number => {
        state = Math.imul(state, 1_664_525) + 1_013_904_223 | 0;
        return state >>> 0;
    };
    Math.random = () => next() / 2 ** 32;
    crypto.getRandomValues = <T extends ArrayBufferView | null>(array: T): T => {
        if (array instanceof Uint32Array) for (let index = 0; index < array.length; index += 1) array[index] = next();
        return array;
    };
});

test('after an outage Firefox is back within 3 s of Chromium', async ({server}, testInfo) => {
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
                await drawAlike(page);
                await page.goto(`${server.origin}/chat/?name=${name}-${transport}&transport=${transport}`);
                await expect(status(page)).toHaveAttribute('data-state', 'open');
                pages.push([`${name} ${transport}`, page]);
            }
        }
        await server.kill9();
        const killed = performance.now();
        await expect.poll(() => performance.now() - killed, {timeout: outageMs + 10_000}).toBeGreaterThan(outageMs);
        await server.restart();
        const back = performance.now();
        const ms = Object.fromEntries(await Promise.all(pages.map(async ([name, page]) => {
            await expect(status(page)).toHaveAttribute('data-state', 'open', {timeout: 90_000});
            return [name, Math.round(performance.now() - back)] as const;
        })));
        const figures = Object.entries(ms).map(([name, after]) => `${name} ${after} ms`).join(', ');
        console.log(`    open again after an outage of ${outageMs / 1000} s: ${figures}`);
        testInfo.annotations.push({type: 'figures', description: figures});
        for (const transport of ['auto', 'websocket']) expect(ms[`firefox ${transport}`], `${transport}: ${figures}`).toBeLessThan(ms[`chromium ${transport}`]! + laterMsMax);
    } finally {
        for (const browser of Object.values(browsers)) await browser.close();
    }
});
