// The promises of the SDK, checked by a page that needs nothing but a browser: the same in Chromium, Firefox and WebKit.

import {chromium, firefox} from '@playwright/test';
import {fullChromiumPath, firefoxPath, type Engine} from './support/engines.ts';
import {FaultProxy} from './support/fault_proxy.ts';
import {PromisesSite} from './support/promises_site.ts';
import {soon} from './support/soon.ts';
import {expect, test} from './support/test.ts';
import {WebKit} from './support/webkit.ts';

test.use({serverOptions: {program: 'pulsewired', args: ['--allow-origin', '*'], config: {namespaces: {device: {client_requests: true}}}}});

// The browser as people have it: with its window, and with the back-forward cache, which Playwright turns off.
async function show(engine: Engine, url: string): Promise<() => Promise<void>> {
    if (engine === 'webkit') {
        const webkit = await WebKit.start();
        const browser = await webkit.browse();
        await browser.get(url);
        return async () => {
            await browser.quit();
            await webkit.stop();
        };
    }
    const browser = engine === 'chromium'
        ? await chromium.launch({executablePath: fullChromiumPath, args: ['--no-sandbox', '--disable-gpu'], ignoreDefaultArgs: ['--disable-back-forward-cache']})
        : await firefox.launch({channel: 'moz-firefox', executablePath: firefoxPath, firefoxUserPrefs: {'network.websocket.delay-failed-reconnects': false}});
    const page = await browser.newPage();
    await page.goto(url);
    return () => browser.close();
}

test('the SDK keeps its promises in this engine', async ({engine, server}, testInfo) => {
    test.setTimeout(130_000);
    const network = await FaultProxy.start(server.port);
    const site = await PromisesSite.start(server, network);
    let close = async (): Promise<void> => {};
    let kept: boolean | undefined;
    try {
        close = await show(engine, site.url);
        ({persisted: kept} = await soon(site.ended, () => `end of the page; its results: ${JSON.stringify(site.results, null, 1)}`, 100_000));
    } finally {
        await close();
        await site.stop();
        await network.stop();
    }
    for (const {name, ms} of site.results) testInfo.annotations.push({type: 'promise', description: `${name}: ${ms} ms`});
    expect(site.results.filter(({fault}) => fault)).toEqual([]);
    expect(site.results.length).toBe(26);
    // Firefox keeps no page that had a WebSocket or an event stream, even if it closes them when it is left.
    expect(kept, 'the page came back as it was').toBe(engine !== 'firefox');
});
