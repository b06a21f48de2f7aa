import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {Message} from '../src/client/message.js';
import {fromBase64, toBase64} from '../src/base/payload.js';
import {customStorage} from '../src/storage.js';
import {handle} from '../src/requests.js';
import {checked} from '../src/schema.js';
import {accept, binaryMessage, FakeNetwork, held, opened, publication, settle, welcomeFor} from './fake_network.js';

const bytes = Uint8Array.of(0, 10, 255, 123, 34, 13);
const base64 = 'AAr/eyIN';
const text = (data: Uint8Array) => new TextDecoder().decode(data);

async function reading() {
    const {client, network} = await opened();
    const channel = client.channel('room');
    const messages: Message[] = [];
    channel.on('*', (_, message) => messages.push(message));
    await settle();
    await accept(network.socket, 'room');
    return {client, network, channel, messages};
}

const head = (offset: number, more = '') => `{"type":"t","channel":"room","offset":${offset},"time":1764000000000${more}`;

test('base64 there and back, however long', () => {
    for (const size of [0, 1, 2, 3, 8191, 8192, 8193, 100_000]) {
        const all = Uint8Array.from({length: size}, (_, i) => i * 7);
        assert.equal(toBase64(all), Buffer.from(all).toString('base64'));
        assert.deepEqual(fromBase64(toBase64(all)), all);
    }
});

test('bytes leave in a binary message, in the order of what is published', async () => {
    const {client, network} = await opened();
    const channel = client.channel('room');
    const before = held(channel.publish('t', 1));
    const publish = held(channel.publish('file.part', bytes));
    const after = held(channel.publish('t', 2));
    await settle();
    const {messages, binaryMessages} = network.socket;
    assert.equal(binaryMessages.length, 1);
    const sent = binaryMessages[0]!;
    const line = text(sent.subarray(0, sent.indexOf(10)));
    assert.match(line, /^{"op":"publish","id":\d+,"key":"[^"]+","channel":"room","type":"file.part","bytes":6}$/);
    assert.deepEqual(sent.subarray(sent.indexOf(10) + 1), bytes);
    assert.match(messages.at(-2)!, /"payload":1}$/);
    assert.match(messages.at(-1)!, /"payload":2}$/);
    const {id} = JSON.parse(line) as {id: number};
    network.socket.receive({op: 'published', id, channel: 'room', epoch: 'e1', offset: 7});
    assert.deepEqual(await publish, {epoch: 'e1', offset: 7});
    client.close();
    await Promise.allSettled([before, after]);
});

test('every kind of bytes is taken, as it is when it is published', async () => {
    const {client, network} = await opened();
    const channel = client.channel('room');
    const mine = bytes.slice();
    const long = Uint8Array.of(9, ...bytes, 9);
    void held(channel.publish('a', mine));
    mine.fill(0);
    void held(channel.publish('b', bytes.buffer.slice(0)));
    void held(channel.publish('c', new DataView(long.buffer, 1, 6)));
    void held(channel.publish('d', new Uint8Array()));
    void held(channel.publish('e', new Blob([bytes])));
    await settle();
    await settle();
    const payloads = network.socket.binaryMessages.map((sent) => sent.subarray(sent.indexOf(10) + 1));
    assert.deepEqual(payloads, [bytes, bytes, bytes, new Uint8Array(), bytes]);
    client.close();
});

test('bytes inside of JSON are refused as before', async () => {
    const {client} = await opened();
    await assert.rejects(client.channel('room').publish('t', {file: bytes}), {code: 'invalid_argument', pointer: '/file'});
    client.close();
});

test('more than the server takes are refused here', async () => {
    const {client, network} = await opened();
    await assert.rejects(client.channel('room').publish('t', new Uint8Array(65_536)), {code: 'too_large'});
    assert.equal(network.socket.binaryMessages.length, 0);
    client.close();
});

test('a binary message: bytes, and lines among them', async () => {
    const {client, network, channel, messages} = await reading();
    network.socket.receiveBinary(
        `${head(1)},"bytes":6}\n`, bytes, `${head(2)},"payload":"ä"}\n`, `${head(3, ',"user":"ann"')},"bytes":0}\n`, `${head(4)},"bytes":6}\n`, bytes,
    );
    assert.deepEqual(messages.map(({offset, payload, raw}) => [offset, payload, raw]), [
        [1, bytes, ''], [2, 'ä', '"ä"'], [3, new Uint8Array(), ''], [4, bytes, ''],
    ]);
    assert.equal(messages[2]!.user, 'ann');
    assert.equal(messages[2]!.time, 1764000000000);
    // Small ones are copies, so that whoever transfers one takes nothing from the others.
    assert.notEqual((messages[0]!.payload as Uint8Array).buffer, (messages[3]!.payload as Uint8Array).buffer);
    const large = new Uint8Array(1000);
    const message = binaryMessage(`${head(5)},"bytes":1000}\n`, large);
    network.socket.onmessage!({data: message});
    assert.equal((messages[4]!.payload as Uint8Array).buffer, message);
    assert.deepEqual(messages[4]!.payload, large);
    assert.deepEqual(structuredClone(messages[0]), messages[0]);
    assert.deepEqual(channel.position, {epoch: 'e1', offset: 5});
    client.close();
});

