// pulsewire/worker: the pre-bundled worker, as Worker and as SharedWorker, found by a plain page and by bundlers.

import assert from 'node:assert/strict';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import {promisify} from 'node:util';
import {build as viteBuild} from 'vite';
import webpack from 'webpack';
import {home} from '../build_options.mjs';
import {browser, pages, project, resultOf, server, startAndStopAll} from './support.mjs';

startAndStopAll();

const html = '<!doctype html><meta charset="utf-8"><title>worker</title><script type="module" src="./main.js"></script>';
const files = (create) => ({
    'index.html': html,
    'ported.js': readFileSync(join(home, 'packaging/ported.js'), 'utf8'),
    'main.js': `
        import {portedRoundTrip} from './ported.js';
        const server = new URLSearchParams(location.search).get('server');
        const worker = ${create};
        portedRoundTrip(worker.port ?? worker, server).then((result) => (globalThis.result = result));`,
});

async function prove(url) {
    const {text, same, session} = await resultOf(browser, url, {server: server.url});
    assert.deepEqual([text, same], ['grüße 🎉', true]);
    assert.match(session, /^[\w-]+$/);
}

const plain = '/node_modules/pulsewire/dist/worker.js';
for (const [kind, create] of Object.entries({
    'a module Worker': `new Worker('.${plain}', {type: 'module'})`,
    'a classic Worker': `new Worker('.${plain}')`,
    'a SharedWorker': `new SharedWorker('.${plain}', {type: 'module'})`,
})) test(`${kind} of a plain page`, () => prove(pages.add(project('worker', files(create)))));

test('a Worker that Vite bundles', async () => {
    const root = project('worker-vite', files(`new Worker(new URL('pulsewire/worker', import.meta.url), {type: 'module'})`));
    await viteBuild({root, configFile: false, base: './', logLevel: 'error', worker: {format: 'es'}});
    await prove(pages.add(join(root, 'dist')));
});

test('a Worker that webpack bundles', async () => {
    const context = project('worker-webpack', files(`new Worker(new URL('pulsewire/worker', import.meta.url), {type: 'module'})`));
    const path = join(context, 'out');
    const stats = await promisify(webpack)({context, mode: 'production', entry: './main.js', output: {path, publicPath: 'auto', filename: 'main.js'}});
    assert.equal(stats.hasErrors(), false, stats.toString());
    writeFileSync(join(path, 'index.html'), html);
    await prove(pages.add(path));
});

test('the tabs of a SharedWorker share one client and one connection, which outlive the first tab', async () => {
    const url = `${pages.add(project('shared', {
        'index.html': html,
        'main.js': `
            const {port} = new SharedWorker('.${plain}', {type: 'module'});
            globalThis.events = [];
            port.onmessage = ({data}) => events.push(data);
            globalThis.post = (command) => port.postMessage(command);
            const lock = crypto.randomUUID();
            navigator.locks.request(lock, () => {
                post({op: 'connect', url: new URLSearchParams(location.search).get('server'), lock});
                post({op: 'subscribe', channel: 'packaging:shared'});
                return new Promise(() => {});
            });`,
    }))}?server=${encodeURIComponent(server.url)}`;
    const context = await browser.newContext();
    const connections = async () => Number(/^pulsewire_connections\{[^}]*websocket[^}]*\} (\d+)/m.exec(await (await fetch(`${server.url}/metrics`)).text())?.[1]);
    const heard = (page, test) => page.waitForFunction(test);
    const tabs = [await context.newPage(), await context.newPage()];
    for (const tab of tabs) {
        await tab.goto(url);
        await heard(tab, () => globalThis.events?.some(({op}) => op === 'subscribed'));
    }
    const [one, two] = await Promise.all(tabs.map((tab) => tab.evaluate(() => globalThis.events.find(({op, state}) => op === 'state' && state.name === 'open').session)));
    assert.equal(one, two);
    assert.equal(await connections(), 1);
    await tabs[0].evaluate(() => globalThis.post({op: 'publish', id: 1, channel: 'packaging:shared', type: 't', payload: 7}));
    for (const tab of tabs) await heard(tab, () => globalThis.events.some(({op, raw}) => op === 'message' && raw === '7'));
    await tabs[0].close();
    await tabs[1].evaluate(() => globalThis.post({op: 'publish', id: 2, channel: 'packaging:shared', type: 't', payload: 8}));
    await heard(tabs[1], () => globalThis.events.some(({op, raw}) => op === 'message' && raw === '8'));
    assert.equal(await connections(), 1);
    await tabs[1].close();
    await context.close();
});
