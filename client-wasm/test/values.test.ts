// Values on their way: what JSON cannot carry is refused with its place, and a received message is a plain object.

import assert from 'node:assert/strict';
import {test} from 'node:test';
import {inspect} from 'node:util';
import type {PulsewireError} from '../src/base/errors.js';
import type {Message} from '../src/client/message.js';
import {handle, request} from '../src/requests.js';
import {accept, held, opened, publication, settle} from './fake_network.js';

class Secret {
    #value = 1;
    read() {
        return this.#value;
    }
}
const cycle: {self?: unknown} = {};
cycle.self = cycle;

/** A payload may be one of these, and may not hold one: test/bytes.test.ts. */
const refusedInside: [string, unknown, string?][] = [
    ['bytes', new Uint8Array(3)], ['a Float64Array', new Float64Array(2)], ['a DataView', new DataView(new ArrayBuffer(2))], ['an ArrayBuffer', new ArrayBuffer(2)],
    ['a Buffer', Buffer.from('abc')], ['a Blob', new Blob(['x'])],
];
const refusedValues: [string, unknown, string?][] = [
    ['a Map', new Map([['a', 1]])], ['a Set', new Set([1])], ['a WeakMap', new WeakMap()],
    ['a RegExp', /x/], ['an Error', new Error('lost')], ['a Promise', Promise.resolve()], ['a BigInt', 10n], ['a function', () => {}], ['a Symbol', Symbol('x')],
    ['NaN', NaN], ['Infinity', -Infinity], ['a boxed NaN', Object(NaN)], ['an invalid Date', new Date(NaN)], ['an object whose contents are private', new Secret()],
    ['a cycle', cycle, '/self'], ['URLSearchParams', new URLSearchParams('a=1')], ['Headers', new Headers()], ['a proxy of a Map', new Proxy(new Map(), {})],
];

test('a value that JSON cannot carry is refused with its place', async () => {
    const {client, network} = await opened();
    const channel = client.channel('a');
    for (const [name, value, inside = ''] of [...refusedValues, ...refusedInside]) {
        const refused = (pointer: string) => (error: PulsewireError) => error.code === 'invalid_argument' && (error.pointer ?? '') === pointer + inside;
        if (!refusedInside.some(([bytes]) => bytes === name)) await assert.rejects(channel.publish('t', value), refused(''), name);
        await assert.rejects(channel.publish('t', {list: [1, {'a/b~c': value}]}), refused('/list/1/a~1b~0c'), name);
        await assert.rejects(client.request('t', {it: value}), refused('/it'), name);
        assert.throws(() => client.channel('b', {presence: {info: value} as never}).on('*', () => {}), refused('/info'), name);
        client.channel('b', {presence: false});
    }
    await assert.rejects(channel.publish('t', undefined), {code: 'invalid_argument'});
    await assert.rejects(channel.publish('t', [1, undefined]), {pointer: '/1'});
    await assert.rejects(channel.publish('t', [1, , 3]), {pointer: '/1'});
    assert.equal(network.socket.sent.length, 1);
    client.close();
});

test('what JSON carries is sent as it is', async () => {
    const {client, network} = await opened();
    const shared = {x: 1};
    class Point {
        constructor(readonly x: number) {}
    }
    const values: [unknown, string][] = [
        [null, 'null'], [-0, '0'], ['', '""'], [[], '[]'], [{}, '{}'], [Object.create(null), '{}'], [{a: undefined, b: 1}, '{"b":1}'], [new Point(2), '{"x":2}'],
        [{at: new Date(0)}, '{"at":"1970-01-01T00:00:00.000Z"}'], [new URL('http://a.test'), '"http://a.test/"'], [[shared, shared], '[{"x":1},{"x":1}]'],
        [Object('text'), '"text"'], [{toString: 1, constructor: 2, hasOwnProperty: 3}, '{"toString":1,"constructor":2,"hasOwnProperty":3}'],
        [{toJSON: () => ({kind: 'own'})}, '{"kind":"own"}'], [new Proxy({a: [1]}, {}), '{"a":[1]}'],
    ];
    for (const [value] of values) void held(client.channel('a').publish('t', value));
    await settle();
    const sent = network.socket.messages.at(-1)!.split('\n').map((line) => /"payload":(.*)}$/.exec(line)![1]);
    assert.deepEqual(sent, values.map(([, text]) => text));
    client.close();
});

test('an answer to another client that JSON cannot carry is a failure of the handler', async () => {
    const {client, network} = await opened();
    const channel = client.channel('a');
    handle(channel, 't', () => new Map([['a', 1]]));
    await settle();
    await accept(network.socket, 'a');
    network.socket.receive({op: 'request', request: 3, channel: 'a', from: 'the-other-session', type: 't', payload: 1});
    await settle();
    assert.match(network.socket.messages.at(-1)!, /"code":"handler_failed"/);
    assert.match(String(network.errors[0]![0]), /Map/);
    client.close();
});

