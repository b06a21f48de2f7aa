// script/server --check: starts the server on a free port and proves, from outside, that it does what it is for.
//
//   node --experimental-websocket script/check_server.mjs KEEP PROGRAM ARGUMENT...
//
// With KEEP `yes` the server gets a data folder, is killed, and must know after a new start what it was told before. Prints one line for each thing proved, stops the server, and exits with 0; or says what failed, prints what the server
// wrote, and exits with 1. Every wait ends after `answerMs`.

import {spawn} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {freePort} from './free_port.mjs';

const answerMs = 10_000;
const [keep, program, ...args] = process.argv.slice(2);

// ---------------------------------------------------------------------------------------------------------- waiting

// Fails with a sentence when the promise takes too long.
function soon(promise, what) {
    let timer;
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`${what}: nothing within ${answerMs / 1000} s`)), answerMs);
    });
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// What arrives, in order, for whoever asks for the next.
class Inbox {
    #items = [];
    #waiting = [];

    put(item) {
        const taker = this.#waiting.shift();
        if (taker) taker(item);
        else this.#items.push(item);
    }

    next(what) {
        const item = this.#items.shift();
        return soon(item === undefined ? new Promise((taker) => this.#waiting.push(taker)) : Promise.resolve(item), what);
    }

    async nextThat(accepts, what) {
        for (;;) {
            const item = await this.next(what);
            if (accepts(item)) return item;
        }
    }
}

function expect(condition, sentence) {
    if (!condition) throw new Error(sentence);
}

// ---------------------------------------------------------------------------------------------------------- clients

async function openSocket(url, protocols) {
    const socket = new WebSocket(url, protocols);
    const inbox = new Inbox();
    socket.addEventListener('message', ({data}) => data.split('\n').filter(Boolean).forEach((line) => inbox.put(line)));
    await soon(new Promise((opened, failed) => {
        socket.addEventListener('open', opened);
        socket.addEventListener('error', () => failed(new Error(`no WebSocket at ${url}`)));
    }), `WebSocket ${url}`);
    return {socket, inbox};
}

async function openEvents(url) {
    const abort = new AbortController();
    const response = await soon(fetch(url, {headers: {accept: 'text/event-stream'}, signal: abort.signal}), url);
    expect(response.ok, `GET ${url} answered ${response.status}`);
    expect(response.headers.get('content-type')?.startsWith('text/event-stream'), `${url} is no event stream`);
    const inbox = new Inbox();
    const read = async () => {
        let text = '';
        for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
            const events = (text + chunk).split(/\r?\n\r?\n/);
            text = events.pop();
            for (const event of events) {
                const fields = event.split(/\r?\n/).map((line) => /^(\w*): ?(.*)$/.exec(line)).filter(Boolean);
                inbox.put(Object.fromEntries(fields.map(([, name, value]) => [name, value])));
            }
        }
    };
    read().catch(() => {});  // ended by us, or seen by whoever waits for the next event
    return {inbox, close: () => abort.abort()};
}

// ----------------------------------------------------------------------------------------------------------- proofs

async function provePage(http) {
    const page = await soon(fetch(http), http);
    expect(page.ok, `GET ${http} answered ${page.status}`);
    expect(page.headers.get('content-type')?.startsWith('text/html'), `GET ${http} is no HTML`);
    const html = await page.text();
    const parts = [...html.matchAll(/<(?:script|link)\b[^>]*?\b(?:src|href)="([^"]+)"/g)].map((match) => match[1]);
    for (const part of parts) {
        const response = await soon(fetch(new URL(part, http)), part);
        expect(response.ok, `the page names ${part}, and that answered ${response.status}`);
        await response.arrayBuffer();
    }
    return `the page is served, with all ${parts.length} files it names`;
}

async function proveProtocol(ws) {
    const {socket, inbox} = await openSocket(`${ws}ws`, 'pulsewire.v1');
    const answer = async (command, op) => {
        socket.send(JSON.stringify(command));
        const frame = JSON.parse(await inbox.nextThat((line) => JSON.parse(line).id === command.id, op));
        expect(frame.op === op, `${command.op} was answered by ${JSON.stringify(frame)}`);
        return frame;
    };
    const channel = 'check-protocol';
    await answer({op: 'connect', id: 1, version: 1, session: 'check-server-1', client: 'check/1'}, 'welcome');
    await answer({op: 'subscribe', id: 2, channel}, 'subscribed');
    const before = performance.now();
    const payload = {text: 'tick – ✓', drawn: Math.random()};
    const publication = inbox.nextThat((line) => JSON.parse(line).channel === channel && !JSON.parse(line).op, 'the publication');
    socket.send(JSON.stringify({op: 'publish', id: 3, channel, type: 'check.message', payload}));
    const frame = JSON.parse(await publication);
    const ms = (performance.now() - before).toFixed(1);
    expect(JSON.stringify(frame.payload) === JSON.stringify(payload), `another payload came back: ${JSON.stringify(frame)}`);
    socket.close();
    return `a typed message went through the WebSocket and back in ${ms} ms`;
}

async function provePlain(ws) {
    const url = `${ws}ws/plain/check-plain`;
    const [sender, receiver] = [await openSocket(url), await openSocket(url)];
    sender.socket.send('plain text');
    const text = await receiver.inbox.next('the plain text');
    expect(text === 'plain text', `"plain text" arrived as "${text}"`);
    sender.socket.close();
    receiver.socket.close();
    return 'plain text went from one WebSocket to another, without any SDK';
}

async function proveEvents(http) {
    const events = await openEvents(`${http}events?channel=check-events`);
    const payload = {drawn: Math.random()};
    const response = await soon(fetch(`${http}api/channels/check-events/messages`, {
        method: 'POST',
        headers: {'content-type': 'application/json'},
        body: JSON.stringify({type: 'message', payload}),
    }), 'POST');
    expect(response.ok, `POST answered ${response.status}: ${await response.text()}`);
    const event = await events.inbox.nextThat(
        ({event, data}) => !event?.startsWith('pulsewire.') && data?.includes('check-events'), 'the event');
    expect(JSON.parse(event.data).payload?.drawn === payload.drawn, `another event came: ${JSON.stringify(event)}`);
    expect(event.id, `the event has no id: ${JSON.stringify(event)}`);
    events.close();
    return 'a POST arrived as a server-sent event, with the id to resume from';
}

// -------------------------------------------------------------------------------------------------------- the server

async function untilHealthy(http, ended) {
    const deadline = performance.now() + answerMs;
    while (performance.now() < deadline) {
        if (ended()) throw new Error('the server ended at its start');
        const healthy = await fetch(`${http}healthz`).then((response) => response.ok, () => false);
        if (healthy) return;
        await new Promise((done) => setTimeout(done, 20));
    }
    throw new Error(`GET ${http}healthz did not answer 200 within ${answerMs / 1000} s`);
}

const port = await freePort();
const folder = keep === 'yes' ? mkdtempSync(join(tmpdir(), 'pulsewire-check-')) : undefined;
const data = folder ? ['--data', folder] : [];
let server;
let exited;
let status;
let log = '';

function start() {
    const child = spawn(program, ['--port', String(port), ...args, ...data], {stdio: ['ignore', 'pipe', 'pipe']});
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (log += chunk));
    server = child;
    status = undefined;
    exited = new Promise((resolve) => {
        const ended = (value) => resolve(status = value);
        child.on('error', (error) => ended(`could not start: ${error.message}`));
        child.on('exit', (code, signal) => ended(signal ?? code));
    });
}

