// keyed() of pulsewire/state: the newest message of each key, which a real hub keeps.

import assert from 'node:assert/strict';
import {test} from 'node:test';
import {keyed} from '../src/state.js';
import type {TestServer} from '../src/test.js';
import {clientOf, outcomeOf, stateServer} from './state_server.js';

const keyedServer = (stateBytesMax = 20_000, more = {}) =>
    stateServer(0, {namespaces: {board: {state_bytes_max: stateBytesMax, keyed: true, history_count_max: 5}}, ...more});
const storeOf = <T>(server: TestServer) => keyed<T>(clientOf(server).client.channel('board:1'));
const shown = (store: {getSnapshot(): ReadonlyMap<string, unknown>}) => Object.fromEntries(store.getSnapshot());
const publish = (server: TestServer, conflate: string, payload: unknown, type = 'price') => server.publish('board:1', type, payload, {conflate});

test('a late comer gets the newest of each key, whoever published it, and what comes then', async () => {
    const server = await keyedServer();
    publish(server, 'gone', 1);
    publish(server, 'gone', null);
    for (let i = 0; i < 300; i++) publish(server, `k${i % 3}`, i);
    server.publish('board:1', 'note', 'by its type');
    const store = storeOf(server);
    let told = 0;
    store.subscribe(() => told++);
    assert.deepEqual(shown(store), {});
    await server.settled();
    await store.ready;
    assert.deepEqual([shown(store), told], [{k0: 297, k1: 298, k2: 299, note: 'by its type'}, 1]);
    assert.equal(store.getSnapshot(), store.getSnapshot());
    publish(server, 'k1', null);
    publish(server, 'k2', {new: true});
    await server.settled();
    assert.deepEqual(shown(store), {k0: 297, k2: {new: true}, note: 'by its type'});
    assert.deepEqual([store.has('k1'), store.size, await store.offer()], [false, 3, false]);
});

test('messages say what they are the latest of, live and from the history', async () => {
    const server = await keyedServer();
    const {client} = clientOf(server);
    const channel = client.channel<{price: number}>('board:1');
    const heard: unknown[] = [];
    channel.on('price', (price, {conflate}) => heard.push([conflate, price]));
    channel.on('*', (_, {conflate}) => heard.push(conflate));
    await server.settled();
    publish(server, 'ACME', 7);
    server.publish('board:1', 'price', 8);
    await server.settled();
    assert.deepEqual(heard, [['ACME', 7], 'ACME', [undefined, 8], undefined]);
    const page = channel.history();
    await server.settled();
    assert.deepEqual((await page).messages.map(({payload, conflate}) => [payload, conflate]).sort(), [[7, 'ACME'], [8, undefined]]);
});

test('what is set is shown at once, and undone where the server refuses it', async () => {
    const server = await keyedServer();
    const {client, errors} = clientOf(server);
    const store = keyed<string>(client.channel('board:1'));
    await server.settled();
    const done = store.set('color', 'red');
    assert.deepEqual([shown(store), store.offset], [{color: 'red'}, 0]);
    await server.settled();
    assert.equal(await outcomeOf(done), undefined);
    const other = storeOf<string>(server);
    await server.settled();
    assert.deepEqual(shown(other), {color: 'red'});
    const gone = other.delete('color');
    assert.equal(other.get('color'), undefined);
    await server.settled();
    await gone;
    assert.deepEqual([shown(store), shown(other)], [{}, {}]);
    server.refuse('publish', 'forbidden');
    const refused = store.set('color', 'blue');
    assert.deepEqual(shown(store), {color: 'blue'});
    await server.settled();
    assert.deepEqual([await outcomeOf(refused), shown(store)], ['forbidden', {}]);
    for (const call of [() => store.set('color', null as any), () => store.set('two words', 'x'), () => store.set('', 'x')])
        await assert.rejects(call(), {code: 'invalid_argument'});
    assert.deepEqual([shown(store), errors], [{}, []]);
});

