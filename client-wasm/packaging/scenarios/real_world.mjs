// The real server as a world for scenarios: pulsewired, with a network of its own between it and each client.

import {spawn} from 'node:child_process';
import {createHmac} from 'node:crypto';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {createServer, connect as connectSocket} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {WebSocket} from 'ws';
import {home} from '../../build_options.mjs';
import {clientOptions, limits, limitsOfSlow, namespaces, withTokens} from './settings.mjs';

const patienceMs = 20_000;
const stepMs = 5;
const issuer = 'https://issuer.test';
const audience = 'rt.test';
const secret = 'a secret of thirty-two characters';

/** One process of the server after the other, on the same port and with the same folder. */
class Process {
    #folder = mkdtempSync(join(tmpdir(), 'pulsewire-scenario-'));
    #child;
    port = 0;

    constructor(settings) {
        writeFileSync(join(this.#folder, 'config.json'), JSON.stringify(settings));
    }

    async start() {
        const child = (this.#child = spawn(join(home, '../build/release/pulsewired'),
            ['--config', join(this.#folder, 'config.json'), '--data', join(this.#folder, 'data'), '--port', String(this.port), '--log-level', 'error'],
            {stdio: ['ignore', 'pipe', 'inherit'], env: {PATH: process.env.PATH}}));
        this.ended = new Promise((resolve) => child.on('exit', resolve));
        await new Promise((resolve, reject) => {
            createInterface(child.stdout).on('line', (line) => {
                const [, port] = /http:\/\/[\d.]+:(\d+)/.exec(line) ?? [];
                if (port) resolve((this.port = Number(port)));
            });
            this.ended.then((code) => reject(new Error(`pulsewired ended with ${code}`)));
        });
    }

    async end(signal) {
        this.#child.kill(signal);
        await this.ended;
    }

    forget() {
        rmSync(join(this.#folder, 'data'), {recursive: true, force: true});
    }

    remove() {
        rmSync(this.#folder, {recursive: true, force: true});
    }
}

/** The network between one client and the server. */
class Network {
    #pairs = new Set();
    #sockets = new Set();
    #stalled = {up: false, down: false};
    #online = true;

    constructor(portOfServer) {
        this.listener = createServer((client) => {
            if (!this.#online) return client.destroy();
            const server = connectSocket(portOfServer(), '127.0.0.1');
            const pair = {client, server};
            this.#pairs.add(pair);
            this.#sockets.add(client).add(server);
            const pass = (from, to, direction) => {
                from.on('data', (bytes) => to.writable && !to.write(bytes) && from.pause());
                to.on('drain', () => this.#stalled[direction] || from.resume());
                if (this.#stalled[direction]) from.pause();
            };
            pass(client, server, 'up');
            pass(server, client, 'down');
            const ended = (other) => () => {
                this.#pairs.delete(pair);
                other.end();
            };
            client.on('error', () => {}).on('close', () => pair.lost || ended(server)());
            server.on('error', () => {}).on('close', ended(client));
        });
    }

    async start() {
        await new Promise((resolve) => this.listener.listen(0, '127.0.0.1', resolve));
        return `http://127.0.0.1:${this.listener.address().port}`;
    }

    cut() {
        for (const {client, server} of this.#pairs) {
            client.resetAndDestroy();
            server.resetAndDestroy();
        }
    }

    offline() {
        this.#online = false;
        for (const pair of this.#pairs) {
            pair.lost = true;
            pair.client.resetAndDestroy();
        }
    }

    online() {
        this.#online = true;
        this.stall('up', false);
        this.stall('down', false);
    }

    stall(direction, stalled) {
        this.#stalled[direction] = stalled;
        for (const {client, server} of this.#pairs) {
            const from = direction === 'up' ? client : server;
            if (stalled) from.pause();
            else from.resume();
        }
    }

    stop() {
        for (const socket of this.#sockets) socket.destroy();
        this.listener.close();
    }
}

/** As much of an EventSource as the SDK and the scenarios use; it comes back at once. */
class EventStream extends EventTarget {
    onmessage = null;
    onerror = null;
    readyState = 0;
    #url;
    #lastEventId = '';
    #stop = new AbortController();

    constructor(url) {
        super();
        this.#url = url;
        void this.#run();
    }

    async #run() {
        while (this.readyState !== 2) {
            const refused = await this.#read().catch(() => false);
            if (this.readyState === 2) return;
            this.readyState = refused ? 2 : 0;
            this.onerror?.({});
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
    }

    async #read() {
        const {ok, body} = await fetch(this.#url, {signal: this.#stop.signal, headers: {Accept: 'text/event-stream', ...(this.#lastEventId && {'Last-Event-ID': this.#lastEventId})}});
        if (!ok) return true;
        this.readyState = 1;
        let rest = '';
        for await (const text of body.pipeThrough(new TextDecoderStream())) {
            const events = (rest + text).split('\n\n');
            rest = events.pop();
            for (const event of events) this.#take(event);
        }
        return false;
    }

    #take(event) {
        const valuesOf = (field) => event.split('\n').filter((line) => line.startsWith(`${field}: `)).map((line) => line.slice(field.length + 2));
        const [type = 'message'] = valuesOf('event');
        this.#lastEventId = valuesOf('id')[0] ?? this.#lastEventId;
        const data = valuesOf('data').join('\n');
        if (type === 'message') this.onmessage?.({data});
        this.dispatchEvent(Object.assign(new Event(type), {data}));
    }

    close() {
        this.readyState = 2;
        this.#stop.abort();
    }
}

function tokenOf(user, allow) {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const now = Math.floor(Date.now() / 1000);
    const signed = `${part({alg: 'HS256', typ: 'JWT'})}.${part({iss: issuer, aud: audience, sub: user, iat: now, exp: now + 3600, pulsewire: {allow}})}`;
    return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

export async function realWorld({connect}, {tokens = false, slow = false} = {}) {
    const settings = {namespaces: tokens ? withTokens : namespaces, ...(slow ? limitsOfSlow : limits), drain_delay_ms: 0, drain_spread_ms: 0};
    if (tokens) Object.assign(settings, {issuers: [{issuer, audience, secret}], api_key: 'for the scenario', token_in_query: true});
    const server = new Process(settings);
    await server.start();
    const networks = new Map();
    const clients = [];
    const streams = [];
    const sockets = new Set();
    class Socket extends WebSocket {
        constructor(...where) {
            super(...where);
            sockets.add(this.on('close', () => sockets.delete(this)));
        }
    }
    const own = new Network(() => server.port);
    networks.set(undefined, own);
    const base = await own.start();
    const headers = tokens ? {Authorization: 'Bearer for the scenario'} : {};
    const request = async (path, init = {}) => fetch(base + path, {...init, headers: {...headers, ...init.headers, Connection: 'close'}});
    const each = (client, act) => {
        for (const [owner, network] of networks) if (!client || owner === client) act(network);
    };
    const world = {
        async connect(options) {
            const network = new Network(() => server.port);
            const client = connect(await network.start(), {WebSocket: Socket, EventSource: EventStream, ...clientOptions, ...options});
            networks.set(client, network);
            clients.push(client);
            return client;
        },
        async events(path) {
            const network = new Network(() => server.port);
            const stream = new EventStream((await network.start()) + path);
            networks.set(stream, network);
            streams.push(stream);
            return stream;
        },
        token: tokenOf,
        async publish(channel, type, payload) {
            const response = await request(`/api/channels/${channel}/messages`, {method: 'POST', body: JSON.stringify({type, payload})});
            const answer = await response.json();
            if (!response.ok) throw Object.assign(new Error(answer.error.message), answer.error);
            return answer;
        },
        fetch: request,
        cut: (client) => each(client, (network) => network.cut()),
        offline: (client) => each(client, (network) => network.offline()),
        online(client) {
            each(client, (network) => network.online());
            for (const one of clients) if (!client || one === client) one.reconnectNow();
        },
        stall(direction, client) {
            each(client, (network) => network.stall(direction, true));
            return () => each(client, (network) => network.stall(direction, false));
        },
        async restart({keepLog = true} = {}) {
            await server.end('SIGKILL');
            if (!keepLog) server.forget();
            await server.start();
        },
        async drain() {
            await server.end('SIGTERM');
            await server.start();
        },
        pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
        async until(holds) {
            const end = Date.now() + patienceMs;
            while (!(await holds())) {
                if (Date.now() > end) throw new Error(`it does not come to that: ${holds}`);
                await world.pass(stepMs);
            }
        },
        async close() {
            for (const one of [...clients, ...streams]) one.close();
            // Otherwise they would wait for an answer to their close frames.
            for (const socket of sockets) socket.terminate();
            for (const network of networks.values()) network.stop();
            await server.end('SIGKILL');
            server.remove();
        },
    };
    return world;
}
