// The SDK's receive path in Chromium, beside a bare JSON.parse handler and the SDKs of others.
//
//   node bench/sdk/run.mjs [--rounds=41] [--only=pulsewire,bare] [--cases=128x1,1024x16] [--json=FILE]
//                          [--server=PROGRAM]   the pulsewired for the storm; without it script/build makes one
//                          [--socket-rounds=7]
//                          [--server=none]      no storm, and nothing over real sockets
//
// Chromium is started plainly: what drives browsers for tests also listens to their network, which halves it.
// Prints a table and writes build/bench/sdk.json.

import {execFileSync, spawn} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';
import {payloadOf} from './frames.js';
import {report} from './report.mjs';
import {publishStorm, publishToPeer, sockets, startPeer, startServer, storm} from './storm_server.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '../..');
const given = Object.fromEntries(process.argv.slice(2).map((each) => each.replace(/^--/, '').split('=')));
const list = (text) => text?.split(',');
const options = {rounds: +(given.rounds ?? 41), warmup: 16, only: list(given.only), cases: list(given.cases)};
const deadlineMs = (given.seconds ?? 600) * 1000;

function prepare() {
    for (const [folder, name] of [[here, 'centrifuge'], [join(here, '..'), 'socket.io']]) {
        if (!existsSync(join(folder, 'node_modules', name))) execFileSync('npm', ['ci', '--ignore-scripts'], {cwd: folder, stdio: 'inherit'});
    }
    execFileSync(join(root, 'script/build'), ['sdk'], {stdio: ['ignore', 'inherit', 'inherit']});
}

async function bundled(name) {
    const {outputFiles} = await build({
        entryPoints: [join(here, name)], bundle: true, format: 'esm', target: 'es2022', write: false,
        define: {'process.env.NODE_ENV': '"production"'}, minify: !given.readable,
    });
    return outputFiles[0].text;
}

/** Serves the page and resolves with what it posts. The two headers give it a clock of 5 µs instead of 100. */
function serve(page, client) {
    let settle;
    const result = new Promise((resolve, reject) => (settle = {resolve, reject}));
    const files = {
        '/': ['text/html', '<!doctype html><title>bench</title><body><script type="module" src="/page.js"></script>'],
        '/page.js': ['text/javascript', page],
        '/client': ['text/html', '<!doctype html><title>client</title><script type="module" src="/client.js"></script>'],
        '/client.js': ['text/javascript', client],
        '/pulsewire.wasm': ['application/wasm', readFileSync(join(root, 'client-wasm/dist/pulsewire.wasm'))],
    };
    const server = createServer(async (request, response) => {
        if (request.method === 'POST') {
            let body = '';
            for await (const part of request) body += part;
            const told = JSON.parse(body);
            if (request.url === '/sockets') await publishTo(told).catch(settle.reject);
            response.end();
            if (request.url === '/sockets') return;
            if (request.url === '/storm') publishStorm(options.storm.url, storm, (i) => payloadOf(storm.payloadBytes, i)).catch(settle.reject);
            else if (request.url === '/progress') process.stderr.write(`    ${told.bytes} B, ${told.batch} per frame, ${told.spread} of ${told.subscriptions} channels\n`);
            else if (told.error) settle.reject(new Error(told.error));
            else settle.resolve(told);
            return;
        }
        const [type, body] = request.url === '/options' ? ['application/json', JSON.stringify(options)] : (files[request.url.split('?')[0]] ?? []);
        response.writeHead(type ? 200 : 404, {
            'Content-Type': type ?? 'text/plain',
            'Cross-Origin-Opener-Policy': 'same-origin',
            'Cross-Origin-Embedder-Policy': 'require-corp',
        });
        response.end(body);
    });
    return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve({server, result, port: server.address().port})));
}

/** Messages for one client of bench/sdk/sockets.js. */
async function publishTo({client, bytes, messages}) {
    const url = options.sockets.urls[client];
    const what = {channel: sockets.channel, messages};
    const payload = (i) => payloadOf(bytes, i);
    return client === 'pulsewire' ? publishStorm(url, what, payload) : publishToPeer(client, url, what, payload);
}

async function inChromium(url, result) {
    const profile = mkdtempSync(join(tmpdir(), 'pulsewire-bench-'));
    const browser = spawn('chromium', [
        ...(given.verbose ? ['--enable-logging=stderr'] : []), '--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync', '--js-flags=--expose-gc', `--user-data-dir=${profile}`, url,
    ], {stdio: ['ignore', 'ignore', given.verbose ? 'inherit' : 'ignore'], detached: true});
    let timer;
    const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error('Chromium did not finish in time')), deadlineMs)));
    const failed = new Promise((_, reject) => browser.on('error', reject));
    try {
        return await Promise.race([result, late, failed]);
    } finally {
        clearTimeout(timer);
        try {
            process.kill(-browser.pid, 'SIGKILL');
        } catch {
            // It is gone already.
        }
        await new Promise((resolve) => setTimeout(resolve, 200));
        rmSync(profile, {recursive: true, force: true, maxRetries: 5});
    }
}

prepare();
const {server, result, port} = await serve(await bundled('page.js'), await bundled('client.js'));
const servers = [];
try {
    if (given.server !== 'none') {
        const program = given.server ?? join(root, 'build/release/pulsewired');
        if (!given.server) execFileSync(join(root, 'script/build'), ['release:pulsewired'], {stdio: ['ignore', 'inherit', 'inherit']});
        servers.push(await startServer(program, `http://127.0.0.1:${port}`), await startPeer('centrifugo_protocol.mjs'), await startPeer('socket.io.mjs'));
        const [pulsewire, centrifuge, socketio] = servers.map(({url}) => url);
        options.storm = {...storm, url: pulsewire};
        options.sockets = {...sockets, rounds: +(given['socket-rounds'] ?? 7), urls: {pulsewire, centrifuge, 'socket.io': socketio}};
    }
    const told = await inChromium(`http://127.0.0.1:${port}/`, result);
    const file = given.json ?? join(root, 'build/bench/sdk.json');
    mkdirSync(join(file, '..'), {recursive: true});
    writeFileSync(file, JSON.stringify({rounds: options.rounds, ...told}, null, 1));
    report(told);
} finally {
    for (const {stop} of servers) stop();
    server.closeAllConnections();
    server.close();
}
