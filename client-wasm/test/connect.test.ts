import assert from 'node:assert/strict';
import {afterEach, beforeEach, test} from 'node:test';
import {connect} from '../src/index.js';
import {PulsewireError} from '../src/base/errors.js';
import type {ConnectionState} from '../src/client/events.js';
import {accept, entered, fakeClock, FakeNetwork, held, opened, publication, settle} from './fake_network.js';

let clock: ReturnType<typeof fakeClock>;
beforeEach(() => {
    clock = fakeClock();
});
afterEach(() => clock.restore());

const waiting = (network: FakeNetwork) => {
    const state = network.states.at(-1)!;
    assert.equal(state.name, 'waiting');
    return state as Extract<ConnectionState, {name: 'waiting'}>;
};

test('the endpoints stand below the base address, with the matching schemes', async () => {
    const cases = {
        'http://a.test': 'ws://a.test/ws',
        'https://a.test/': 'wss://a.test/ws',
        'https://a.test:8443/rt': 'wss://a.test:8443/rt/ws',
        'https://a.test/rt//': 'wss://a.test/rt/ws',
        'ws://a.test/deep/er/': 'ws://a.test/deep/er/ws',
        'wss://a.test': 'wss://a.test/ws',
    };
    for (const [url, expected] of Object.entries(cases)) {
        const network = new FakeNetwork();
        const client = await network.connect(url);
        assert.equal(network.socket.url, expected);
        assert.equal(network.socket.protocol, 'pulsewire.v1');
        client.close();
    }
});

test('an address that is none is refused at once with invalid_argument', () => {
    for (const url of ['', 'rt.example.com', 'ftp://a.test', 'mailto:x@y.z']) {
        assert.throws(() => connect(url, new FakeNetwork().options), (error: PulsewireError) => error.code === 'invalid_argument');
    }
});

test('the default address is the origin of the page', async () => {
    Object.assign(globalThis, {location: {origin: 'https://page.test'}});
    const network = new FakeNetwork();
    const client = connect(undefined, network.options);
    await entered(client, 'connecting');
    assert.equal(network.socket.url, 'wss://page.test/ws');
    client.close();
    Reflect.deleteProperty(globalThis, 'location');
});

test('an environment without any transport is told which option helps', () => {
    assert.throws(
        () => connect('http://a.test', {WebSocket: undefined, EventSource: undefined, transport: 'sse'}),
        (error: PulsewireError) => error.code === 'invalid_argument' && /EventSource/.test(error.message),
    );
});

test('connect goes first, then the state is open', async () => {
    const network = new FakeNetwork();
    const client = await network.connect();
    assert.deepEqual(client.state, {name: 'connecting', attempt: 1, transport: 'websocket'});
    network.socket.open();
    await settle();
    assert.match(network.socket.messages[0]!, /^\{"op":"connect","version":1,"session":"[0-9a-v]{26}","binary":true\}$/);
    assert.equal(client.session, '', 'the server tells it');
    await network.welcome();
    assert.equal(client.session, network.socket.sent[0]!.session);
    assert.deepEqual(client.state, {name: 'open', transport: 'websocket', session: client.session});
    assert.deepEqual(network.stateNames, ['connecting', 'open']);
    client.close();
});

test('two clients of one page have a session and a connection each', async () => {
    const one = await opened();
    const two = await opened();
    assert.notEqual(one.client.session, two.client.session);
    one.client.close();
    assert.equal(one.client.state.name, 'closed');
    assert.equal(two.client.state.name, 'open');
    two.client.close();
});

test('a lost connection comes back after a random delay below the bounds, and the bounds double', async () => {
    const {client, network} = await opened({backoffMinMs: 400, backoffMaxMs: 2000, transport: 'websocket'});
    for (const bound of [400, 800, 1600, 2000, 2000]) {
        network.socket.drop();
        const {retryInMs, retryAt, reason} = waiting(network);
        assert.ok(retryInMs >= 100 && retryInMs <= bound, `${retryInMs} of ${bound}`);
        assert.equal(retryAt, Date.now() + retryInMs);
        assert.deepEqual(reason, {code: 1006, name: 'abnormal', message: 'The connection ended: abnormal (1006).', reconnect: true});
        const sockets = network.sockets.length;
        await clock.tick(retryInMs - 1);
        assert.equal(network.sockets.length, sockets);
        await clock.tick(1);
        assert.equal(network.sockets.length, sockets + 1);
        assert.equal(client.state.name, 'connecting');
    }
    client.close();
});

