// The entry pulsewire/state: a state that a reducer makes, on a real hub.

import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {Client} from '../src/client/client.js';
import {list, open} from '../src/list.js';
import {state, type StateOptions, type StateStore} from '../src/state.js';
import {cut, join} from '../src/state/parts.js';
import type {TestServer} from '../src/test.js';
import {accept, opened, publication, settle} from './fake_network.js';
import {clientOf, outcomeOf, stateServer} from './state_server.js';

interface Strokes {
    stroke: number;
}

const strokes: StateOptions<readonly number[], Strokes> = {
    initial: [],
    reduce: (drawn, {type, payload}) => (type === 'stroke' ? [...drawn, payload] : drawn),
    snapshot: {type: 'board.state'},
};

/** The state of a client on the channel, with what its listeners saw. */
function drawnBy(client: Client, options: Partial<typeof strokes> = {}): {store: StateStore<readonly number[]>; seen: (readonly number[])[]} {
    const store = state<readonly number[], Strokes>(client.channel<Strokes>('board:1'), {...strokes, ...options});
    const seen: (readonly number[])[] = [];
    store.subscribe(() => seen.push(store.value));
    return {store, seen};
}

const publish = (server: TestServer, ...numbers: number[]) => {
    for (const n of numbers) server.publish('board:1', 'stroke', n);
};
const upTo = (n: number) => Array.from({length: n}, (_, i) => i + 1);

test('without a snapshot the state is everything from the first message on, also beyond the history', async () => {
    const server = await stateServer();
    publish(server, ...upTo(20));
    const {store, seen} = drawnBy(clientOf(server).client);
    assert.deepEqual(store.value, []);
    await server.settled();
    await store.ready;
    assert.deepEqual([store.value, store.offset, seen.length], [upTo(20), 20, 1]);
    publish(server, 21, 22);
    await server.settled();
    assert.deepEqual([store.getSnapshot(), seen.at(-1)], [upTo(22), upTo(22)]);
    assert.equal(store.getSnapshot(), store.getSnapshot());
});

test('a late comer begins with the snapshot, and nobody else notices it', async () => {
    const server = await stateServer();
    const {store: first} = drawnBy(clientOf(server).client);
    const heard: string[] = [];
    first.subscribe(() => {});
    const plain = clientOf(server).client;
    plain.channel('board:1').on('*', (_, {type}) => heard.push(type));
    await server.settled();
    publish(server, 1, 2, 3);
    await server.settled();
    assert.equal(await first.offer(), true);
    publish(server, 4);
    await server.settled();
    const loads: unknown[] = [];
    const {store: late} = drawnBy(clientOf(server).client, {snapshot: {type: 'board.state', load: (saved) => (loads.push(saved), saved)}});
    await server.settled();
    await late.ready;
    assert.deepEqual([first.value, late.value, loads, late.offset], [upTo(4), upTo(4), [[1, 2, 3]], 5]);
    assert.deepEqual(heard, ['stroke', 'stroke', 'stroke', 'stroke']);
});

test('an empty channel has the first state at once', async () => {
    const server = await stateServer();
    const {store, seen} = drawnBy(clientOf(server).client);
    await server.settled();
    await store.ready;
    assert.deepEqual([store.value, seen, await store.offer()], [[], [], false]);
});

test('who was away for a moment goes on; who was away for long begins anew, without a moment of emptiness', async () => {
    const server = await stateServer();
    const {client} = clientOf(server);
    const {store, seen} = drawnBy(client);
    const other = drawnBy(clientOf(server).client).store;
    publish(server, 1, 2);
    await server.settled();
    server.cut(client);
    publish(server, 3);
    await server.advance(1000);
    assert.deepEqual(store.value, upTo(3));
    server.offline(client);
    publish(server, ...upTo(30).slice(3));
    await server.settled();
    assert.equal(await other.offer(), true);
    publish(server, 31);
    // Beyond the history, which would give it what it missed.
    for (let n = 0; n < 10; n++) server.publish('board:1', 'other', n);
    await server.settled();
    assert.equal(await other.offer(), true);
    seen.length = 0;
    const gaps: unknown[] = [];
    client.channel('board:1').watch('gap', (gap) => gaps.push(gap));
    server.online(client);
    await server.advance(30_000);
    assert.deepEqual([store.value, store.offset], [upTo(31), other.offset]);
    assert.deepEqual(seen.map(({length}) => length), [31]);
    assert.deepEqual(gaps, [{from: 4, to: other.offset, reason: 'compacted'}]);
});