async function proveKept(http) {
    const url = `${http}api/channels/chat:check/messages`;
    const drawn = String(Math.random());
    const posted = await soon(fetch(url, {
        method: 'POST',
        headers: {'content-type': 'application/json'},
        body: JSON.stringify({type: 'chat.message', payload: {user: 'Check', text: drawn}}),
    }), 'POST');
    const {epoch} = await posted.json();
    server.kill('SIGKILL');
    await soon(exited, 'the end of the server after SIGKILL');
    start();
    await untilHealthy(http, () => status !== undefined);
    const kept = await (await soon(fetch(url), url)).json();
    expect(kept.messages.some(({payload}) => payload.text === drawn), `after a restart the server knows ${JSON.stringify(kept.messages)}`);
    expect(kept.epoch === epoch, 'after a restart the channel has another epoch: pages would be told that messages were missed');
    return 'a message outlives kill -9 and a new start, and so does its channel’s epoch';
}

async function proveStop() {
    server.kill('SIGTERM');
    await soon(exited, 'the end of the server after SIGTERM');
    expect(status === 0, `after SIGTERM the server ended with ${status}`);
    return 'SIGTERM ends the server cleanly';
}

let proved = 0;
try {
    const http = `http://127.0.0.1:${port}/`;
    const ws = `ws://127.0.0.1:${port}/`;
    start();
    await untilHealthy(http, () => status !== undefined);
    const proofs = [
        () => provePage(http), () => proveProtocol(ws), () => provePlain(ws), () => proveEvents(http),
        ...(folder ? [() => proveKept(http)] : []), proveStop,
    ];
    for (const prove of proofs) {
        console.log(`    proved: ${await prove()}`);
        proved += 1;
    }
    console.log(`${proved} passed, 0 failed`);
} catch (error) {
    server.kill('SIGKILL');
    console.log(`The check failed: ${error.message}\n\nWhat the server wrote:\n${log.trimEnd() || '(nothing)'}\n`);
    console.log(`${proved} passed, 1 failed`);
    process.exitCode = 1;
}
if (folder) rmSync(folder, {recursive: true, force: true});
process.exit();
