// The option debug in Chromium: its lines are in the console, and its file is loaded only where it is wanted.

import assert from 'node:assert/strict';
import {test} from 'node:test';
import {appFiles, browser, pages, project, server, startAndStopAll} from './support.mjs';

startAndStopAll();

test('localStorage.pulsewireDebug prints what travels, and without it the file is not even loaded', async () => {
    const files = appFiles();
    const map = JSON.stringify({imports: {pulsewire: './node_modules/pulsewire/dist/index.js'}});
    files['index.html'] = files['index.html'].replace('<script', `<script type="importmap">${map}</script><script`);
    const url = `${pages.add(project('debug', files))}?${new URLSearchParams({server: server.url, transport: 'websocket'})}`;
    const page = await browser.newPage();
    try {
        const lines = [];
        const loaded = [];
        page.on('console', (message) => message.type() === 'debug' && lines.push(message.text()));
        page.on('request', (request) => loaded.push(new URL(request.url()).pathname.replace(/.*\//, '')));
        const visit = async () => {
            await page.goto(url);
            await page.waitForFunction(() => globalThis.result, undefined, {timeout: 20_000});
        };
        await visit();
        assert.deepEqual([lines, loaded.includes('debug.js')], [[], false]);
        await page.evaluate(() => (localStorage.pulsewireDebug = '1'));
        await visit();
        assert.ok(loaded.includes('debug.js'));
        assert.match(lines[0], /^pulsewire 1 \+\d+ ms . connecting over websocket, attempt 1$/);
        for (const sent of ['connect', 'subscribe', 'publish', 'request']) assert.ok(lines.some((line) => line.includes(`→ websocket`) && line.includes(`{"op":"${sent}"`)), sent);
        assert.ok(lines.some((line) => /← websocket \d+ B {"type":"greeting"/.test(line)));
        assert.match(lines.at(-1), /closed: client_closed/);
    } finally {
        await page.close();
    }
});
