// `pulsewire/storage` as it is packed: in Chromium beside each entry, and in Node with the store that docs/sdk.md shows.

import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {copyFileSync, readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {test} from 'node:test';
import {promisify} from 'node:util';
import * as esbuild from 'esbuild';
import {home} from '../build_options.mjs';
import {browser, pages, project, resultOf, server, startAndStopAll, startPulsewired} from './support.mjs';

startAndStopAll();

const app = (entry) => `
    import {connect, PulsewireError} from '${entry}';
    import {browserStorage} from 'pulsewire/storage';
    const {server} = Object.fromEntries(new URLSearchParams(location.search));
    const client = connect(server, {storage: browserStorage(), outboxMessagesMax: 1});
    const warnings = [];
    client.on('storage', ({message}) => warnings.push(message));
    const channel = client.channel('packaging:storage-' + crypto.randomUUID());
    const first = channel.publish('t', 1);
    const waiting = client.unsent.map(({payload}) => payload);
    const error = await channel.publish('t', 2).catch((error) => error);
    const {offset} = await first;
    globalThis.result = {waiting, code: error.code, ours: error instanceof PulsewireError, offset, left: client.unsent.length, warnings};`;

for (const entry of ['pulsewire', 'pulsewire/wasm']) {
    test(`beside ${entry}, whose errors are its own`, async () => {
        const folder = project('storage', {'main.js': app(entry), 'index.html': '<!doctype html><meta charset="utf-8"><title>app</title><script type="module" src="./main.js"></script>'});
        const outdir = join(folder, 'out');
        await esbuild.build({absWorkingDir: folder, entryPoints: ['main.js'], bundle: true, minify: true, format: 'esm', outdir, logLevel: 'error'});
        copyFileSync(join(folder, 'index.html'), join(outdir, 'index.html'));
        if (entry === 'pulsewire/wasm') copyFileSync(join(folder, 'node_modules/pulsewire/dist/pulsewire.wasm'), join(outdir, 'pulsewire.wasm'));
        assert.deepEqual(await resultOf(browser, pages.add(outdir), {server: server.url}), {
            waiting: [1], code: 'outbox_full', ours: true, offset: 1, left: 0, warnings: [],
        });
    });
}

test('the guide’s store in a file: what one process left the next one sends', async () => {
    const guide = readFileSync(join(home, '../docs/sdk.md'), 'utf8');
    const [snippet] = [...guide.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code).filter((code) => code.includes('fileStore'));
    const store = snippet.slice(snippet.indexOf('/** For one process'), snippet.indexOf('const bot'));
    const script = `
        import {readFileSync, writeFileSync} from 'node:fs';
        import {createRequire} from 'node:module';
        import {connect} from 'pulsewire';
        import {customStorage} from 'pulsewire/storage';
        ${esbuild.transformSync(store, {loader: 'ts', target: 'es2022'}).code}
        const [server, ws, task] = process.argv.slice(2);
        const WebSocket = globalThis.WebSocket ?? createRequire(import.meta.url)(ws);
        const client = connect(server, {WebSocket, transport: 'websocket', storage: customStorage(fileStore('outbox.json'))});
        if (task === 'write') {
            for (const n of [1, 2, 3]) client.channel('packaging:file').publish('n', n).catch(() => {});
            client.on('waiting', () => process.exit());
        } else {
            const restored = [];
            client.on('restored', (message) => restored.push(message));
            client.on('open', async () => {
                const positions = await Promise.all(restored.map(({acknowledged}) => acknowledged));
                console.log(JSON.stringify(restored.map(({payload}, i) => [payload, positions[i].offset])));
                client.close();
            });
        }`;
    const cwd = project('file', {'run.mjs': script});
    const ws = createRequire(import.meta.url).resolve('ws');
    const run = async (url, task) => (await promisify(execFile)(process.execPath, ['run.mjs', url, ws, task], {cwd})).stdout;
    // The scope is the server's address, of which this store knows nothing.
    const gone = await startPulsewired();
    await gone.stop();
    await run(gone.url, 'write');
    assert.deepEqual(JSON.parse(readFileSync(join(cwd, 'outbox.json'), 'utf8')).messages.map(({payload}) => payload), ['1', '2', '3']);
    assert.equal(await run(server.url, 'send'), '[[1,1],[2,2],[3,3]]\n');
    assert.deepEqual(JSON.parse(readFileSync(join(cwd, 'outbox.json'), 'utf8')).messages, []);
});
