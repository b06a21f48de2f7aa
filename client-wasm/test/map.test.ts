// map() of pulsewire/state: values that clients share, on a real hub.

import assert from 'node:assert/strict';
import {test} from 'node:test';
import {map, type SharedMap} from '../src/state.js';
import type {TestServer} from '../src/test.js';
import {accept, opened, publication, settle} from './fake_network.js';
import {clientOf, outcomeOf, stateServer} from './state_server.js';

function mapOn(server: TestServer) {
    const {client, errors} = clientOf(server);
    const shared: SharedMap<unknown> = map(client.channel('board:1'));
    return {client, errors, shared};
}

const all = (shared: SharedMap<unknown>) => Object.fromEntries(shared.entries());

test('what one sets is there at once, for the others when the server has it, and for those who come late', async () => {
    const server = await stateServer();
    const [ada, bob] = [mapOn(server), mapOn(server)];
    const set = ada.shared.set('color', 'red');
    assert.deepEqual([ada.shared.get('color'), ada.shared.has('color'), ada.shared.size, bob.shared.size], ['red', true, 1, 0]);
    await server.settled();
    await set;
    void bob.shared.set('size', {w: 1});
    await server.settled();
    assert.deepEqual(all(ada.shared), {color: 'red', size: {w: 1}});
    assert.deepEqual(all(bob.shared), all(ada.shared));
    const late = mapOn(server);
    await server.settled();
    await late.shared.ready;
    assert.deepEqual(all(late.shared), all(ada.shared));
});

test('of two who set the same key the later one counts, for both', async () => {
    const server = await stateServer();
    const [ada, bob] = [mapOn(server), mapOn(server)];
    await server.settled();
    void ada.shared.set('k', 1);
    void bob.shared.set('k', 2);
    assert.deepEqual([ada.shared.get('k'), bob.shared.get('k')], [1, 2]);
    await server.settled();
    assert.deepEqual([ada.shared.get('k'), bob.shared.get('k')], [2, 2]);
});

test('a deletion leaves nothing behind, once a snapshot covers it', async () => {
    const server = await stateServer();
    const {shared} = mapOn(server);
    for (let n = 0; n < 50; n++) void shared.set(`key.${n}`, n);
    for (let n = 1; n < 50; n++) void shared.delete(`key.${n}`);
    assert.equal(shared.size, 1);
    await server.settled();
    assert.equal(await shared.offer(), true);
    const {payload} = server.channel('board:1').history.find(({type}) => type === 'map.state')!;
    assert.deepEqual(payload, [['key.0', 0, 1]]);
    const late = mapOn(server);
    await server.settled();
    assert.deepEqual([all(late.shared), late.shared.has('key.1'), late.shared.get('key.1')], [{'key.0': 0}, false, undefined]);
});

test('names of objects are keys like any other', async () => {
    const server = await stateServer();
    const {shared} = mapOn(server);
    for (const key of ['__proto__', 'constructor', 'ä "\\']) void shared.set(key, key);
    await server.settled();
    await shared.offer();
    const late = mapOn(server);
    await server.settled();
    assert.deepEqual([...late.shared.entries()], [['__proto__', '__proto__'], ['constructor', 'constructor'], ['ä "\\', 'ä "\\']]);
});

test('a snapshot for components is the same until something changes, and listeners are told once', async () => {
    const server = await stateServer();
    const {shared} = mapOn(server);
    await server.settled();
    let told = 0;
    const remove = shared.subscribe(() => told++);
    const before = shared.getSnapshot();
    assert.equal(shared.getSnapshot(), before);
    void shared.set('a', 1);
    void shared.set('b', 2);
    await Promise.resolve();
    assert.deepEqual([told, before.size, [...shared.getSnapshot()]], [1, 0, [['a', 1], ['b', 2]]]);
    await server.settled();
    assert.equal(told, 2);
    assert.deepEqual([...shared.getSnapshot()], [['a', 1], ['b', 2]]);
    remove();
    void shared.set('a', 3);
    await server.settled();
    assert.equal(told, 2);
});

