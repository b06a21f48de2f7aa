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
import {launchChromium, project, resultOf, startPages} from './support.mjs';

const require = createRequire(import.meta.url);
const source = join(home, 'packaging/test_tools');
const textOf = (name) => readFileSync(join(source, name), 'utf8');

test('a test of an application runs in Vitest', () => {
    const folder = project('vitest', Object.fromEntries(readdirSync(join(source, 'vitest')).map((name) => [name, textOf(`vitest/${name}`)])));
    symlinkSync(join(home, '../node_modules/vitest'), join(folder, 'node_modules/vitest'));
    const program = join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs');
    const {status, stdout, stderr} = spawnSync(process.execPath, [program, 'run', '--reporter=verbose', '--no-color'], {cwd: folder, encoding: 'utf8', timeout: 120_000});
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /Tests +5 passed/);
});

test('and in Jest, with Node and with jsdom', (t) => {
    const runtimes = join(home, 'packaging/runtimes/node_modules');
    if (!existsSync(runtimes)) return t.skip('script/bootstrap brings Jest for tests');
    const folder = project('jest-test-server', {'package.json': '{"private": true}'});
    for (const environment of ['jsdom', 'node']) {
        symlinkSync(join(runtimes, `jest-environment-${environment}`), join(folder, `node_modules/jest-environment-${environment}`));
        writeFileSync(join(folder, `${environment}.test.js`), `/** @jest-environment ${environment} */\n${textOf('chat.test.cjs')}`);
    }
    const {status, stderr} = spawnSync(process.execPath, [join(runtimes, 'jest/bin/jest.js'), '--rootDir', folder, '--ci', '--runInBand'], {cwd: folder, encoding: 'utf8', timeout: 120_000});
    assert.equal(status, 0, stderr);
    assert.match(stderr, /Tests: +6 passed/);
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
    const [, snippet] = /^```js\n(.*?page\.routeWebSocket.*?)^```$/ms.exec(readFileSync(join(home, '../docs/test-server.md'), 'utf8'));
    const route = new Function('testServer', 'page', `return (async () => {${snippet} return server;})()`);
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
