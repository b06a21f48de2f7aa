// The entry pulsewire/test in the tools that people test with, and in a page.

import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {existsSync, readFileSync, readdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {test} from 'node:test';
import {pathToFileURL} from 'node:url';
import * as esbuild from 'esbuild';
import {home} from '../build_options.mjs';
import {filesOf, until} from './frameworks/app.mjs';
import {launchChromium, project, resultOf, startPages} from './support.mjs';

const require = createRequire(import.meta.url);
const source = join(home, 'packaging/test_tools');
const textOf = (name) => readFileSync(join(source, name), 'utf8');
const runtimes = join(home, 'packaging/runtimes/node_modules');
const guide = readFileSync(join(home, '../docs/test-server.md'), 'utf8');
/** The snippet of the documentation with this in it. */
const guideTo = (words) => [...guide.matchAll(/^```\w+\n(.*?)^```$/gms)].map(([, code]) => code).find((code) => code.includes(words));
const jest = (folder, ...options) => spawnSync(process.execPath, [join(runtimes, 'jest/bin/jest.js'), '--rootDir', folder, '--ci', '--runInBand', ...options], {cwd: folder, encoding: 'utf8', timeout: 120_000});

test('a test of an application runs in Vitest', () => {
    const folder = project('vitest', Object.fromEntries(readdirSync(join(source, 'vitest')).map((name) => [name, textOf(`vitest/${name}`)])));
    symlinkSync(join(home, '../node_modules/vitest'), join(folder, 'node_modules/vitest'));
    const program = join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs');
    const {status, stdout, stderr} = spawnSync(process.execPath, [program, 'run', '--reporter=verbose', '--no-color'], {cwd: folder, encoding: 'utf8', timeout: 120_000});
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /Tests +5 passed/);
});

test('and in Jest, with Node and with jsdom', (t) => {
    if (!existsSync(runtimes)) return t.skip('script/bootstrap brings Jest for tests');
    const folder = project('jest-test-server', {'package.json': '{"private": true}'});
    for (const environment of ['jsdom', 'node']) {
        symlinkSync(join(runtimes, `jest-environment-${environment}`), join(folder, `node_modules/jest-environment-${environment}`));
        writeFileSync(join(folder, `${environment}.test.js`), `/** @jest-environment ${environment} */\n${textOf('chat.test.cjs')}`);
    }
    const {status, stderr} = jest(folder);
    assert.equal(status, 0, stderr);
    assert.match(stderr, /Tests: +6 passed/);
});

test('and with Testing Library, by the chat and the test of the documentation', (t) => {
    if (!existsSync(runtimes)) return t.skip('script/bootstrap brings Testing Library for tests');
    const shown = {...filesOf('One client for the whole page'), ...filesOf('React'), 'chat.test.tsx': guideTo('chat.test.tsx')};
    const files = {'package.json': '{"private": true}'};
    for (const [name, code] of Object.entries(shown)) {
        const {code: compiled} = esbuild.transformSync(code, {loader: name.endsWith('x') ? 'tsx' : 'ts', format: 'cjs', jsx: 'automatic', target: 'node20', logOverride: {'empty-import-meta': 'silent'}});
        files[name.replace(/\.tsx?$/, '.js')] = compiled;
    }
    const folder = project('testing-library', files);
    for (const name of ['@testing-library', 'react', 'react-dom', 'jest-environment-jsdom']) symlinkSync(join(runtimes, name), join(folder, 'node_modules', name));
    const {status, stderr} = jest(folder, '--env', 'jsdom');
    assert.equal(status, 0, stderr);
    assert.match(stderr, /Tests: +2 passed/);
    assert.doesNotMatch(stderr, /not wrapped in act/);
});

