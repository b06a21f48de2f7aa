// A connection that does not open says why, and a transport that ends without a word is noticed.

import assert from 'node:assert/strict';
import {afterEach, beforeEach, test, type TestContext} from 'node:test';
import type {Client} from '../src/client/client.js';
import {findWhy} from '../src/core/why.js';
import {fakeClock, FakeNetwork, held, opened, settle, welcomeFor} from './fake_network.js';

let clock: ReturnType<typeof fakeClock>;
beforeEach(() => {
    clock = fakeClock();
});
afterEach(() => clock.restore());

const reasonOf = ({state}: Client) => (state.name === 'waiting' || state.name === 'closed' ? state.reason : undefined);

async function until(met: () => unknown): Promise<void> {
    for (let turns = 0; !met(); turns++) {
        assert.ok(turns < 1000, 'it never happens');
        await settle();
    }
}

/** A client whose first attempt has failed, and the request that asks why. */
async function failing(options: ConstructorParameters<typeof FakeNetwork>[0] = {transport: 'websocket'}) {
    const network = new FakeNetwork(options);
    const client = await network.connect('http://server.test/rt');
    if (options.transport === 'sse') network.stream.fail();
    else network.socket.drop();
    await until(() => network.probes.length);
    return {client, network, probe: network.probes[0]!};
}

const json = (status: number, code: string, message: string) => new Response(JSON.stringify({error: {code, message}}), {status, headers: {'Content-Type': 'application/json'}});

test('the status and the sentence of a refusal are in the reason', async () => {
    for (const [answer, problem, said] of [
        [json(403, 'forbidden', 'pages of this origin may not use this server'), 'refused', /403: pages of this origin may not/],
        [json(401, 'unauthorized', 'who are you?'), 'refused', /401: who are you/],
        [new Response('<h1>Bad gateway</h1>', {status: 502, headers: {'Content-Type': 'text/html'}}), 'refused', /502$/],
        [new Response('Request header too large', {status: 431, headers: {'Content-Type': 'text/plain'}}), 'refused', /431: Request header too large/],
        [new Response('Not found', {status: 404}), 'not_pulsewire', /no Pulsewire at http:\/\/server.test\/rt\/ws: the answer is 404/],
        [new Response('<html>', {status: 200, headers: {'Content-Type': 'text/html'}}), 'not_pulsewire', /the answer is 200, text\/html/],
        [json(426, 'not_supported', 'this address speaks WebSocket'), 'websocket_blocked', /has to pass Upgrade on/],
    ] as const) {
        const {client, network, probe} = await failing();
        assert.equal(probe.url, 'http://server.test/rt/ws');
        probe.answer(answer);
        await until(() => reasonOf(client)?.problem);
        const reason = reasonOf(client)!;
        assert.deepEqual([reason.problem, reason.name, reason.code], [problem, 'abnormal', 1006]);
        assert.match(reason.message, said);
        assert.equal(reason.status, problem === 'websocket_blocked' ? undefined : answer.status);
        client.close();
        assert.equal(network.probes.length, 1);
    }
});

test('over SSE the stream’s own address is asked', async () => {
    const {client, probe} = await failing({transport: 'sse'});
    assert.equal(probe.url, 'http://server.test/rt/sse');
    probe.answer(new Response('busy', {status: 503, headers: {'Content-Type': 'text/plain'}}));
    await until(() => reasonOf(client)?.status === 503);
    client.close();
});

test('what was found stays in the reasons until a connection opens; it is asked at the 1st, 2nd and 4th failure', async () => {
    const {client, network, probe} = await failing();
    probe.answer(json(403, 'forbidden', 'no'));
    await until(() => reasonOf(client)?.problem);
    for (let failures = 2; failures < 6; failures++) {
        client.reconnectNow();
        network.socket.drop();
        await settle();
        await settle();
        assert.equal(reasonOf(client)?.problem, 'refused');
    }
    assert.equal(network.probes.length, 3);
    client.reconnectNow();
    await network.welcome();
    network.socket.drop();
    assert.equal(reasonOf(client)?.problem, undefined);
    client.close();
});

test('where nothing answers, the reason says so, in Node with what failed', async () => {
    const {client, network, probe} = await failing();
    probe.fail();
    await until(() => network.probes.length === 2);
    network.probes[1]!.fail();
    await until(() => reasonOf(client)?.problem);
    const {problem, message, name} = reasonOf(client)!;
    assert.deepEqual([problem, name], ['unreachable', 'abnormal']);
    assert.match(message, /^http:\/\/server.test cannot be reached: nothing answers/);
    assert.deepEqual(network.errors, [], 'somebody watches the state');
    client.close();
    const refused = async () => Promise.reject(new TypeError('fetch failed', {cause: new Error('connect ECONNREFUSED 127.0.0.1:9')}));
    const found = await findWhy({websocketUrl: 'ws://a.test/ws', sseUrl: 'http://a.test/sse', WebSocket: undefined, EventSource: undefined, fetch: refused}, false);
    assert.equal(found?.message, 'http://a.test cannot be reached: connect ECONNREFUSED 127.0.0.1:9.');
});

