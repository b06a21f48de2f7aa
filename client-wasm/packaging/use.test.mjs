// The packed package at work: in Node, and in Chromium behind each way to bundle it, against the real server.

import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {copyFileSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {describe, test} from 'node:test';
import {promisify} from 'node:util';
import * as esbuild from 'esbuild';
import {createServer as createVite, build as viteBuild} from 'vite';
import webpack from 'webpack';
import {appFiles, browser, pages, project, resultOf, server, startAndStopAll, startPulsewired} from './support.mjs';

const overWebSocket = {text: 'grüße 🎉', same: true, error: 'no_handler', transport: 'websocket', end: 'client_closed'};
const overSse = {...overWebSocket, transport: 'sse'};
const require = createRequire(import.meta.url);

startAndStopAll();

/** The whole proof for one built site. */
async function proveIn(url, address = server.url) {
    assert.deepEqual(await resultOf(browser, url, {server: address, transport: 'auto'}), overWebSocket, 'WebSocket');
    assert.deepEqual(await resultOf(browser, url, {server: address, transport: 'sse'}), overSse, 'SSE');
    assert.deepEqual(await resultOf(browser, url, {server: address, transport: 'auto', worker: '1'}), overWebSocket, 'in a worker');
}

describe('Node', () => {
    const script = `
        import {createRequire} from 'node:module';
        import {roundTrip} from './app.js';
        const [server, ws] = process.argv.slice(2);
        globalThis.WebSocket ??= createRequire(import.meta.url)(ws);
        console.log(JSON.stringify(await roundTrip(server, 'websocket')));`;
    for (const entry of ['pulsewire', 'pulsewire/wasm']) {
        test(entry, async () => {
            const folder = project('node', {...appFiles(entry), 'run.mjs': script});
            const {stdout} = await promisify(execFile)(process.execPath, ['run.mjs', server.url, require.resolve('ws')], {cwd: folder});
            assert.deepEqual(JSON.parse(stdout), overWebSocket);
        });
    }
});

describe('a plain page with an import map', () => {
    const withoutWebAssembly = '<script>delete globalThis.WebAssembly</script>';
    for (const [entry, file, before = ''] of [
        ['pulsewire', 'index.js'], ['pulsewire/wasm', 'wasm.js'], ['pulsewire', 'index.js', withoutWebAssembly], ['pulsewire/js', 'js.js', withoutWebAssembly],
    ]) {
        test(`${entry}${before && ', where there is no WebAssembly'}`, async () => {
            const files = appFiles(entry);
            const map = JSON.stringify({imports: {[entry]: `./node_modules/pulsewire/dist/${file}`}});
            files['index.html'] = files['index.html'].replace('<script', `${before}<script type="importmap">${map}</script><script`);
            const url = pages.add(project('plain', files));
            assert.deepEqual(await resultOf(browser, url, {server: server.url, transport: 'auto'}), overWebSocket);
            assert.deepEqual(await resultOf(browser, url, {server: server.url, transport: 'sse'}), overSse);
        });
    }
});

describe('esbuild', () => {
    for (const entry of ['pulsewire', 'pulsewire/wasm']) {
        test(entry, async () => {
            const folder = project('esbuild', appFiles(entry));
            const outdir = join(folder, 'out');
            // esbuild does not follow new Worker(new URL(…)): the worker is an entry of its own.
            await esbuild.build({absWorkingDir: folder, entryPoints: ['main.js', 'in_worker.js'], bundle: true, minify: true, format: 'esm', outdir, logLevel: 'error'});
            writeFileSync(join(outdir, 'index.html'), appFiles()['index.html']);
            // Nor new URL('./pulsewire.wasm', import.meta.url): docs/sdk.md says to copy it.
            if (entry === 'pulsewire/wasm') copyFileSync(join(folder, 'node_modules/pulsewire/dist/pulsewire.wasm'), join(outdir, 'pulsewire.wasm'));
            await proveIn(pages.add(outdir));
        });
    }
});

describe('Vite', () => {
    for (const entry of ['pulsewire', 'pulsewire/wasm']) {
        test(`${entry}, built`, async () => {
            const root = project('vite', appFiles(entry));
            await viteBuild({root, configFile: false, base: './', logLevel: 'error', worker: {format: 'es'}});
            await proveIn(pages.add(join(root, 'dist')));
        });

        test(`${entry}, development server`, async () => {
            const root = project('vite-dev', appFiles(entry));
            const vite = await createVite({root, configFile: false, logLevel: 'error', cacheDir: join(root, '.vite'), server: {
                host: '127.0.0.1', port: 0, proxy: {'/ws': {target: server.url, ws: true, changeOrigin: true, rewriteWsOrigin: true}},
            }});
            await vite.listen();
            try {
                const {port} = vite.httpServer.address();
                const allowed = await startPulsewired('--allow-origin', `http://127.0.0.1:${port}`);
                try {
                    await proveIn(`http://127.0.0.1:${port}/`, allowed.url);
                } finally {
                    await allowed.stop();
                }
            } finally {
                await vite.close();
            }
        });
    }
});

describe('webpack', () => {
    for (const entry of ['pulsewire', 'pulsewire/wasm']) {
        test(entry, async () => {
            const context = project('webpack', appFiles(entry));
            const path = join(context, 'out');
            const stats = await promisify(webpack)({context, mode: 'production', entry: './main.js', output: {path, publicPath: 'auto', filename: 'main.js'}});
            assert.equal(stats.hasErrors() || stats.hasWarnings(), false, stats.toString());
            writeFileSync(join(path, 'index.html'), appFiles()['index.html'].replace('type="module"', 'defer'));
            await proveIn(pages.add(path));
        });
    }
});