test('and behind a page of Playwright, by the snippet of the documentation', async () => {
    const folder = project('playwright', {
        'main.js': `
            import {connect} from 'pulsewire';
            const client = connect('https://rt.example.com', {transport: 'websocket', backoffMaxMs: 500});
            const heard = [];
            client.channel('chat:1').on('*', (payload) => {
                heard.push(payload);
                if (heard.length === 3) globalThis.result = heard;
            });
            client.on('open', () => client.channel('chat:1').publish('n', heard.length).catch(() => {}));`,
        'out/index.html': '<!doctype html><meta charset="utf-8"><title>-</title><script type="module" src="main.js"></script>',
    });
    await esbuild.build({absWorkingDir: folder, entryPoints: ['main.js'], bundle: true, format: 'esm', outdir: join(folder, 'out'), logLevel: 'error'});
    const {testServer} = await import(pathToFileURL(join(folder, 'node_modules/pulsewire/dist/test.js')).href);
    const route = new Function('testServer', 'page', `return (async () => {${guideTo('page.routeWebSocket')} return server;})()`);
    const pages = await startPages();
    const browser = await launchChromium();
    try {
        const page = await browser.newPage();
        const server = await route(testServer, page);
        await page.goto(pages.add(join(folder, 'out')));
        const until = async (head) => {
            while (server.channel('chat:1').head < head) await new Promise((resolve) => setTimeout(resolve, 10));
        };
        await until(1);
        server.publish('chat:1', 'n', 'from the test');
        server.cut();
        await until(3);
        const heard = await page.waitForFunction(() => globalThis.result, undefined, {timeout: 20_000}).then((result) => result.jsonValue());
        assert.equal(heard[1], 'from the test');
        server.close();
    } finally {
        await browser.close();
        await pages.stop();
    }
});

test('and behind MSW, by the snippet of the documentation', async (t) => {
    if (!existsSync(runtimes)) return t.skip('script/bootstrap brings MSW for tests');
    const {WebSocket, fetch} = globalThis;
    // Node 20 has none, and MSW replaces only what is there.
    globalThis.WebSocket ??= (await import('ws')).WebSocket;
    const folder = project('msw');
    const load = (path) => import(pathToFileURL(path).href);
    const [{testServer}, {connect}, {http, ws}, {setupServer}] = await Promise.all([
        ...['test', 'index'].map((entry) => load(join(folder, `node_modules/pulsewire/dist/${entry}.js`))),
        ...['core/index.mjs', 'node/index.mjs'].map((entry) => load(join(runtimes, 'msw/lib', entry))),
    ]);
    const begin = new Function('testServer', 'setupServer', 'ws', 'http', `return (async () => {${guideTo('setupServer(')} return {server, msw};})()`);
    const {server, msw} = await begin(testServer, setupServer, ws, http);
    const client = connect('https://rt.example.com', {backoffMaxMs: 500});
    try {
        const heard = [];
        client.channel('chat:1').on('*', (payload) => heard.push(payload));
        await client.channel('chat:1').publish('n', 'from the page');
        const body = JSON.stringify({type: 'n', payload: 'from the backend'});
        assert.equal((await globalThis.fetch('https://rt.example.com/api/channels/chat:1/messages', {method: 'POST', body})).status, 200);
        server.cut();
        server.publish('chat:1', 'n', 'while it was away');
        await until(() => heard.length === 3, 'the client has recovered');
        assert.deepEqual(heard, ['from the page', 'from the backend', 'while it was away']);
    } finally {
        client.close();
        server.close();
        msw.close();
        Object.assign(globalThis, {WebSocket, fetch});
    }
});

test('and in a page, which needs no server', async () => {
    const folder = project('test-server-page', {
        'main.js': textOf('page.js'),
        'out/index.html': `<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self' 'wasm-unsafe-eval'"><title>-</title><script type="module" src="main.js"></script>`,
    });
    await esbuild.build({absWorkingDir: folder, entryPoints: ['main.js'], bundle: true, format: 'esm', outdir: join(folder, 'out'), logLevel: 'error'});
    const pages = await startPages();
    const browser = await launchChromium();
    try {
        const result = await resultOf(browser, pages.add(join(folder, 'out')), {});
        assert.deepEqual(result, {heard: ['grüße 1', 'grüße 2', 'grüße 3'], states: ['open', 'open', 'sse']});
    } finally {
        await browser.close();
        await pages.stop();
    }
});