test('a transient message and an excepted one', async () => {
    const {client, network, channel, messages} = await reading();
    const {session} = client;
    network.socket.receiveBinary(
        '{"type":"t","channel":"room","time":1764000000000,"bytes":6}\n', bytes, `${head(1, `,"except":"${session}"`)},"bytes":6}\n`, bytes,
    );
    network.socket.receiveBinary(`${head(2)},"bytes":6}\n`, bytes);
    assert.deepEqual(messages.map(({offset, payload}) => [offset, payload]), [[undefined, bytes], [2, bytes]]);
    assert.equal(channel.position!.offset, 2);
    client.close();
});

test('base64 in a text message is bytes', async () => {
    const {client, network, messages} = await reading();
    network.socket.receive(`${head(1)},"binary":true,"payload":"${base64}"}`, publication('room', 2, base64), `${head(3)},"binary":true,"payload":""}`);
    assert.deepEqual(messages.map(({payload}) => payload), [bytes, base64, new Uint8Array()]);
    client.close();
});

test('history, also beside others', async () => {
    const {client, network} = await opened();
    const page = client.channel('room').history();
    await settle();
    const {id} = network.socket.last('history');
    const messages = `[${head(1)},"binary":true,"payload":"${base64}"},${head(2)},"payload":{"binary":true}}]`;
    network.socket.receive(`{"op":"history","id":${id},"channel":"room","epoch":"e1","offset":2,"more":false,"payload":${messages}}`);
    const [first, second] = (await page).messages;
    assert.deepEqual(first, {type: 't', channel: 'room', offset: 1, time: 1764000000000, replayed: true, payload: bytes, raw: ''});
    assert.equal(second!.raw, '{"binary":true}');
    client.close();
});

test('a request of bytes, and its answer', async () => {
    const {client, network} = await opened();
    const answer = client.request('reverse', bytes);
    await settle();
    const sent = network.socket.binaryMessages[0]!;
    const [, id] = /"id":(\d+)/.exec(text(sent))!;
    assert.match(text(sent.subarray(0, sent.indexOf(10))), /^{"op":"request",.*"type":"reverse","bytes":6}$/);
    network.socket.receiveBinary(`{"op":"response","id":${id},"bytes":6}\n`, bytes);
    assert.deepEqual(await answer, bytes);
    client.close();
});

test('another client asks with bytes, and gets some', async () => {
    const {client, network, channel} = await reading();
    let asked: unknown;
    handle(channel, 't', (payload) => (asked = payload));
    network.socket.receiveBinary('{"op":"request","request":3,"channel":"room","from":"p0LmAbCdEfGhIjKl","type":"t","timeout_ms":5000,"bytes":6}\n', bytes);
    await settle();
    assert.deepEqual(asked, bytes);
    const sent = network.socket.binaryMessages[0]!;
    assert.equal(text(sent.subarray(0, sent.indexOf(10))), '{"op":"respond","request":3,"bytes":6}');
    assert.deepEqual(sent.subarray(sent.indexOf(10) + 1), bytes);
    client.close();
});

test('over SSE bytes leave and come as base64', async () => {
    const network = new FakeNetwork({transport: 'sse'});
    const client = await network.connect();
    network.stream.receive('{"op":"stream","connection":"kT0v_-1"}');
    await settle();
    network.posts[0]!.answer(204);
    network.stream.receive(welcomeFor(JSON.parse(network.posts[0]!.body)));
    await settle();
    const published = held(client.channel('room').publish('t', bytes));
    await settle();
    assert.match(network.posts.at(-1)!.body, new RegExp(`"type":"t","binary":true,"payload":"${base64}"}$`));
    client.close();
    await Promise.allSettled([published]);
});

test('kept on a disk, and sent by the next page', async () => {
    const kept = new Map<string, any>();
    const store = () => customStorage({
        open: async (_scope, _owner, adopt) => adopt([...kept.values()].map((message) => JSON.parse(JSON.stringify(message)))),
        put: async (messages) => messages.forEach((message) => kept.set(message.key, message)),
        remove: async (keys) => keys.forEach((key) => kept.delete(key)),
        position: () => undefined,
        savePositions: () => {},
        close: async () => {},
    });
    const first = await opened({storage: store()});
    const lost = held(first.client.channel('room').publish('t', bytes));
    await settle();
    first.client.close();
    await Promise.allSettled([lost]);
    assert.deepEqual([...kept.values()].map(({payload, binary}) => [payload, binary]), [[base64, true]]);
    const second = await opened({storage: store()});
    await settle();
    assert.deepEqual(second.client.unsent.map(({payload}) => payload), [bytes]);
    const sent = second.network.socket.binaryMessages[0]!;
    assert.deepEqual(sent.subarray(sent.indexOf(10) + 1), bytes);
    second.client.close();
});

test('a schema sees the bytes', async () => {
    const {client, network} = await opened();
    const isBytes = {'~standard': {version: 1, vendor: 'test', validate: (value: unknown) => (value instanceof Uint8Array ? {value} : {issues: [{message: 'no bytes'}]})}} as const;
    const channel = checked(client.channel('room'), {t: isBytes});
    void held(channel.publish('t', bytes));
    await settle();
    assert.equal(network.socket.binaryMessages.length, 1);
    void held(channel.publish('t', new Blob([bytes])));
    void held(channel.publish('t', bytes.buffer.slice(0)));
    await settle();
    await settle();
    assert.equal(network.socket.binaryMessages.length, 3);
    await assert.rejects(channel.publish('t', 'text' as any), {code: 'invalid_payload'});
    client.close();
});