test('what the server refuses is undone, and said', async () => {
    const server = await stateServer(5_000);
    const {shared, errors} = mapOn(server);
    await server.settled();
    await Promise.all([shared.set('k', 'small'), server.settled()]);
    server.refuse('publish', 'state_full');
    const refused = shared.set('k', 'refused');
    const deleted = shared.delete('k');
    assert.equal(shared.get('k'), undefined);
    await server.settled();
    assert.equal(await outcomeOf(refused), 'state_full');
    assert.equal(await outcomeOf(deleted), undefined);
    assert.equal(shared.has('k'), false);
    // Larger than what the namespace keeps, and no snapshot makes room for it.
    void shared.set('large', 'x'.repeat(6_000));
    assert.equal(shared.has('large'), true);
    await server.advance(1);
    assert.deepEqual([shared.has('large'), errors], [false, ['state_full']]);
});

test('six clients count together, each step once', async () => {
    const server = await stateServer();
    const clients = Array.from({length: 6}, () => mapOn(server));
    await server.settled();
    let calls = 0;
    const counted = Promise.all(clients.flatMap(({shared}) => Array.from({length: 8}, () =>
        shared.update('count', (n) => (calls++, ((n as number | undefined) ?? 0) + 1)))));
    while ((await outcomeOf(counted)) === 'pending') await server.settled();
    const values = await counted;
    assert.deepEqual(values.map(Number).sort((a, b) => a - b), Array.from({length: 48}, (_, i) => i + 1));
    assert.ok(calls > 48, `${calls} calls: nobody met another`);
    for (const {shared} of clients) assert.equal(shared.get('count'), 48);
});

test('an update sees what was deleted and set again as something else', async () => {
    const server = await stateServer();
    const [ada, bob] = [mapOn(server), mapOn(server)];
    await server.settled();
    await Promise.all([ada.shared.set('k', 1), server.settled()]);
    server.offline(ada.client);
    const seen: unknown[] = [];
    const updated = ada.shared.update('k', (value) => (seen.push(value), `${String(value)}!`));
    await server.settled();
    assert.equal(ada.shared.get('k'), '1!');
    void bob.shared.delete('k');
    void bob.shared.set('k', 1);
    await server.settled();
    void bob.shared.set('k', 2);
    await server.settled();
    server.online(ada.client);
    await server.advance(30_000);
    assert.equal(await updated, '2!');
    assert.deepEqual([seen, bob.shared.get('k')], [[1, 2], '2!']);
});

test('an update that changes nothing sends nothing; undefined deletes; what it throws is told', async () => {
    const server = await stateServer();
    const {shared} = mapOn(server);
    await server.settled();
    await Promise.all([shared.set('k', 1), server.settled()]);
    const {head} = server.channel('board:1');
    assert.equal(await shared.update('k', (value) => value), 1);
    assert.equal(server.channel('board:1').head, head);
    await assert.rejects(shared.update('k', () => { throw new Error('mine'); }), /mine/);
    await Promise.all([shared.update('k', () => undefined), server.settled()]);
    assert.equal(shared.has('k'), false);
});

test('what was set while the connection was away is shown, and sent when it is back', async () => {
    const server = await stateServer();
    const [ada, bob] = [mapOn(server), mapOn(server)];
    await server.settled();
    server.offline(ada.client);
    await server.advance(1000);
    const set = ada.shared.set('a', 'offline');
    void bob.shared.set('a', 'bob');
    void bob.shared.set('b', 'bob');
    for (let n = 0; n < 20; n++) void bob.shared.set('c', n);
    await server.settled();
    await bob.shared.offer();
    void bob.shared.set('d', 1);
    for (let n = 0; n < 20; n++) server.publish('board:1', 'other', n);
    await server.settled();
    await bob.shared.offer();
    assert.deepEqual(all(ada.shared), {a: 'offline'});
    server.online(ada.client);
    await server.advance(30_000);
    await set;
    assert.deepEqual(all(ada.shared), {a: 'offline', b: 'bob', c: 19, d: 1});
    assert.deepEqual(all(bob.shared), all(ada.shared));
});

