import assert from 'node:assert/strict';
import {afterEach, beforeEach, test} from 'node:test';
import {connect} from '../src/index.js';
import {PulsewireError} from '../src/base/errors.js';
import {entered, fakeClock, FakeNetwork, type FakeWebSocket, held, opened, publication, settle} from './fake_network.js';

let clock: ReturnType<typeof fakeClock>;
beforeEach(() => {
    clock = fakeClock();
});
afterEach(() => clock.restore());

const published = (socket: FakeWebSocket, offset = 19) => {
    const {id, channel} = socket.last('publish');
    socket.receive({op: 'published', id, channel, epoch: 'x7Qa', offset});
};

test('publish sends the frame of docs/protocol.md 4.9 and resolves with the position', async () => {
    const {client, network} = await opened();
    const promise = held(client.channel('chat:42').publish('chat.message', {text: 'hi'}));
    await settle();
    assert.equal(network.socket.messages.at(-1)!.replace(/-\d{1,20}-1"/, '-LIFE-1"'), `{"op":"publish","id":1,"key":"${client.session}-LIFE-1","channel":"chat:42","type":"chat.message","payload":{"text":"hi"}}`);
    published(network.socket);
    assert.deepEqual(await promise, {epoch: 'x7Qa', offset: 19});
    client.close();
});

test('the keys of a life have 64 random bits, drawn for secrets and all of them used', async (t) => {
    const lifeOf = async (...words: number[]) => {
        const drawn = t.mock.method(crypto, 'getRandomValues', (array: Uint32Array) => (array.set(words.slice(0, array.length)), array));
        const {client, network} = await opened();
        drawn.mock.restore();
        void held(client.channel('a').publish('t', 1));
        await settle();
        const {key} = network.socket.last('publish');
        client.close();
        assert.match(key, /^[\w.:-]{1,64}$/);
        return BigInt(key.slice(client.session.length + 1, -2));
    };
    assert.equal(await lifeOf(0xffffffff, 0xfffffffe), 0xfffffffe_ffffffffn);
    assert.equal(await lifeOf(1, 0), 1n);
    assert.equal(await lifeOf(0, 1), 1n << 32n);
});

test('echo false and transient stand in the frame; a transient one resolves with undefined', async () => {
    const {client, network} = await opened();
    const channel = client.channel('chat:42');
    const promise = held(channel.publish('chat.typing', null, {transient: true, echo: false}));
    await settle();
    assert.equal(network.socket.messages.at(-1), '{"op":"publish","id":1,"transient":true,"echo":false,"channel":"chat:42","type":"chat.typing","payload":null}');
    network.socket.receive({op: 'published', id: 1, channel: 'chat:42'});
    assert.equal(await promise, undefined);
    client.close();
});

test('lines of one go leave in one message, in order', async () => {
    const {client, network} = await opened();
    const before = network.socket.messages.length;
    for (let i = 0; i < 5; i++) void held(client.channel('a').publish('t', i));
    await settle();
    assert.equal(network.socket.messages.length, before + 1);
    assert.deepEqual(network.socket.sent.slice(-5).map(({payload}) => payload), [0, 1, 2, 3, 4]);
    client.close();
    await settle();
});

test('lines that are together too large for one message leave in several', async () => {
    const network = new FakeNetwork();
    const client = await network.connect();
    await network.welcome({message_bytes_max: 3000});
    for (const size of [380, 380, 380, 2000, 10]) void held(client.channel('a').publish('t', 'x'.repeat(size)));
    await settle();
    const sizes = network.socket.messages.slice(1).map((message) => message.length);
    assert.equal(sizes.length, 4);
    assert.ok(sizes.filter((size) => size > 1000).length === 1 && Math.max(...sizes) < 3000, String(sizes));
    client.close();
});

test('what is published offline leaves after the reconnect, once more with the same key if unanswered', async () => {
    const {client, network} = await opened();
    const channel = client.channel('a');
    const first = held(channel.publish('t', 'first'));
    await settle();
    const key = network.socket.last('publish').key;
    network.socket.drop();
    const second = held(channel.publish('t', 'second'));
    client.reconnectNow();
    await network.welcome();
    const again = network.socket.sent.filter(({op}) => op === 'publish');
    assert.deepEqual(again.map(({payload}) => payload), ['first', 'second']);
    assert.equal(again[0]!.key, key);
    for (const {id} of again) network.socket.receive({op: 'published', id, channel: 'a', epoch: 'e', offset: id});
    assert.deepEqual([await first, await second], [{epoch: 'e', offset: 1}, {epoch: 'e', offset: 2}]);
    client.close();
});

test('calls made before WebAssembly has started are done in order when it has', async () => {
    const network = new FakeNetwork();
    const client = connect('http://server.test', network.options);
    client.channel('a').on('*', () => {});
    const publish = held(client.channel('a').publish('t', 1));
    const request = held(client.request('r'));
    await entered(client, 'connecting');
    await network.welcome();
    assert.deepEqual(network.socket.sent.map(({op}) => op), ['connect', 'subscribe', 'publish', 'request']);
    published(network.socket);
    network.socket.receive('{"op":"response","id":2,"payload":7}');
    assert.deepEqual(await publish, {epoch: 'x7Qa', offset: 19});
    assert.equal(await request, 7);
    client.close();
});

test('a refused publish rejects with code, message and pointer', async () => {
    const {client, network} = await opened();
    const promise = held(client.channel('a').publish('t', {text: ''}));
    await settle();
    network.socket.receive('{"op":"error","id":1,"code":"invalid_payload","pointer":"/te\\"xt","message":"chat.message \\u201c/text\\u201d is empty"}');
    await assert.rejects(promise, (error: PulsewireError) => {
        assert.ok(error instanceof PulsewireError && error instanceof Error);
        assert.deepEqual([error.name, error.code, error.message, error.pointer, error.temporary], ['PulsewireError', 'invalid_payload', 'chat.message “/text” is empty', '/te"xt', false]);
        return true;
    });
    client.close();
});

test('temporary says whether trying again may help', () => {
    assert.equal(new PulsewireError('overloaded', '').temporary, true);
    assert.equal(new PulsewireError('forbidden', '').temporary, false);
});

test('what JSON cannot say is refused with invalid_argument', async () => {
    const {client, network} = await opened();
    const cycle: unknown[] = [];
    cycle.push(cycle);
    const throwing = {
        toJSON() {
            throw new Error('mine');
        },
    };
    for (const payload of [undefined, () => {}, Symbol('s'), 1n, cycle, throwing]) {
        await assert.rejects(client.channel('a').publish('t', payload), (error: PulsewireError) => error.code === 'invalid_argument' && /^The payload cannot be sent: ./.test(error.message));
    }
    await assert.rejects(client.request('r', 1n), {code: 'invalid_argument'});
    assert.equal(network.socket.sent.length, 1);
    client.close();
});

test('single surrogates cross as escapes, pairs as themselves', async () => {
    const {client, network} = await opened();
    void held(client.channel('a').publish('t', 'a\ud800b🎉'));
    await settle();
    assert.match(network.socket.messages.at(-1)!, /"payload":"a\\ud800b🎉"\}$/);
    client.close();
});

test('a payload that the server would not take is refused with too_large, by bytes', async () => {
    const network = new FakeNetwork();
    const client = await network.connect();
    const channel = client.channel('a');
    await assert.rejects(channel.publish('t', 'x'.repeat(65_536)), {code: 'too_large'});
    await network.welcome({message_bytes_max: 1000});
    void held(channel.publish('t', 'x'.repeat(800)));
    await settle();
    assert.equal(network.socket.last('publish').payload.length, 800);
    await assert.rejects(channel.publish('t', 'ü'.repeat(450)), {code: 'too_large', message: /902 bytes.* 1000\b/});
    await assert.rejects(channel.publish('t', '漢'.repeat(300)), {code: 'too_large', message: /902 bytes/});
    await assert.rejects(channel.publish('t', '🎉'.repeat(225)), {code: 'too_large', message: /902 bytes/});
    await assert.rejects(client.request('t', 'x'.repeat(900)), {code: 'too_large'});
    client.close();
});

test('no line that is sent is larger than the limit', async () => {
    const network = new FakeNetwork();
    const client = await network.connect();
    await network.welcome({message_bytes_max: 1000});
    const channel = client.channel('c'.repeat(255));
    let sent = 0;
    for (let size = 0; size < 1000; size++) {
        const promise = held(channel.publish('t'.repeat(64), 'x'.repeat(size), {echo: false}));
        promise.catch(() => {});
        await settle();
        if (network.socket.last('publish').payload.length !== size) break;
        sent = size;
        published(network.socket, size + 1);
    }
    assert.ok(sent > 400 && sent < 600, String(sent));
    assert.ok(Math.max(...network.socket.messages.map((message) => message.length)) <= 1000);
    client.close();
});

test('the outbox is bounded in messages and in bytes', async () => {
    const network = new FakeNetwork({outboxMessagesMax: 2, outboxBytesMax: 100});
    const client = await network.connect();
    const channel = client.channel('a');
    const both = [channel.publish('t', 'x'.repeat(50)), channel.publish('t', 'x')].map(held);
    await assert.rejects(channel.publish('t', 1), {code: 'outbox_full', message: /outboxMessagesMax/});
    await network.welcome();
    for (const {id} of network.socket.sent.filter(({op}) => op === 'publish')) network.socket.receive({op: 'published', id, channel: 'a', epoch: 'e', offset: id});
    await Promise.all(both);
    await assert.rejects(channel.publish('t', 'x'.repeat(99)), {code: 'outbox_full'});
    client.close();
});

test('a publish may have a deadline', async () => {
    const network = new FakeNetwork({transport: 'websocket'});
    const client = await network.connect();
    const promise = held(client.channel('a').publish('t', 1, {timeoutMs: 50}));
    await clock.tick(50);
    await assert.rejects(promise, {code: 'timeout', message: 'No answer came in time.'});
    await network.welcome();
    assert.equal(network.socket.sent.length, 1);
    client.close();
});

test('a transient publish without a connection fails at once', async () => {
    const network = new FakeNetwork();
    const client = await network.connect();
    await assert.rejects(client.channel('a').publish('t', 1, {transient: true}), {code: 'disconnected'});
    client.close();
});

test('a connection that leaves a publish unanswered is replaced, and the publish repeated', async () => {
    const {client, network} = await opened({commandTimeoutMs: 4000});
    const promise = held(client.channel('a').publish('t', 1));
    await clock.tick(4000);
    assert.equal(client.state.name, 'waiting');
    client.reconnectNow();
    await network.welcome();
    published(network.socket);
    assert.deepEqual(await promise, {epoch: 'x7Qa', offset: 19});
    client.close();
});

test('an answer is waited for longer while much arrives that may stand before it', async () => {
    for (const [bytes, waits] of [[16_000, true], [100, false]] as const) {
        const {client, network} = await opened();
        client.channel('a').on('t', () => {});
        await settle();
        const {id} = network.socket.last('subscribe');
        network.socket.receive({op: 'subscribed', id, channel: 'a', epoch: 'e', offset: 0, replay: 0});
        void held(client.channel('b').publish('t', 1));
        await settle();
        for (let offset = 1; offset <= 8; offset++) {
            await clock.tick(3000);
            network.socket.receive(publication('a', offset, 'x'.repeat(bytes), 't'));
        }
        assert.equal(client.state.name === 'open', waits, `after 24 s with ${bytes} bytes in each three`);
        client.close();
    }
});

test('request sends the frame of docs/protocol.md 4.12 and resolves with the answer', async () => {
    const {client, network} = await opened();
    const promise = held(client.request('sum.add', {a: 1, b: 2}, {timeoutMs: 5000}));
    await settle();
    assert.equal(network.socket.messages.at(-1), '{"op":"request","id":1,"timeout_ms":5000,"type":"sum.add","payload":{"a":1,"b":2}}');
    network.socket.receive('{"op":"response","id":1,"payload":{"sum":3}}');
    assert.deepEqual(await promise, {sum: 3});
    client.close();
});

test('a request without a payload sends null, and has the deadline of the options', async () => {
    const {client, network} = await opened({requestTimeoutMs: 700});
    const promise = held(client.request('time.now'));
    await settle();
    assert.equal(network.socket.messages.at(-1), '{"op":"request","id":1,"timeout_ms":700,"type":"time.now","payload":null}');
    await clock.tick(700);
    await assert.rejects(promise, {code: 'timeout'});
    network.socket.receive('{"op":"response","id":1,"payload":1}');
    assert.equal(client.state.name, 'open');
    client.close();
});

test('a large request is waited for longer by the time that it takes over a slow link, up to what the server allows', async () => {
    const {client, network} = await opened({requestTimeoutMs: 1000});
    const waits = async (payload: unknown, timeoutMs?: number) => {
        void held(client.request('sum.add', payload, timeoutMs ? {timeoutMs} : {}));
        await settle();
        return network.socket.last('request').timeout_ms;
    };
    assert.equal(await waits('x'.repeat(1000)), 1000);
    assert.equal(await waits('x'.repeat(60_000)), 59_000);
    assert.equal(await waits('x'.repeat(2046)), 3000);
    assert.equal(await waits('x'.repeat(60_000), 1000), 1000, 'one that a call names is taken as it is');
    client.close();
    const most = await opened({requestTimeoutMs: 119_000});
    void held(most.client.request('sum.add', 'x'.repeat(9000)));
    await settle();
    assert.equal(most.network.socket.last('request').timeout_ms, 120_000);
    most.client.close();
});

test('a request is not repeated: it fails with disconnected', async () => {
    const {client, network} = await opened();
    const promise = held(client.request('r'));
    await settle();
    network.socket.drop();
    await assert.rejects(promise, {code: 'disconnected', message: 'The connection ended before the answer came.'});
    client.close();
});

test('the answers come to those who asked, in whatever order', async () => {
    const {client, network} = await opened();
    const promises = [1, 2, 3].map((n) => held(client.request<string>('r', n)));
    await settle();
    const ids = network.socket.sent.filter(({op}) => op === 'request').map(({id}) => id);
    for (const i of [2, 0, 1]) network.socket.receive(`{"op":"response","id":${ids[i]},"payload":"${i}"}`);
    assert.deepEqual(await Promise.all(promises), ['0', '1', '2']);
    client.close();
});

test('an answer that is no JSON rejects its request alone', async () => {
    const {client, network} = await opened();
    const promise = held(client.request('r'));
    await settle();
    network.socket.receive('{"op":"response","id":1,"payload":{"a":}}');
    await assert.rejects(promise, SyntaxError);
    assert.equal(client.state.name, 'open');
    client.close();
});

test('history sends the frame of docs/protocol.md 4.14 and gives messages', async () => {
    const {client, network} = await opened();
    const channel = client.channel('chat:42');
    const promise = held(channel.history({limit: 50}));
    await settle();
    assert.equal(network.socket.messages.at(-1), '{"op":"history","id":1,"channel":"chat:42","limit":50,"backwards":true}');
    network.socket.receive('{"op":"history","id":1,"channel":"chat:42","epoch":"x7Qa","offset":19,"more":true,"payload":[{"type":"chat.message","offset":19,"time":5,"payload":{"text":"hi"}},{"type":"chat.message","offset":18,"time":4,"payload":null}]}');
    const {messages, more, position} = await promise;
    assert.equal(more, true);
    assert.deepEqual(position, {epoch: 'x7Qa', offset: 19});
    assert.deepEqual(messages.map(({channel: name, type, offset, time, payload, raw, replayed}) => [name, type, offset, time, payload, raw, replayed]), [
        ['chat:42', 'chat.message', 19, 5, {text: 'hi'}, '{"text":"hi"}', true],
        ['chat:42', 'chat.message', 18, 4, null, 'null', true],
    ]);
    client.close();
});

test('history reads since and until a time', async () => {
    const {client, network} = await opened();
    const channel = client.channel('a');
    const pages = [channel.history({since: new Date(1_764_000_000_000)}), channel.history({until: 1_764_000_000_001, limit: 3})].map(held);
    await settle();
    assert.deepEqual(network.socket.messages.at(-1)!.split('\n'), [
        '{"op":"history","id":1,"channel":"a","limit":100,"time":1764000000000}',
        '{"op":"history","id":2,"channel":"a","limit":3,"time":1764000000001,"backwards":true}',
    ]);
    client.close();
    await Promise.allSettled(pages);
});

test('history reads before and after an offset', async () => {
    const {client, network} = await opened();
    const pages = [client.channel('a').history({before: 7}), client.channel('a').history({after: 7, limit: 3}), client.channel('a').history({after: 0})].map(held);
    await settle();
    assert.deepEqual(network.socket.messages.at(-1)!.split('\n'), [
        '{"op":"history","id":1,"channel":"a","limit":100,"offset":7,"backwards":true}',
        '{"op":"history","id":2,"channel":"a","limit":3,"offset":7}',
        '{"op":"history","id":3,"channel":"a","limit":100}',
    ]);
    network.socket.receive('{"op":"history","id":2,"channel":"a","epoch":"e","offset":9,"more":false,"payload":[]}');
    assert.deepEqual(await pages[1], {messages: [], more: false, position: {epoch: 'e', offset: 9}});
    client.close();
    await Promise.allSettled(pages);
});

test('a page of history tells that what comes before it is gone', async () => {
    const {client, network} = await opened();
    const pages = [3, 9].map((after) => held(client.channel('a').history({after})));
    await settle();
    network.socket.receive(
        '{"op":"history","id":1,"channel":"a","epoch":"e","offset":9,"more":false,"missed":true,"payload":[{"type":"t","offset":8,"time":5,"payload":"\\"missed\\":true"}]}',
        '{"op":"history","id":2,"channel":"a","epoch":"e","offset":9,"more":false,"payload":[{"type":"t","offset":9,"time":5,"payload":{"missed":true}}]}',
    );
    assert.deepEqual((await Promise.all(pages)).map(({missed, more}) => [missed, more]), [[true, false], [undefined, false]]);
    client.close();
});

test('an AbortSignal ends publish, request and history, before and after they are sent', async () => {
    const {client, network} = await opened();
    const calls = (signal: AbortSignal) => [client.channel('a').publish('t', 1, {signal}), client.request('r', 1, {signal}), client.channel('a').history({signal})].map((call): Promise<unknown> => held<unknown>(call));
    const aborted = AbortSignal.abort('why');
    for (const promise of calls(aborted)) await assert.rejects(promise, {code: 'aborted', cause: 'why'});
    await settle();
    assert.equal(network.socket.sent.length, 1);

    const abort = new AbortController();
    const promises = calls(abort.signal);
    await settle();
    const {id} = network.socket.last('request');
    abort.abort();
    for (const promise of promises) await assert.rejects(promise, {name: 'PulsewireError', code: 'aborted'});
    await settle();
    assert.equal(network.socket.messages.at(-1), `{"op":"cancel","id":${id}}`);
    network.socket.receive({op: 'response', id, payload: 1});
    assert.equal(client.state.name, 'open');
    client.close();
});

test('an abort before WebAssembly has started withdraws the call', async () => {
    const network = new FakeNetwork();
    const client = connect('http://server.test', network.options);
    const started = entered(client, 'connecting');
    const abort = new AbortController();
    const promise = held(client.channel('a').publish('t', 1, {signal: abort.signal}));
    abort.abort();
    await assert.rejects(promise, {code: 'aborted'});
    await started;
    await network.welcome();
    assert.equal(network.socket.sent.length, 1);
    client.close();
});

test('a signal that outlives its calls keeps none of them', async () => {
    const {client, network} = await opened();
    const {signal} = new AbortController();
    let listeners = 0;
    const {addEventListener, removeEventListener} = signal;
    signal.addEventListener = (...args: unknown[]) => (listeners++, addEventListener.apply(signal, args as never));
    signal.removeEventListener = (...args: unknown[]) => (listeners--, removeEventListener.apply(signal, args as never));
    const promise = held(client.channel('a').publish('t', 1, {signal}));
    await settle();
    assert.equal(listeners, 1);
    published(network.socket);
    await promise;
    await settle();
    assert.equal(listeners, 0);
    client.close();
});

test('a message that something on the way finds too big fails, and those beside it get through', async () => {
    const {client, network} = await opened({transport: 'websocket'});
    const sent = ['x'.repeat(100), 'y'.repeat(5000), 'z'].map((text) => held(client.channel('a').publish('t', text)));
    await settle();
    for (let connection = 1; connection <= 3; connection++) {
        network.socket.drop(1009);
        client.reconnectNow();
        await network.welcome();
    }
    await assert.rejects(sent[1]!, {code: 'too_large'});
    // None of those that are left could be refused because of another.
    assert.deepEqual(network.socket.messages.slice(1).map((message) => message.split('\n').map((line) => JSON.parse(line).id)), [[1], [3]]);
    for (const id of [1, 3]) network.socket.receive({op: 'published', id, channel: 'a', epoch: 'e', offset: id});
    await Promise.all([sent[0], sent[2]]);
    client.close();
});