test('that a server which was there is away goes into the reason, not to the console', async () => {
    const network = new FakeNetwork({transport: 'websocket'});
    const {connect} = await import('../src/index.js');
    const client = connect('http://server.test', network.options);
    await until(() => network.sockets.length);
    await network.welcome();
    network.socket.drop();
    client.reconnectNow();
    network.socket.drop();
    for (const at of [0, 1]) {
        await until(() => network.probes.length > at);
        network.probes[at]!.fail();
    }
    await until(() => reasonOf(client)?.problem === 'unreachable');
    await settle();
    assert.deepEqual(network.errors, []);
    client.close();
});

test('a connection that was open, or that the server refused with its own reason, is not asked about', async () => {
    const {client, network} = await opened();
    network.socket.drop();
    await settle();
    client.reconnectNow();
    network.socket.open();
    network.socket.receive('{"op":"close","code":1013,"reconnect":true,"message":"full"}');
    await settle();
    assert.deepEqual([network.probes.length, reasonOf(client)?.message], [0, 'full']);
    client.close();
});

test('the console, or onError, has it once where nobody watches the state', async () => {
    const network = new FakeNetwork({transport: 'websocket'});
    const {connect} = await import('../src/index.js');
    const client = connect('http://server.test', network.options);
    await until(() => network.sockets.length);
    for (let failures = 1; failures <= 4; failures++) {
        network.socket.drop();
        const asked = failures === 3 ? 2 : Math.min(failures, 3);
        await until(() => network.probes.length >= asked);
        if (failures !== 3) network.probes.at(-1)!.answer(json(403, 'forbidden', 'no'));
        await settle();
        client.reconnectNow();
    }
    await until(() => network.errors.length);
    await settle();
    assert.deepEqual(network.errors.map(([error, context]) => [(error as Error).message, context]), [['http://server.test/ws answered 403: no', 'connecting']]);
    client.close();
});

/** Asks as a page of that address would. */
async function asPage(page: string, url: string, answer: (url: string, init: RequestInit) => Promise<Response>, sse = false) {
    const world = globalThis as {location?: unknown};
    const {origin, protocol} = new URL(page);
    world.location = {origin, protocol};
    try {
        return await findWhy({websocketUrl: url.replace(/^http/, 'ws') + '/ws', sseUrl: `${url}/sse`, WebSocket: undefined, EventSource: undefined, fetch: answer as never}, sse);
    } finally {
        delete world.location;
    }
}

test('a page is told that its origin is not let in, or that only WebSockets do not get through', async () => {
    const refuse = async (_: string, {mode}: RequestInit) => {
        if (mode !== 'no-cors') throw new TypeError('Failed to fetch');
        return new Response();
    };
    const refused = await asPage('http://localhost:5173', 'http://localhost:8080', refuse);
    assert.equal(refused?.problem, 'origin_refused');
    assert.match(refused!.message, /not to pages of http:\/\/localhost:5173.*--allow-origin/);
    // The WebSocket's address answers no request of another origin, the stream's does.
    const stream = async (url: string) => {
        if (url.endsWith('/ws')) throw new TypeError('Failed to fetch');
        return new Response('data: x', {headers: {'Content-Type': 'text/event-stream'}});
    };
    assert.equal((await asPage('http://localhost:5173', 'http://localhost:8080', stream))?.problem, 'websocket_blocked');
    const nobody = await asPage('http://localhost:5173', 'http://localhost:8080', async () => Promise.reject(new TypeError('Failed to fetch')));
    assert.equal(nobody?.problem, 'unreachable');
});

test('a page is told where its own server takes it for another’s, as behind a proxy that drops the port', async () => {
    // Requests of a page to its own origin that only read do not name it.
    const answer = (status: number) => async (url: string, {method}: RequestInit) => {
        if (method) return json(status, 'forbidden', 'nginx needs proxy_set_header Host $http_host');
        if (url.endsWith('/ws')) return json(426, 'not_supported', 'this address speaks WebSocket');
        return new Response('data: x', {headers: {'Content-Type': 'text/event-stream'}});
    };
    const own = 'https://rt.test:8443';
    for (const sse of [false, true]) {
        const found = await asPage(own, own, answer(403), sse);
        assert.deepEqual([found?.problem, found?.status], ['refused', 403]);
        assert.match(found!.message, /\$http_host/);
    }
    assert.equal((await asPage(own, own, answer(404)))?.problem, 'websocket_blocked');
    assert.equal(await asPage(own, own, answer(404), true), undefined);
});

test('a page is told that its own policy keeps it from the server', async () => {
    const world = globalThis as {document?: EventTarget};
    const page = (world.document = new EventTarget());
    const heard = new Set<string>();
    page.addEventListener = function (this: EventTarget, name: string, handler: never) {
        heard.add(name);
        EventTarget.prototype.addEventListener.call(this, name, handler);
    };
    const forbid = async () => {
        page.dispatchEvent(new Event('securitypolicyviolation'));
        throw new TypeError('Failed to fetch');
    };
    try {
        const found = await asPage('http://localhost:5173', 'https://rt.test', forbid);
        assert.equal(found?.problem, 'policy');
        assert.match(found!.message, /connect-src has to name it, both as https:\/\/rt.test and as wss:\/\/rt.test/);
        assert.deepEqual([...heard], ['securitypolicyviolation']);
    } finally {
        delete world.document;
    }
});

