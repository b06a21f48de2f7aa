// Shared by the packaging tests: fresh projects, the real server, a server for pages, and Chromium.

import {spawn} from 'node:child_process';
import {cpSync, mkdtempSync, readFileSync, writeFileSync, mkdirSync} from 'node:fs';
import {createServer} from 'node:http';
import {dirname, extname, join, normalize} from 'node:path';
import {createInterface} from 'node:readline';
import {after, before} from 'node:test';
import {chromium} from 'playwright-core';
import {home} from '../build_options.mjs';

export const tarball = process.env.TEST_TARBALL;

/** A new project with the packed package as npm installed it (run.mjs), and these files (path to text). Returns its folder. */
export function project(name, files = {}) {
    const folder = mkdtempSync(join(process.env.TEST_PROJECTS, `${name}-`));
    const manifest = {name, version: '1.0.0', private: true, type: 'module', dependencies: {pulsewire: `file:${tarball}`}};
    for (const [path, text] of Object.entries({'package.json': JSON.stringify(manifest), ...files})) {
        mkdirSync(dirname(join(folder, path)), {recursive: true});
        writeFileSync(join(folder, path), text);
    }
    cpSync(join(process.env.TEST_PROJECTS, 'installed/node_modules'), join(folder, 'node_modules'), {recursive: true});
    return folder;
}

/** The page or worker that all bundlers get; `pulsewire` can be another entry of the package. */
export const appFiles = (entry = 'pulsewire') => {
    const app = readFileSync(join(home, 'packaging/app.js'), 'utf8').replace(`'pulsewire'`, `'${entry}'`);
    return {
        'index.html': '<!doctype html><meta charset="utf-8"><title>app</title><script type="module" src="./main.js"></script>',
        'app.js': app,
        'main.js': readFileSync(join(home, 'packaging/main.js'), 'utf8'),
        'in_worker.js': readFileSync(join(home, 'packaging/in_worker.js'), 'utf8'),
    };
};

/** Starts build/release/pulsewired, on a free port unless one is among the options; resolves to its address and how to stop it. */
export async function startPulsewired(...options) {
    const port = options.includes('--port') ? [] : ['--port', '0'];
    const server = spawn(join(home, '../build/release/pulsewired'), [...port, '--log-level', 'error', ...options], {stdio: ['ignore', 'pipe', 'inherit']});
    const lines = createInterface(server.stdout);
    const url = await new Promise((resolve, reject) => {
        lines.on('line', (line) => {
            const [found] = /http:\/\/[\d.]+:\d+/.exec(line) ?? [];
            if (found) resolve(found);
        });
        server.on('exit', (code) => reject(new Error(`pulsewired ended with ${code}`)));
    });
    const stop = () => new Promise((resolve) => {
        server.removeAllListeners('exit');
        server.on('exit', resolve);
        server.kill('SIGTERM');
    });
    return {url, stop};
}

const types = {'.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm', '.css': 'text/css'};

/** Serves folders that are added to it, each under a name of its own. */
export async function startPages() {
    const folders = new Map();
    const server = createServer((request, response) => {
        const [, name, path] = /^\/([\w-]+)\/([^?]*)/.exec(request.url) ?? [];
        const folder = folders.get(name);
        try {
            const file = normalize(join(folder.path, path || 'index.html'));
            if (!file.startsWith(folder.path)) throw new Error('outside');
            const body = readFileSync(file);
            response.writeHead(200, {'Content-Type': types[extname(file)] ?? 'application/octet-stream', ...folder.headers}).end(body);
        } catch {
            response.writeHead(404).end();
        }
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${server.address().port}`;
    return {
        origin,
        add(path, headers = {}) {
            const name = `site${folders.size}`;
            folders.set(name, {path, headers});
            return `${origin}/${name}/`;
        },
        stop: () => {
            server.closeAllConnections();
            return new Promise((resolve) => server.close(resolve));
        },
    };
}

export function launchChromium() {
    return chromium.launch({
        executablePath: process.env.TEST_CHROMIUM ?? '/usr/bin/chromium',
        args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    });
}

/** Everything that startAndStopAll() has started, while the tests of the file run. */
export let pages, server, browser;

/** For the tests of one file: pages to serve, a server that lets them in, and Chromium. */
export function startAndStopAll() {
    before(async () => {
        pages = await startPages();
        server = await startPulsewired('--allow-origin', pages.origin);
        browser = await launchChromium();
    });
    after(async () => {
        await browser?.close();
        await server?.stop();
        await pages?.stop();
    });
}

/** Opens the page with the options of the app in its address, and resolves to what the app found. */
export async function resultOf(browser, url, options) {
    const page = await browser.newPage();
    const problems = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && problems.push(`${message.text()} ${message.location().url}`));
    try {
        await page.goto(`${url}?${new URLSearchParams(options)}`);
        await page.waitForFunction(() => globalThis.result, undefined, {timeout: 20_000});
        return await page.evaluate(() => globalThis.result);
    } catch (error) {
        throw new Error(`${error.message}\n${problems.join('\n')}`);
    } finally {
        await page.close();
    }
}