test('after a reconnect the channel goes on where it was and nothing arrives twice', async () => {
    const {client, network} = await opened();
    const seen: number[] = [];
    const channel = client.channel('chat:42');
    channel.on('chat.message', (_, {offset}) => seen.push(offset!));
    const begun: unknown[] = [];
    channel.watch('subscribed', (event) => begun.push(event));
    await settle();
    await accept(network.socket, 'chat:42', {offset: 3});
    network.socket.receive(publication('chat:42', 4, 'a'), publication('chat:42', 5, 'b'));
    assert.deepEqual(channel.position, {epoch: 'e1', offset: 5});

    network.socket.drop();
    assert.equal(channel.state, 'subscribed');
    await clock.tick(waiting(network).retryInMs);
    await network.welcome();
    assert.equal(network.socket.messages[1], `{"op":"subscribe","id":${network.socket.last('subscribe').id},"channel":"chat:42","epoch":"e1","offset":5}`);
    await accept(network.socket, 'chat:42', {offset: 5, replay: 1, recovered: true});
    network.socket.receive(publication('chat:42', 6, 'c'), publication('chat:42', 6, 'c'), publication('chat:42', 7, 'd'));
    assert.deepEqual(seen, [4, 5, 6, 7]);
    assert.deepEqual(begun, [
        {position: {epoch: 'e1', offset: 3}, recovered: undefined, reason: undefined},
        {position: {epoch: 'e1', offset: 5}, recovered: true, reason: undefined},
    ]);
    client.close();
});

test('what the server says when it ends a connection is the reason, and its moment to return is kept', async () => {
    const {client, network} = await opened();
    network.socket.receive('{"op":"close","code":1012,"reconnect":true,"after_ms":1700,"message":"the server \\"restarts\\" \\u2014 soon"}');
    const {retryInMs, reason} = waiting(network);
    assert.equal(retryInMs, 1700);
    assert.deepEqual(reason, {code: 1012, name: 'service_restart', message: 'the server "restarts" — soon', reconnect: true});
    client.close();
});

test('the server may send the client to another address, never from a secure one to an open one', async () => {
    const cases = {
        'wss://b.test/rt': 'wss://b.test/rt/ws',
        'https://b.test': 'wss://b.test/ws',
        'ws://b.test': undefined,
        'http://b.test': undefined,
        'ftp://b.test': undefined,
        'b.test': undefined,
    };
    for (const [url, expected] of Object.entries(cases)) {
        const network = new FakeNetwork({transport: 'websocket'});
        const client = await network.connect('https://a.test');
        await network.welcome();
        network.socket.receive({op: 'close', code: 1012, reconnect: true, after_ms: 5, url, message: 'the server restarts'});
        const before = network.sockets.length;
        await clock.tick(5);
        assert.deepEqual(network.sockets.slice(before).map((socket) => socket.url), expected ? [expected] : []);
        if (expected) network.socket.drop();
        // Where the other address is not acceptable, or does not open, it is back to its own.
        await clock.tick(20_000);
        assert.equal(network.socket.url, 'wss://a.test/ws', url);
        client.close();
    }
});

test('a final close code ends the client with its reason', async () => {
    const {client, network} = await opened();
    const closed: ConnectionState[] = [];
    client.on('closed', (state) => closed.push(state));
    network.socket.drop(4502);
    assert.equal(client.state.name, 'closed');
    assert.deepEqual(closed, [{name: 'closed', reason: {code: 4502, name: 'unauthorized', message: 'The connection ended: unauthorized (4502).', reconnect: false}}]);
    await assert.rejects(client.request('sum.add'), {code: 'closed'});
    await clock.tick(60_000);
    assert.equal(network.sockets.length, 1);
});

test('a close code of a later version is named unknown and its range says whether to come back', async () => {
    const {client, network} = await opened();
    network.socket.drop(4321);
    assert.equal(waiting(network).reason.name, 'unknown');
    client.close();
});

test('attemptsMax ends the attempts', async () => {
    const network = new FakeNetwork({attemptsMax: 2, transport: 'websocket'});
    const client = await network.connect();
    network.socket.drop();
    await clock.tick(waiting(network).retryInMs);
    network.socket.drop();
    assert.equal(client.state.name, 'closed');
    assert.deepEqual(network.stateNames, ['connecting', 'waiting', 'connecting', 'closed']);
});

test('a transport without a welcome is given up after openTimeoutMs', async () => {
    const network = new FakeNetwork({openTimeoutMs: 3000, transport: 'websocket'});
    const client = await network.connect();
    network.socket.open();
    await clock.tick(2999);
    assert.equal(client.state.name, 'connecting');
    await clock.tick(1);
    assert.equal(client.state.name, 'waiting');
    assert.notEqual(network.socket.closedWith, undefined);
    client.close();
});

test('a silent connection is replaced', async () => {
    const {client, network} = await opened();
    await clock.tick(32_999);
    assert.equal(client.state.name, 'open');
    await clock.tick(1);
    assert.equal(waiting(network).reason.name, 'no_pong');
    assert.equal(network.socket.closedWith, 4001);
    client.close();
});