test('what the server has, and a snapshot has taken the place of before it came back, had effect', async () => {
    const server = await stateServer();
    const [ada, bob] = [mapOn(server), mapOn(server)];
    await server.settled();
    await Promise.all([bob.shared.set('n', 1), server.settled()]);
    const flow = server.stall('down', ada.client);
    const calls: unknown[] = [];
    const updated = ada.shared.update('n', (n) => (calls.push(n), Number(n) + 1));
    const set = ada.shared.set('k', 'mine');
    await server.settled();
    server.offline(ada.client);
    await server.advance(1000);
    assert.deepEqual(all(bob.shared), {n: 2, k: 'mine'});
    void bob.shared.set('k', 'his');
    for (let n = 0; n < 20; n++) server.publish('board:1', 'other', n);
    await server.settled();
    await bob.shared.offer();
    for (let n = 0; n < 20; n++) server.publish('board:1', 'other', n);
    await server.settled();
    await bob.shared.offer();
    const shown: unknown[] = [];
    ada.shared.subscribe(() => shown.push(ada.shared.get('n')));
    flow();
    server.online(ada.client);
    await server.advance(30_000);
    await set;
    assert.deepEqual([await updated, calls, all(ada.shared)], [2, [1], {n: 2, k: 'his'}]);
    assert.deepEqual([...new Set(shown)], [2]);
});

test('what has come back is shown, also while the map begins anew', async () => {
    const {client, network} = await opened();
    const {socket} = network;
    const shared = map<number>(client.channel('board:1'));
    await settle();
    const answer = async (offset: number) => {
        for (const {op, id} of socket.sent) {
            if (op === 'history') socket.receive({op, id, channel: 'board:1', epoch: 'e1', offset, more: false, payload: [{type: 'map', offset, time: 5, payload: null}]});
        }
        await settle();
    };
    await accept(socket, 'board:1', {replay: 1});
    const before = publication('board:1', 1, {key: 'k', value: 0}, 'map');
    socket.receive(before);
    await answer(1);
    const set = shared.set('k', 1);
    await settle();
    const {id, payload} = socket.last('publish');
    const shown: unknown[] = [];
    shared.subscribe(() => shown.push(shared.get('k')));
    // Another map of the channel lets both begin anew.
    map(client.channel('board:1'), {type: 'other'});
    await settle();
    await accept(socket, 'board:1', {replay: 2});
    socket.receive(before, publication('board:1', 2, payload, 'map'), {op: 'published', id, channel: 'board:1', epoch: 'e1', offset: 2});
    await set;
    await settle();
    assert.equal(shared.get('k'), 1);
    await answer(2);
    assert.deepEqual([shared.get('k'), [...new Set(shown)]], [1, [1]]);
    client.close();
});

test('a server that has lost its log has an empty map', async () => {
    const server = await stateServer();
    const {shared} = mapOn(server);
    await server.settled();
    await Promise.all([shared.set('k', 1), server.settled()]);
    server.restart({keepLog: false});
    await server.advance(2000);
    assert.deepEqual([all(shared), shared.offset], [{}, 0]);
    await Promise.all([shared.set('k', 2), server.settled()]);
    assert.deepEqual(all(shared), {k: 2});
});

test('what is no change of a map is left out, and another type is another map', async () => {
    const server = await stateServer();
    const {client, shared} = mapOn(server);
    const other = map<number>(client.channel('board:1'), {type: 'cursor'});
    for (const payload of [null, 1, 'x', {}, {key: 1, value: 2}, [], {value: 1}]) server.publish('board:1', 'map', payload);
    server.publish('board:1', 'map', {key: 'k', value: 1});
    server.publish('board:1', 'cursor', {key: 'k', value: 2});
    await server.settled();
    assert.deepEqual([all(shared), other.get('k'), shared.offset], [{k: 1}, 2, 9]);
    assert.equal(map(client.channel('board:1')), shared);
    shared.close();
    assert.notEqual(map(client.channel('board:1')), shared);
    assert.throws(() => map(client.channel('board:1'), {type: 'no type'}), {code: 'invalid_type'});
    await assert.rejects(other.set('', 1), {code: 'invalid_argument'});
    await assert.rejects(other.set('k', undefined as never), {code: 'invalid_argument', message: /delete/});
});

test('a map of a user who signs out is empty', async () => {
    const allow = {'board:*': ['subscribe', 'history', 'publish', 'snapshot'] as const};
    const server = await stateServer(100_000, {tokens: true});
    const {client} = clientOf(server, {token: () => server.token({user: 'ada', allow})});
    const shared = map(client.channel('board:1'));
    await server.settled();
    await Promise.all([shared.set('k', 1), server.settled()]);
    assert.equal(shared.get('k'), 1);
    client.signOut();
    assert.deepEqual(all(shared), {});
    client.signIn();
    await server.advance(1000);
    assert.deepEqual(all(shared), {k: 1});
});