test('a secure page is told that the server is not', async () => {
    const never = async () => assert.fail('asked');
    const found = await asPage('https://page.test', 'http://rt.test:8080', never as never);
    assert.equal(found?.problem, 'mixed_content');
    assert.match(found!.message, /https:/);
    const local = await asPage('https://page.test', 'http://localhost:8080', async () => json(403, 'forbidden', 'no'));
    assert.equal(local?.problem, 'refused');
});

test('a server that does not answer in time may have its connections held by other tabs', async () => {
    const hang = (_: string, {signal}: RequestInit) => new Promise<Response>((_resolve, reject) => signal!.addEventListener('abort', () => reject(signal!.reason)));
    const found = asPage('http://localhost:5173', 'http://localhost:8080', hang, true);
    await settle();
    await clock.tick(4_000);
    assert.equal((await found)?.problem, 'no_answer');
    assert.match((await found)!.message, /six connections/);
});

test('a WebSocket that fails with an error alone has ended; one that goes on to close says with which code', async () => {
    const network = new FakeNetwork({transport: 'websocket'});
    const client = await network.connect();
    const {socket} = network;
    Object.assign(socket, {readyState: 3});
    socket.onerror!({});
    assert.equal(client.state.name, 'connecting');
    await clock.tick(0);
    assert.equal(reasonOf(client)?.name, 'abnormal');
    socket.drop(1011);
    assert.deepEqual(network.stateNames, ['connecting', 'waiting']);
    client.reconnectNow();
    Object.assign(network.socket, {readyState: 3});
    network.socket.onerror!({});
    network.socket.drop(1011);
    await clock.tick(0);
    assert.equal(reasonOf(client)?.code, 1011);
    client.close();
});

test('a bare 1000 is not the server’s word: the client comes back', async () => {
    for (const code of [1000, 1001, 1005, 1011, 1012, 3000, 4499]) {
        const {client, network} = await opened();
        network.socket.drop(code);
        assert.equal(client.state.name, 'waiting', `${code}`);
        client.close();
    }
    for (const frame of ['{"op":"close","code":1000,"reconnect":false}', undefined]) {
        const {client, network} = await opened();
        if (frame) network.socket.receive(frame);
        else network.socket.drop(4500);
        assert.equal(client.state.name, 'closed');
        client.close();
    }
});

/** The events of a page, for the length of a test. */
function pageOf(t: TestContext): EventTarget {
    const world = globalThis as unknown as {addEventListener?: unknown; removeEventListener?: unknown};
    const page = new EventTarget();
    world.addEventListener = page.addEventListener.bind(page);
    world.removeEventListener = page.removeEventListener.bind(page);
    t.after(() => {
        delete world.addEventListener;
        delete world.removeEventListener;
    });
    return page;
}

test('a page that goes ends its connection, and one that is shown again comes back at once', async (t) => {
    const page = pageOf(t);
    const goes = (persisted: boolean) => page.dispatchEvent(Object.assign(new Event('pagehide'), {persisted}));
    const {client, network} = await opened();
    void held(client.channel('a').publish('t', 'last words'));
    goes(false);
    assert.equal(network.socket.closedWith, 1000);
    // A message that was published in the same go is not left behind.
    assert.equal(network.socket.last('publish').payload, 'last words');
    assert.equal(client.state.name, 'waiting');
    page.dispatchEvent(Object.assign(new Event('pageshow'), {persisted: true}));
    assert.equal(client.state.name, 'connecting');
    assert.equal(network.sockets.length, 2);
    client.close();

    const sse = new FakeNetwork({transport: 'sse'});
    const other = await sse.connect();
    sse.stream.receive('{"op":"stream","connection":"c"}');
    goes(true);
    assert.equal(sse.stream.closed, true);
    other.close();
});

test('a transport that ended without an event is noticed when the page may have lost it', async (t) => {
    const page = pageOf(t);
    for (const event of ['beforeunload', 'pagehide', 'focus', 'visibilitychange']) {
        const network = new FakeNetwork({transport: 'sse'});
        const client = await network.connect();
        network.stream.receive('{"op":"stream","connection":"c"}');
        await settle();
        network.stream.receive(welcomeFor(JSON.parse(network.posts[0]!.body.split('\n')[0]!)));
        assert.equal(client.state.name, 'open');
        page.dispatchEvent(new Event(event));
        await clock.tick(0);
        assert.equal(client.state.name, 'open', event);
        // It ends some moments after the event.
        Object.assign(network.stream, {readyState: 2});
        await clock.tick(1_000);
        assert.equal(client.state.name, 'waiting', event);
        client.close();
    }
});