test('of many who count at once, each counts once', async () => {
    const server = await keyedServer(200_000);
    const stores = Array.from({length: 5}, () => storeOf<number>(server));
    await server.settled();
    const counted = Promise.all(stores.flatMap((store) => Array.from({length: 10}, () => store.update('votes', (n = 0) => n + 1))));
    for (let i = 0; i < 20; i++) await server.advance(1000);
    const numbers = await counted;
    assert.deepEqual([...numbers].sort((a, b) => a! - b!), Array.from({length: 50}, (_, i) => i + 1));
    for (const store of stores) assert.equal(store.get('votes'), 50);
    const same = stores[0]!.update('votes', (n) => n);
    assert.equal(await same, 50);
    const thrown = stores[0]!.update('votes', () => {
        throw new RangeError('no');
    });
    await assert.rejects(thrown, RangeError);
    const removed = stores[1]!.update('votes', () => undefined);
    await server.settled();
    assert.equal(await removed, undefined);
    assert.deepEqual(stores.map(shown), [{}, {}, {}, {}, {}]);
});

test('a change whose answer is lost with the connection counts once', async () => {
    const server = await keyedServer();
    const store = storeOf<number>(server);
    await server.settled();
    const first = store.update('votes', (n = 0) => n + 1);
    await server.settled();
    await first;
    server.stall('down');
    const second = store.update('votes', (n = 0) => n + 1);
    await server.advance(10);
    server.cut();
    server.online();
    await server.advance(5000);
    assert.deepEqual([await outcomeOf(second), shown(store)], [2, {votes: 2}]);
});

test('a change that names a place of a log that is lost is made anew', async () => {
    const server = await keyedServer();
    const [store, other] = [storeOf<string>(server), storeOf<string>(server)];
    await server.settled();
    const first = store.set('color', 'red');
    await server.settled();
    await first;
    server.stall('up');
    const seen: unknown[] = [];
    const change = store.update('color', (color) => (seen.push(color), `not ${color}`));
    await server.advance(10);
    server.restart({keepLog: false});
    // The same offset as before, in another log.
    publish(server, 'color', 'green');
    server.online();
    await server.advance(5000);
    assert.deepEqual([await outcomeOf(change), seen], ['not green', ['red', 'green']]);
    assert.deepEqual([shown(store), shown(other)], [{color: 'not green'}, {color: 'not green'}]);
});

test('who was away for long begins anew, without a moment of emptiness; a kept log has all of it after a restart', async () => {
    const server = await keyedServer();
    const {client} = clientOf(server);
    const store = keyed<number>(client.channel('board:1'));
    publish(server, 'old', 1);
    publish(server, 'kept', 1);
    await server.settled();
    const sizes: number[] = [];
    store.subscribe(() => sizes.push(store.size));
    server.offline();
    await server.advance(1000);
    publish(server, 'old', null);
    for (let i = 0; i < 200; i++) publish(server, `k${i % 4}`, i);
    server.restart({keepLog: true});
    server.online();
    await server.advance(60_000);
    assert.deepEqual(shown(store), {kept: 1, k0: 196, k1: 197, k2: 198, k3: 199});
    assert.deepEqual(sizes.filter((size) => size < 2), []);
});

test('keys need a bound', async () => {
    await assert.rejects(stateServer(0, {namespaces: {board: {keyed: true}}}), /keyed needs a bound/);
});

test('the same store for the same channel, until it is closed', async () => {
    const server = await keyedServer();
    const {client} = clientOf(server);
    const channel = client.channel('board:1');
    const store = keyed(channel);
    assert.equal(keyed(channel), store);
    assert.notEqual(keyed(channel, {type: 'other'}), store);
    store.close();
    assert.notEqual(keyed(channel), store);
    await assert.rejects(store.ready, {code: 'closed'});
});

test('a backend changes a key only after the change that it has seen', async () => {
    const server = await keyedServer();
    const post = async (body: object, query = '') => {
        const answer = await server.fetch(`${server.url}/api/channels/board:1/messages${query}`, {
            method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body),
        });
        return [answer.status, await answer.json()] as const;
    };
    const [, {offset, epoch}] = await post({type: 'lamp', conflate: 'lamp1', payload: 'on', if_offset: 0});
    const [status, {error}] = await post({type: 'lamp', conflate: 'lamp1', payload: 'off', if_offset: 0});
    assert.deepEqual([status, error.code, error.offset], [409, 'conflict', offset]);
    assert.equal((await post({type: 'lamp', conflate: 'lamp1', payload: 'off', if_offset: offset, epoch: 'anotherone'}))[0], 409);
    assert.equal((await post({type: 'lamp', conflate: 'lamp1', payload: 'off', if_offset: offset, epoch}))[0], 200);
});
