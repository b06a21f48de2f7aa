// Under a Content-Security-Policy, with everything from one origin: the server serves the page itself.

import assert from 'node:assert/strict';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import * as esbuild from 'esbuild';
import {appFiles, launchChromium, project, resultOf, startPulsewired} from './support.mjs';

let server, browser;
before(async () => {
    const folder = project('csp', {
        ...appFiles(),
        ...Object.fromEntries(Object.entries({
            'allowed.html': `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'`,
            'blocked.html': `default-src 'none'; script-src 'self'; connect-src 'self'`,
        }).map(([name, policy]) => [`site/${name}`, `<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"><script type="module" src="main.js"></script>`])),
    });
    const bundle = (outdir, more = {}) => esbuild.build({absWorkingDir: folder, entryPoints: ['main.js'], bundle: true, format: 'esm', outdir: join(folder, outdir), logLevel: 'error', ...more});
    await bundle('site');
    await bundle('site/plain', {alias: {pulsewire: 'pulsewire/js'}});
    writeFileSync(join(folder, 'site/plain.html'), readFileSync(join(folder, 'site/blocked.html'), 'utf8').replace('main.js', 'plain/main.js'));
    server = await startPulsewired('--web-root', join(folder, 'site'));
    browser = await launchChromium();
});
after(async () => {
    await browser?.close();
    await server?.stop();
});

test(`script-src 'self' 'wasm-unsafe-eval' is enough`, async () => {
    for (const transport of ['websocket', 'sse']) {
        const result = await resultOf(browser, `${server.url}/allowed.html`, {server: server.url, transport});
        assert.deepEqual(result, {text: 'grüße 🎉', same: true, error: 'no_handler', transport, end: 'client_closed'});
    }
});

test(`script-src 'self' is enough for pulsewire/js`, async () => {
    for (const transport of ['websocket', 'sse']) {
        const result = await resultOf(browser, `${server.url}/plain.html`, {server: server.url, transport});
        assert.deepEqual(result, {text: 'grüße 🎉', same: true, error: 'no_handler', transport, end: 'client_closed'});
    }
});

test('without it the client is closed with the reason wasm_blocked, which names the remedy', async () => {
    const {failed, message, reason} = await resultOf(browser, `${server.url}/blocked.html`, {server: server.url, transport: 'auto'});
    assert.deepEqual([failed, reason], ['closed', 'wasm_blocked']);
    assert.match(message, /'wasm-unsafe-eval'/);
    assert.match(message, /import pulsewire\/js/);
});
