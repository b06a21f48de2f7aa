// The chats of docs/frameworks.md as they stand there, under Vite's development server, in Chromium, with the real server.

import assert from 'node:assert/strict';
import {mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {createServer as createVite} from 'vite';
import {home} from '../../build_options.mjs';
import {launchChromium, project, startPulsewired} from '../support.mjs';

const modules = join(home, '../node_modules');
const guide = readFileSync(join(home, '../docs/frameworks.md'), 'utf8');

/** The files that a section of the guide shows, by the names in their first lines. */
export function filesOf(heading) {
    const [section] = guide.split(/^## /m).filter((text) => text.startsWith(`${heading}\n`));
    return Object.fromEntries([...section.matchAll(/^```\w+\n(?:\/\/|<!--) ([\w./]+)(?: -->)?\n(.*?)^```$/gms)].map(([, name, text]) => [name, text]));
}

/** The page's module as the guide has it, for this server. */
export const realtimeOf = (url) => filesOf('One client for the whole page')['realtime.ts'].replace('http://localhost:8080', url);

/** A project with the packed package, and links to packages of this repository. */
export function linkedProject(name, files, links) {
    const folder = project(name, files);
    for (const link of links) {
        const path = join(folder, 'node_modules', link);
        mkdirSync(dirname(path), {recursive: true});
        symlinkSync(join(modules, link), path);
    }
    return folder;
}

const index = '<!doctype html><meta charset="utf-8"><title>chat</title><link rel="icon" href="data:,"><div id="root"></div><script type="module" src="/MAIN"></script>';

/**
 * Starts all that a framework's tests need. `main.ts` of packaging/frameworks/NAME puts `globalThis.show` there, which shows
 * a chat for each of its arguments.
 */
export async function startApp({name, heading, links, include, plugins = [], alias = {}}) {
    // So small that a long line does not fit.
    process.env.PULSEWIRE_MESSAGE_BYTES_MAX = '2048';
    const source = join(home, 'packaging/frameworks', name);
    const own = Object.fromEntries(readdirSync(source).map((file) => [file, readFileSync(join(source, file), 'utf8')]));
    const main = Object.keys(own).find((file) => file.startsWith('main.'));
    const root = linkedProject(name, {'index.html': index.replace('MAIN', main), ...filesOf(heading), ...own}, links);
    let rendered;
    const serveRendered = {name: 'rendered', configureServer: ({middlewares}) => void middlewares.use('/rendered', (_, response) => response.setHeader('Content-Type', 'text/html').end(rendered))};
    const vite = await createVite({
        root, configFile: false, logLevel: 'error', cacheDir: join(root, '.vite'), plugins: [serveRendered, ...plugins], resolve: {alias},
        optimizeDeps: {include: ['pulsewire', `pulsewire/${name}`, ...include], noDiscovery: true},
        server: {host: '127.0.0.1', port: 0, fs: {strict: false}},
    });
    await vite.listen();
    const origin = `http://127.0.0.1:${vite.httpServer.address().port}`;
    let server = await startPulsewired('--allow-origin', origin);
    const {url} = server;
    const setRealtime = (more = '') => writeFileSync(join(root, 'realtime.ts'), realtimeOf(url) + more);
    setRealtime();
    const browser = await launchChromium();
    /** A page, and what went wrong in it so far. */
    const visit = async (path = '/') => {
        const page = await browser.newPage();
        const problems = [];
        page.on('pageerror', (error) => problems.push(String(error)));
        page.on('console', (message) => ['error', 'warning'].includes(message.type()) && problems.push(message.text()));
        await page.goto(origin + path);
        await page.waitForFunction(() => globalThis.show);
        return {page, problems};
    };
    return {
        root, origin, url, vite, setRealtime,
        visit,
        /** A page that begins with what a server has rendered. */
        async visitRendered(html) {
            rendered = await vite.transformIndexHtml('/', index.replace('MAIN', main).replace('id="root">', `id="root">${html}`));
            return visit('/rendered');
        },
        async say(room, text, user = 'server') {
            const response = await fetch(`${url}/api/channels/chat:${room}/messages`, {method: 'POST', body: JSON.stringify({type: 'chat.message', payload: {user, text}})});
            assert.equal(response.ok, true);
        },
        /** A sample of the server's metrics. */
        async metric(sample) {
            const text = await (await fetch(`${url}/metrics`)).text();
            return Number(text.split('\n').find((line) => line.startsWith(`${sample} `)).split(' ').at(-1));
        },
        /** The server is away while `during` runs, and has forgotten everything. */
        async restart(during) {
            await server.stop();
            await during();
            server = await startPulsewired('--allow-origin', origin, '--port', new URL(url).port);
        },
        async stop() {
            await browser.close();
            await vite.close();
            await server.stop();
        },
    };
}

/** Waits until this holds. */
export async function until(holds, what) {
    for (const end = Date.now() + 15_000; !(await holds()); ) {
        if (Date.now() > end) assert.fail(`never: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
}

/** The lines of the chats of the page, once they are these; a list for each chat. */
export async function lines(page, expected) {
    const read = () => page.evaluate(() => [...document.querySelectorAll('section')].map((chat) => [...chat.querySelectorAll('li')].map((line) => line.innerText.trim())));
    const end = Date.now() + 10_000;
    let found;
    do found = await read();
    while (JSON.stringify(found) !== JSON.stringify(expected) && Date.now() < end);
    assert.deepEqual(found, expected);
}

export const subscriptions = 'pulsewire_subscriptions';
export const connections = 'pulsewire_connections{transport="websocket"}';
const show = (page, ...chats) => page.evaluate((chats) => globalThis.show(...chats), chats);
const ada = (room) => ({room, user: 'Ada'});

/** The duties of each framework's chat. `app` is a function, since it is there only when the tests run. */
export function chatTests(test, app) {
    test('two components share a subscription, and a late one begins with what is there', async () => {
        const {say, visit, metric} = app();
        await say('shared', 'before');
        const {page, problems} = await visit();
        await show(page, ada('shared'));
        await lines(page, [['server: before']]);
        await show(page, ada('shared'), ada('shared'));
        await say('shared', 'after');
        await lines(page, [['server: before', 'server: after'], ['server: before', 'server: after']]);
        assert.equal(await metric(subscriptions), 1);
        await show(page, ada('shared'));
        await say('shared', 'later');
        await lines(page, [['server: before', 'server: after', 'server: later']]);
        await show(page);
        await until(async () => (await metric(subscriptions)) === 0, 'the subscription ends with the last component');
        await show(page, ada('shared'));
        await lines(page, [['server: before', 'server: after', 'server: later']]);
        await page.waitForFunction(() => document.querySelector('p').innerText === 'open, here: Ada');
        assert.equal(await metric(connections), 1);
        assert.deepEqual(problems, []);
        await page.close();
    });

    test('from one room to another and back', async () => {
        const {say, visit, metric} = app();
        await say('a', 'in a');
        await say('b', 'in b');
        const {page, problems} = await visit();
        await show(page, ada('a'));
        await lines(page, [['server: in a']]);
        await show(page, ada('b'));
        await lines(page, [['server: in b']]);
        await show(page, ada('a'));
        await say('a', 'more');
        await say('b', 'elsewhere');
        await lines(page, [['server: in a', 'server: more']]);
        // As quickly as one can, and where nothing has come yet.
        await page.evaluate(([a, b]) => [b, a, b, a, b].forEach((chat) => globalThis.show(chat)), [ada('a'), ada('b')]);
        await lines(page, [['server: in b', 'server: elsewhere']]);
        await show(page, ada('a'));
        await lines(page, [['server: in a', 'server: more']]);
        await until(async () => (await metric(subscriptions)) === 1, 'only one room is subscribed');
        assert.deepEqual(problems, []);
        await page.close();
    });

    test('what is written waits while the server is away, is refused with a reason, and can be tried again', async () => {
        const {visit, restart} = app();
        const {page, problems} = await visit();
        const room = `written-${Math.random()}`;
        await show(page, ada(room), {room, user: 'Bob'});
        const write = async (text) => {
            await page.locator('input').first().fill(text);
            await page.locator('input').first().press('Enter');
        };
        await write('one');
        await lines(page, [['Ada: one'], ['Ada: one']]);
        await restart(async () => {
            await page.waitForFunction(() => /^(waiting|connecting),/.test(document.querySelector('p').innerText));
            await write('two');
            await lines(page, [['Ada: one', 'two …'], ['Ada: one', 'two …']]);
        });
        // The server has forgotten the first.
        await lines(page, [['Ada: two'], ['Ada: two']]);
        await page.waitForFunction(() => document.querySelector('p').innerText.startsWith('open,'));
        problems.length = 0;
        const long = 'x'.repeat(3_000);
        await write(long);
        await page.waitForFunction(() => [...document.querySelectorAll('section')].every((chat) => /xxx: .+ Again$/.test(chat.querySelector('li:last-child').innerText)));
        await page.locator('button').first().click();
        await page.waitForFunction(() => document.querySelectorAll('li').length === 4 && document.querySelectorAll('button').length === 2);
        assert.deepEqual(problems, []);
        await page.close();
    });
}

/** A page rendered on a server connects nothing, and a browser goes on from it without finding a difference. */
export function serverTest(test, app, rendered) {
    test('what a server renders connects nothing, and the browser goes on from it', async () => {
        const {vite, metric, say, visitRendered} = app();
        const {html} = await vite.ssrLoadModule(`/server.${rendered.file}`);
        const total = 'pulsewire_connections_total{transport="websocket"}';
        const before = await metric(total);
        const text = await html();
        assert.match(text, rendered.looks);
        // Time in which a connection would have come.
        await new Promise((resolve) => setTimeout(resolve, 300));
        assert.equal(await metric(total), before);
        await say('hydrated', 'hello');
        const {page, problems} = await visitRendered(text);
        await lines(page, [['server: hello']]);
        assert.deepEqual(problems, []);
        await page.close();
    });
}