/** In steps, so that what is due on the way sees the time at which it is. */
async function pass(ms: number): Promise<void> {
    for (const step = 250; ms > 0; ms -= step) await clock.tick(Math.min(step, ms));
}

/** A client with a subscription, and its server's next publication. */
async function subscribed() {
    const {client, network} = await opened();
    client.channel('a').on('t', () => {});
    await settle();
    await accept(network.socket, 'a');
    let offset = 0;
    return {client, network, publish: () => network.socket.receive(`{"type":"t","channel":"a","offset":${++offset},"time":1764000000000,"payload":1}`)};
}

test('a connection on which publications come is not silent; when none does any more, it is noticed a second later at most', async () => {
    const {client, network, publish} = await subscribed();
    await pass(20_100);
    publish();
    await pass(500);
    publish();
    await pass(20_000);
    publish();
    await pass(32_999);
    assert.equal(client.state.name, 'open');
    await pass(1001);
    assert.equal(waiting(network).reason.name, 'no_pong');
    client.close();
});

test('a page that was asleep while publications came keeps its connection', async () => {
    const {client, publish} = await subscribed();
    await pass(32_500);
    publish();
    // Silence is due before the machine is told of the publication, and both before this.
    await clock.tick(30_000);
    assert.equal(client.state.name, 'open');
    client.close();
});

test('a ping is answered', async () => {
    const {client, network} = await opened();
    network.socket.receive({op: 'ping'});
    await settle();
    assert.equal(network.socket.messages.at(-1), '{"op":"pong"}');
    client.close();
});

test('reconnectNow does not wait any longer', async () => {
    const {client, network} = await opened();
    network.socket.drop();
    assert.equal(network.sockets.length, 1);
    client.reconnectNow();
    assert.equal(network.sockets.length, 2);
    assert.equal(client.state.name, 'connecting');
    client.close();
});

test('online, pageshow and a page that becomes visible end the wait; a hidden page does not', async () => {
    const page = new EventTarget();
    const {addEventListener, removeEventListener} = globalThis;
    Object.assign(globalThis, {
        addEventListener: page.addEventListener.bind(page),
        removeEventListener: page.removeEventListener.bind(page),
        document: {visibilityState: 'visible'},
    });
    try {
        const {client, network} = await opened();
        for (const event of ['online', 'pageshow', 'visibilitychange']) {
            network.socket.drop();
            assert.equal(client.state.name, 'waiting');
            page.dispatchEvent(new Event(event));
            assert.equal(client.state.name, 'connecting', event);
        }
        network.socket.drop();
        Object.assign(globalThis, {document: {visibilityState: 'hidden'}});
        page.dispatchEvent(new Event('visibilitychange'));
        assert.equal(client.state.name, 'waiting');
        client.close();
        const sockets = network.sockets.length;
        page.dispatchEvent(new Event('online'));
        assert.equal(network.sockets.length, sockets);
    } finally {
        Object.assign(globalThis, {addEventListener, removeEventListener});
        Reflect.deleteProperty(globalThis, 'document');
    }
});

test('while open, news of the network makes the client ask whether the connection lives', async () => {
    const {client, network} = await opened();
    client.reconnectNow();
    await settle();
    assert.equal(network.socket.messages.at(-1), '{"op":"ping"}');
    await clock.tick(5000);
    assert.equal(waiting(network).reason.name, 'no_pong');
    client.close();
});

test('close() ends everything before it returns, and only once', async () => {
    const {client, network} = await opened();
    const request = held(client.request('sum.add', {a: 1}));
    const publish = held(client.channel('chat:1').publish('t', 1));
    await settle();
    client.close();
    assert.equal(client.state.name, 'closed');
    client.close();
    assert.deepEqual(network.states.at(-1), {name: 'closed', reason: {code: 1000, name: 'client_closed', message: 'close() was called.', reconnect: false}});
    assert.deepEqual(network.stateNames, ['connecting', 'open', 'closed']);
    assert.equal(network.socket.closedWith, 1000);
    await assert.rejects(request, {name: 'PulsewireError', code: 'closed', message: 'The client was closed.'});
    await assert.rejects(client.request('sum.add'), {code: 'closed', message: 'The client is closed: close() was called.'});
    await assert.rejects(publish, {code: 'closed'});
    await assert.rejects(client.channel('chat:1').publish('t', 1), {code: 'closed'});
    await assert.rejects(client.channel('chat:1').history(), {code: 'closed'});
});

test('close() before WebAssembly has started rejects what was queued and opens nothing', async () => {
    const network = new FakeNetwork();
    const client = connect('http://a.test', network.options);
    const publish = held(client.channel('chat:1').publish('t', 1));
    client.close();
    assert.equal(client.state.name, 'closed');
    await assert.rejects(publish, {code: 'closed'});
    await entered(connect('http://a.test', network.options), 'connecting');
    assert.equal(network.sockets.length, 1);
});