test('a server that has lost its log begins a new state', async () => {
    const server = await stateServer();
    const {store, seen} = drawnBy(clientOf(server).client);
    publish(server, 1, 2, 3);
    await server.settled();
    await store.offer();
    server.restart({keepLog: false});
    publish(server, 7);
    await server.advance(2000);
    assert.deepEqual([store.value, store.offset], [[7], 1]);
    assert.deepEqual(seen.map(({length}) => length), [3, 1]);
});

test('a server that keeps its log has the snapshot after a restart', async () => {
    const server = await stateServer();
    const {store} = drawnBy(clientOf(server).client);
    publish(server, ...upTo(20));
    await server.settled();
    await store.offer();
    publish(server, 21);
    server.restart();
    publish(server, 22);
    await server.advance(2000);
    const {store: late} = drawnBy(clientOf(server).client);
    await server.settled();
    assert.deepEqual([store.value, late.value], [upTo(22), upTo(22)]);
});

test('a large state goes in parts; one who offers another at the same time harms none', async () => {
    const server = await stateServer();
    const word = 'é"😀'.repeat(500);
    const texts: StateOptions<readonly string[], {text: string}> = {
        initial: [], reduce: (all, {payload}) => [...all, payload], snapshot: {type: 'board.state'},
    };
    const stores = [clientOf(server), clientOf(server)].map(({client}) => state(client.channel<{text: string}>('board:1'), texts));
    for (let n = 0; n < 40; n++) server.publish('board:1', 'text', `${n} ${word}`);
    await server.settled();
    const outcomes = Promise.all(stores.map((store) => store.offer()));
    await server.settled();
    assert.deepEqual((await outcomes).sort(), [false, true]);
    assert.ok(server.channel('board:1').history.filter(({type}) => type === 'board.state').length > 4);
    const late = state(clientOf(server).client.channel<{text: string}>('board:1'), texts);
    await server.settled();
    assert.equal(late.value.length, 40);
    assert.deepEqual(late.value, stores[0]!.value);
});

test('a cut between the parts of a snapshot loses nothing: reading, and offering', async () => {
    const server = await stateServer();
    const pad = 'x'.repeat(10_000);
    const texts: StateOptions<readonly string[], {text: string}> = {
        initial: [], reduce: (all, {payload}) => [...all, payload], snapshot: {type: 'board.state'},
    };
    const {client} = clientOf(server);
    const store = state(client.channel<{text: string}>('board:1'), texts);
    for (let n = 0; n < 20; n++) server.publish('board:1', 'text', `${n} ${pad}`);
    await server.settled();
    server.delay(50);
    const offered = store.offer();
    // Some parts are there.
    await server.advance(250);
    server.cut(client);
    await server.advance(10_000);
    assert.equal(await offered, true);
    server.publish('board:1', 'text', 'last');
    const {client: reader} = clientOf(server);
    const late = state(reader.channel<{text: string}>('board:1'), texts);
    const parts: number[] = [];
    open(reader.channel('board:1')).watch('snapshot', ({part}) => {
        parts.push(part);
        if (part === 3 && parts.length === 3) server.cut(reader);
    });
    await server.advance(10_000);
    assert.deepEqual(parts.slice(0, 4), [1, 2, 3, 1]);
    assert.deepEqual(late.value, store.value);
    assert.equal(late.value.length, 21);
});

test('parts of a snapshot whose log is lost meanwhile are none of the next log', async () => {
    const server = await stateServer();
    const {client, errors} = clientOf(server);
    const pad = 'x'.repeat(10_000);
    const store = state(client.channel<{text: string}>('board:1'), {
        initial: [] as readonly string[], reduce: (all, {payload}) => [...all, payload], snapshot: {type: 'board.state'},
    });
    for (let n = 0; n < 20; n++) server.publish('board:1', 'text', `${n} ${pad}`);
    await server.settled();
    server.delay(50);
    const offered = store.offer();
    await server.advance(250);
    server.restart({keepLog: false});
    for (let n = 0; n < 30; n++) server.publish('board:1', 'text', `new ${n}`);
    await server.advance(10_000);
    assert.equal(await offered, false);
    assert.ok(server.channel('board:1').history.filter(({type}) => type === 'board.state').length <= 1);
    assert.deepEqual([store.value.length, store.value[0], errors], [30, 'new 0', []]);
    const offeredOld = store.offer();
    server.restart({keepLog: false});
    await server.advance(10_000);
    assert.deepEqual([await offeredOld, store.value, errors], [false, [], []]);
});