/** The same message by on(), watch() and a loop, and as the history gives it. */
async function received(text = '{"text":"hi"}'): Promise<Record<string, Message<any>>> {
    const {client, network} = await opened();
    const channel = client.channel('a');
    const got: Record<string, Message<any>> = {};
    const other = client.channel('b');
    other.on('t', (_, message) => (got.on = message));
    channel.watch('message', (message) => (got.watch = message));
    const next = channel.messages().next();
    await settle();
    await accept(network.socket, 'a');
    await accept(network.socket, 'b');
    for (const name of ['a', 'b']) network.socket.onmessage!({data: `{"type":"t","channel":"${name}","offset":1,"time":1764000000123,"payload":${text}}`});
    got.loop = (await next).value;
    const page = channel.history();
    await settle();
    network.socket.onmessage!({data: `{"op":"history","id":${network.socket.last('history').id},"channel":"a","epoch":"e1","offset":1,"more":false,"payload":[{"type":"t","offset":1,"time":1764000000123,"payload":${text}}]}`});
    got.history = (await page).messages[0]!;
    client.close();
    return got;
}

test('a message survives copies, stores, proxies and printing', async () => {
    for (const [how, message] of Object.entries(await received())) {
        const expected = {
            type: 't', channel: how === 'on' ? 'b' : 'a', offset: 1, time: 1764000000123, replayed: how === 'history', payload: {text: 'hi'}, raw: '{"text":"hi"}',
        };
        const proxy = new Proxy(message, {});
        assert.deepEqual([proxy.payload.text, proxy.time, proxy.raw], ['hi', expected.time, expected.raw], how);
        assert.deepEqual({...message}, expected, how);
        assert.deepEqual(structuredClone(message), expected, how);
        assert.deepEqual(JSON.parse(JSON.stringify(message)), expected, how);
        assert.deepEqual(Object.assign({}, message), expected, how);
        assert.equal(Object.getPrototypeOf(message), Object.prototype, how);
        assert.equal(message.payload, message.payload, how);
        assert.match(inspect(message), /payload: { text: 'hi' }/, how);
    }
});

test('a frozen message can be read', async () => {
    for (const message of Object.values(await received())) assert.deepEqual(Object.freeze(message).payload, {text: 'hi'});
});

test('raw is the text of the server, wherever the message comes from', async () => {
    for (const text of ['1.0', '[ 1 , {"a" : "}],{\\"payload\\":[" } ]', '"\\u0061"', '{"payload":{"payload":1},"more":[{"payload":2}]}', '12345678901234567890', '""', '[]']) {
        for (const [how, {raw, payload}] of Object.entries(await received(text))) {
            assert.equal(raw, text, how);
            assert.deepEqual(payload, JSON.parse(text), how);
        }
    }
});

test('each message of a page has its own text', async () => {
    const {client, network} = await opened();
    const page = client.channel('a').history();
    await settle();
    const {id} = network.socket.last('history');
    network.socket.receive(`{"op":"history","id":${id},"channel":"a","epoch":"e","offset":3,"more":false,"payload":[{"type":"t","offset":3,"time":5,"payload":{"a":[1.0]}},{"type":"u","offset":2,"time":5,"conflate":"k","payload":"x,y"},{"type":"u","offset":1,"time":5,"payload":7}]}`);
    assert.deepEqual((await page).messages.map(({raw}) => raw), ['{"a":[1.0]}', '"x,y"', '7']);
    client.close();
});

/** A proxy as frameworks make it: whatever is read of it is one as well. */
function deep<T extends object>(target: T): T {
    return new Proxy(target, {
        get(from, key, receiver) {
            const value = Reflect.get(from, key, receiver);
            return typeof value === 'object' && value !== null ? deep(value) : value;
        },
    });
}

for (const wrap of [<T extends object>(target: T) => new Proxy(target, {}), deep]) test(`a client and a channel work through a proxy${wrap === deep ? ' of all that they lead to' : ''}`, async () => {
    const {client: real, network} = await opened();
    const client = wrap(real);
    const channel = wrap(client.channel('a'));
    const seen: unknown[] = [];
    assert.deepEqual([client.state.name, client.session, client.unsent], ['open', real.session, []]);
    client.on('state', ({name}) => seen.push(name));
    channel.on('t', (payload) => seen.push(payload));
    channel.watch('gap', () => {});
    await settle();
    await accept(network.socket, 'a');
    network.socket.receive(publication('a', 1, 'x', 't'));
    assert.deepEqual([channel.state, channel.position, channel.members], ['subscribed', {epoch: 'e1', offset: 1}, []]);
    void held(channel.publish('t', 1));
    void held(channel.history());
    void held(client.request('t'));
    void held(request(channel, 'the-other-session', 't'));
    handle(channel, 'u', () => 1);
    const loop = channel.messages();
    await settle();
    assert.deepEqual(network.socket.sent.slice(-4).map(({op}) => op), ['publish', 'history', 'request', 'request']);
    channel.unsubscribe();
    assert.equal((await loop.next()).done, true);
    client.reconnectNow();
    client.close();
    assert.deepEqual(seen, ['x', 'closed']);
});