test('the signal of connect() closes the client, also one that is aborted already', async () => {
    const abort = new AbortController();
    const {client} = await opened({signal: abort.signal});
    abort.abort();
    assert.equal(client.state.name, 'closed');
    assert.equal(connect('http://a.test', {...new FakeNetwork().options, signal: abort.signal}).state.name, 'closed');
});

test('what is sent right before close() still leaves', async () => {
    const {client, network} = await opened();
    const publish = held(client.channel('chat:1').publish('t', 'bye'));
    client.close();
    assert.equal(network.socket.last('publish').payload, 'bye');
    await assert.rejects(publish, {code: 'closed'});
});

test('a handler that throws is reported and harms neither the client nor other handlers', async () => {
    const {client, network} = await opened();
    const calls: string[] = [];
    client.on('waiting', () => {
        throw new Error('in a handler');
    });
    client.on('state', ({name}) => calls.push(name));
    network.socket.drop();
    assert.deepEqual(calls, ['waiting']);
    assert.equal(network.errors.length, 1);
    assert.equal((network.errors[0]![0] as Error).message, 'in a handler');
    assert.equal(network.errors[0]![1], 'a handler for "waiting" of the client');
    await clock.tick(waiting(network).retryInMs);
    await network.welcome();
    assert.equal(client.state.name, 'open');
    client.close();
});

test('an onError that throws harms nothing either', async (t) => {
    const log = t.mock.method(console, 'error', () => {});
    const {client, network} = await opened({
        onError: () => {
            throw new Error('in onError');
        },
    });
    client.on('waiting', () => {
        throw new Error('in a handler');
    });
    network.socket.drop();
    assert.equal(client.state.name, 'waiting');
    assert.equal(log.mock.callCount(), 1);
    client.close();
});

test('states are told in order, also when a handler changes the state', async () => {
    const {client, network} = await opened();
    const seen: [string, string][] = [];
    client.on('state', ({name}) => {
        if (name === 'waiting') {
            client.reconnectNow();
            assert.equal(client.state.name, 'waiting', 'not before this handler is done');
        }
        if (name === 'connecting') client.close();
    });
    client.on('state', ({name}) => seen.push([name, client.state.name]));
    network.socket.drop();
    assert.deepEqual(seen, [['waiting', 'waiting'], ['connecting', 'connecting'], ['closed', 'closed']]);
});

test('a removed handler is called no more; one function may be registered twice', async () => {
    const {client, network} = await opened();
    let calls = 0;
    const handler = () => {
        calls++;
    };
    const remove = client.on('state', handler);
    client.on('state', handler);
    remove();
    remove();
    network.socket.drop();
    assert.equal(calls, 1);
    client.close();
});

test('late news of an older transport are nobody’s business', async () => {
    const {client, network} = await opened();
    const old = {...network.socket, onmessage: network.socket.onmessage!, onclose: network.socket.onclose!};
    network.socket.drop();
    client.reconnectNow();
    await network.welcome();
    old.onclose({code: 1006});
    old.onmessage({data: '{"op":"close","code":1000}'});
    assert.equal(client.state.name, 'open');
    client.close();
});

test('what is no frame ends the connection, not the client', async () => {
    for (const nonsense of ['nonsense', '{"op":"welcome"', '[1]', '{"type":"a","channel":"b","offset":1,"payload":']) {
        const {client, network} = await opened();
        network.socket.receive(nonsense);
        assert.equal(waiting(network).reason.name, 'protocol_error', nonsense);
        client.close();
    }
});

test('a binary message that is no frame breaks the connection, as such a text does', async () => {
    const {client, network} = await opened();
    network.socket.onmessage!({data: new ArrayBuffer(3)});
    assert.notEqual(network.socket.closedWith, undefined);
    assert.equal(client.state.name, 'waiting');
    client.close();
});

test('a WebSocket that is refused at once is an attempt that failed', async () => {
    const network = new FakeNetwork({transport: 'websocket'});
    let attempts = 0;
    network.options.WebSocket = class {
        constructor() {
            attempts++;
            throw new DOMException('insecure', 'SecurityError');
        }
    } as never;
    const client = await network.connect();
    assert.equal(client.state.name, 'waiting');
    await clock.tick(waiting(network).retryInMs);
    assert.equal(attempts, 2);
    client.close();
});

test('an error of the server that answers nothing is reported', async () => {
    const {client, network} = await opened();
    network.socket.receive({op: 'error', code: 'malformed_json', message: 'byte 3'});
    assert.equal((network.errors[0]![0] as PulsewireError).code, 'malformed_json');
    assert.equal((network.errors[0]![0] as PulsewireError).message, 'byte 3');
    assert.equal(client.state.name, 'open');
    client.close();
});