test('it is whole when the last message of the replay is there, not before', async () => {
    const {client, network} = await opened();
    const {store, seen} = drawnBy(client);
    await settle();
    await accept(network.socket, 'board:1', {replay: 3});
    const {id} = network.socket.last('history');
    const part = (part: number, more: object) => ({type: 'board.state', channel: 'board:1', part, parts: 2, time: 1_764_000_000_000, ...more});
    network.socket.receive(
        {op: 'history', id, channel: 'board:1', epoch: 'e1', offset: 9, more: true, payload: [{type: 'stroke', offset: 9, time: 5, payload: 9}]},
        part(1, {payload: '[1,2'}), part(2, {offset: 7, payload: ',3]'}), publication('board:1', 8, 8, 'stroke'),
    );
    await settle();
    assert.deepEqual([await outcomeOf(store.ready), store.value, seen], ['pending', [], []]);
    network.socket.receive(publication('board:1', 9, 9, 'stroke'));
    await settle();
    assert.deepEqual([await outcomeOf(store.ready), store.value, seen.length], [undefined, [1, 2, 3, 8, 9], 1]);
    client.close();
});

test('a log that has another name and is the same is no loss: no gap, and the state goes on', async () => {
    const {client, network} = await opened();
    const {store, seen} = drawnBy(client);
    const gaps: unknown[] = [];
    client.channel('board:1').watch('gap', (gap) => gaps.push(gap));
    await settle();
    await accept(network.socket, 'board:1', {replay: 2});
    const {id} = network.socket.last('history');
    network.socket.receive(
        {op: 'history', id, channel: 'board:1', epoch: 'e1', offset: 2, more: true, payload: [{type: 'stroke', offset: 2, time: 5, payload: 2}]},
        publication('board:1', 1, 1, 'stroke'), publication('board:1', 2, 2, 'stroke'),
    );
    await settle();
    network.socket.receive({op: 'position', channel: 'board:1', epoch: 'e2', offset: 2, recovered: true}, publication('board:1', 3, 3, 'stroke'));
    await settle();
    assert.deepEqual([store.value, gaps, seen.length, store.position], [[1, 2, 3], [], 2, {epoch: 'e2', offset: 3}]);
    network.socket.receive({op: 'position', channel: 'board:1', epoch: 'e3', offset: 0, recovered: false, reason: 'epoch_changed'});
    await settle();
    assert.deepEqual(gaps, [{from: 1, to: 0, reason: 'epoch_changed'}]);
    client.close();
});

test('the server asks for a snapshot before the state is full, and gets one', async () => {
    const server = await stateServer(20_000);
    const {client, errors} = clientOf(server);
    const {store} = drawnBy(client, {snapshot: {type: 'board.state', save: (drawn) => drawn.length, load: (count: number) => upTo(count)}});
    await server.settled();
    for (const n of upTo(1000)) {
        publish(server, n);
        await server.settled();
    }
    assert.equal(store.value.length, 1000);
    assert.deepEqual(errors, []);
    const {store: late} = drawnBy(clientOf(server).client, {snapshot: {type: 'board.state', load: (count: number) => upTo(count)}});
    await server.settled();
    assert.deepEqual(late.value, upTo(1000));
});

test('a reducer that throws is reported, and leaves the message out', async () => {
    const server = await stateServer();
    const {client, errors} = clientOf(server);
    const {store} = drawnBy(client, {reduce: (drawn, {payload}) => {
        if (payload === 2) throw new Error('two');
        return [...drawn, payload];
    }});
    publish(server, 1, 2, 3);
    await server.settled();
    assert.deepEqual([store.value, store.offset, errors], [[1, 3], 3, ['Error: two']]);
});

test('a snapshot that cannot be read is told, and is no state', async () => {
    const server = await stateServer();
    const {store: writer} = drawnBy(clientOf(server).client);
    publish(server, 1);
    await server.settled();
    await writer.offer();
    const {client, errors} = clientOf(server);
    const {store, seen} = drawnBy(client, {snapshot: {type: 'board.state', load: () => { throw new Error('no state'); }}});
    publish(server, 2);
    await server.settled();
    assert.deepEqual([await outcomeOf(store.ready), errors, store.value, seen], ['invalid_payload', ['invalid_payload'], [], []]);
});

test('a state that was kept goes on from its position, and begins anew where the server has only a newer snapshot', async () => {
    const server = await stateServer();
    const {store} = drawnBy(clientOf(server).client);
    publish(server, 1, 2);
    await server.settled();
    const from = {value: store.value, position: store.position!};
    publish(server, 3);
    const again = () => drawnBy(clientOf(server).client, {from}).store;
    const soon = again();
    assert.deepEqual(soon.value, [1, 2]);
    await server.settled();
    assert.deepEqual(soon.value, upTo(3));
    publish(server, ...upTo(20).slice(3));
    await server.settled();
    await store.offer();
    publish(server, 21);
    for (let n = 0; n < 10; n++) server.publish('board:1', 'other', n);
    await server.settled();
    await store.offer();
    const late = again();
    await server.settled();
    assert.deepEqual([late.value, late.offset], [upTo(21), store.offset]);
});

test('a state on a channel that is used already begins with the snapshot, and the others get nothing twice', async () => {
    const server = await stateServer();
    const {store: writer} = drawnBy(clientOf(server).client);
    publish(server, 1, 2);
    await server.settled();
    await writer.offer();
    const {client} = clientOf(server);
    const heard: unknown[] = [];
    const listed = list(client.channel('board:1'), {latest: 10});
    listed.subscribe(() => {});
    const channel = client.channel<Strokes>('board:1');
    channel.on('stroke', (n) => heard.push(n));
    await server.settled();
    publish(server, 3);
    await server.settled();
    const {store} = drawnBy(client);
    const {store: second} = drawnBy(client);
    publish(server, 4);
    await server.settled();
    publish(server, 5);
    await server.settled();
    assert.deepEqual([store.value, second.value, heard], [upTo(5), upTo(5), upTo(5)]);
    assert.deepEqual(listed.getSnapshot().map(({payload}) => payload), upTo(5));
    store.close();
    publish(server, 6);
    await server.settled();
    assert.deepEqual([store.value.length, second.value, heard], [5, upTo(6), upTo(6)]);
    assert.equal(await outcomeOf(second.offer()), true);
});

test('a backend offers a snapshot as well', async () => {
    const server = await stateServer();
    publish(server, 1, 2, 3);
    const answer = await server.fetch(`${server.url}/api/channels/board:1/messages`, {
        method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({type: 'board.state', payload: [3, 2, 1], snapshot: {covers: 3}}),
    });
    assert.equal(answer.status, 200);
    publish(server, 4);
    const {store} = drawnBy(clientOf(server).client);
    await server.settled();
    assert.deepEqual([store.value, store.offset], [[3, 2, 1, 4], 5]);
});

test('where a slow connection is left out of something, the state begins anew', async () => {
    const server = await stateServer(0, {
        namespaces: {board: {state_bytes_max: 2_000_000, slow_consumer: 'latest_per_key'}}, limits: {queue_bytes_max: 20_000},
    });
    const {client} = clientOf(server);
    const {store, seen} = drawnBy(client);
    const gaps: string[] = [];
    client.channel('board:1').watch('gap', ({reason}) => gaps.push(reason));
    await server.settled();
    const flow = server.stall('down');
    for (const n of upTo(100)) server.publish('board:1', 'pad', `${n}`.padEnd(1000));
    for (const n of upTo(500)) server.publish('board:1', 'stroke', n, {conflate: `${n % 2}`});
    await server.settled();
    flow();
    await server.settled();
    assert.ok(gaps.includes('replaced'));
    assert.ok(store.value.length < 500);
    await server.advance(2000);
    assert.deepEqual([store.value, store.offset], [upTo(500), 600]);
    assert.deepEqual(seen.at(-1), upTo(500));
});

test('whoever may not have the state is told so', async () => {
    const server = await stateServer();
    const {client} = clientOf(server);
    const other = state(client.channel('chat:1'), {initial: 0, reduce: (n) => n + 1});
    await server.settled();
    assert.equal(await outcomeOf(other.ready), 'forbidden');
    const {store} = drawnBy(client);
    store.close();
    assert.equal(await outcomeOf(store.ready), 'closed');
    assert.throws(() => state(client.channel('board:1'), {initial: 0} as never), {code: 'invalid_argument', message: /reduce/});
    assert.throws(() => state(client.channel('board:1'), {initial: 0, reduce: (n) => n, snapshot: {type: 'not a type'}}), {code: 'invalid_type'});
});

test('parts are bytes or texts of a bounded size, and come together again', () => {
    const texts = ['', 'a'.repeat(100_000), '"\\'.repeat(40_000), '😀'.repeat(30_000), 'é'.repeat(70_001), '\u0001'.repeat(30_000)];
    for (const text of texts) {
        const parts = cut(JSON.stringify(text));
        for (const part of parts) assert.ok(Buffer.byteLength(part as string) <= 32_768);
        assert.equal(join(parts.map((part) => JSON.parse(part as string))), text);
    }
    for (const size of [0, 1, 32_768, 32_769, 100_000]) {
        const bytes = Uint8Array.from({length: size}, (_, i) => i * 7);
        assert.deepEqual(join(cut(bytes)), bytes);
    }
    assert.throws(() => cut(new Uint8Array(1024 * 32_768 + 1)), {code: 'invalid_argument', message: /1025 parts/});
    assert.throws(() => join(['a', 1]), /neither/);
});
