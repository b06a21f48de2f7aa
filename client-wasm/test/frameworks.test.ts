// The stores that the entries for frameworks share.

import assert from 'node:assert/strict';
import {afterEach, beforeEach, test} from 'node:test';
import type {Client} from '../src/client/client.js';
import {channelStore, connectionStore, presenceStore, publishStore} from '../src/frameworks.js';
import {customStorage, type StoredMessage} from '../src/storage.js';
import {accept, fakeClock, type FakeNetwork, opened, publication, settle} from './fake_network.js';

let clock: ReturnType<typeof fakeClock>;
beforeEach(() => {
    clock = fakeClock();
});
afterEach(() => clock.restore());

const ops = ({socket}: FakeNetwork, name = 'a') => socket.sent.filter(({channel}) => channel === name).map(({op}) => op);
const published = ({socket}: FakeNetwork, offset = 1) => socket.receive({op: 'published', id: socket.last('publish').id, channel: 'a', epoch: 'e', offset});
const refused = ({socket}: FakeNetwork, op: string, code: string) => socket.receive({op: 'error', id: socket.last(op).id, channel: 'a', code, message: `${code}!`});
const payloads = (list: readonly {payload: unknown}[]) => list.map(({payload}) => payload);

/** Long after; timers begin others. */
async function later() {
    for (const ms of [1, 1, 2_000]) await clock.tick(ms);
}

/** A store that has one message of an earlier page. */
function storage(...stored: StoredMessage[]) {
    return customStorage({
        open: async (_scope, _owner, adopt) => adopt(stored), put: async () => {}, remove: async () => {},
        position: () => undefined, savePositions() {}, close() {},
    });
}

test('nothing is asked of a client before a store is used', () => {
    const never = (): Client => assert.fail('it connects');
    for (const store of [channelStore(never, 'a'), presenceStore(never, 'a', {name: 'Ada'}), connectionStore(never), publishStore(never, 'a')]) {
        assert.equal(typeof store.initial, 'object');
    }
    const none = channelStore(never, undefined);
    none.subscribe(() => {})();
    assert.deepEqual([none.getSnapshot().state, none.getSnapshot()], ['idle', none.initial]);
});

test('a view is the same object until something changes, and the same for all who ask alike', async () => {
    const {client, network} = await opened();
    const one = channelStore(client, 'a', {latest: 2});
    const two = channelStore(() => client, 'a', {latest: 2});
    assert.equal(one.getSnapshot().state, 'subscribing');
    let told = 0;
    const leave = one.subscribe(() => told++);
    await settle();
    await accept(network.socket, 'a');
    assert.deepEqual([one.getSnapshot().state, told > 0], ['subscribed', true]);
    network.socket.receive(publication('a', 1, 'x'));
    await settle();
    const view = one.getSnapshot();
    assert.deepEqual(payloads(view.messages), ['x']);
    assert.equal(two.getSnapshot(), view);
    assert.notEqual(channelStore(client, 'a', {latest: 3}).getSnapshot(), view);
    leave();
    const again = two.subscribe(() => {});
    await clock.tick(5_000);
    assert.deepEqual(ops(network), ['subscribe']);
    again();
    await later();
    assert.deepEqual(ops(network), ['subscribe', 'unsubscribe']);
    client.close();
});

for (const reading of [true, false]) {
    test(`a refused subscription is ${reading ? 'told to the component alone that reads it' : 'told to the console where no component reads it'}`, async (t) => {
        const log = t.mock.method(console, 'error', () => {});
        const {client, network} = await opened();
        const store = channelStore(client, 'a');
        const codes: unknown[] = [];
        const leave = store.subscribe(() => reading && codes.push(store.getSnapshot().error?.code));
        await settle();
        refused(network, 'subscribe', 'forbidden');
        await later();
        assert.deepEqual([store.getSnapshot().state, codes.at(-1)], ['refused', reading ? 'forbidden' : undefined]);
        assert.deepEqual(log.mock.calls.map(({arguments: [text]}) => text), reading ? [] : ['subscribing to channel a: PulsewireError: forbidden!']);
        // Another component asks once more, which may have become possible.
        leave();
        await clock.tick(1);
        store.subscribe(() => {});
        await settle();
        await accept(network.socket, 'a');
        assert.deepEqual([store.getSnapshot().state, store.getSnapshot().error], ['subscribed', undefined]);
        client.close();
    });
}

test('a client that ends by itself is an error of the channel, and one that is closed is none', async (t) => {
    t.mock.method(console, 'error', () => {});
    for (const [end, code] of [[({socket}: FakeNetwork) => socket.drop(4_500), 'closed'], [(_: FakeNetwork, client: Client) => client.close(), undefined]] as const) {
        const {client, network} = await opened();
        const channel = channelStore(client, 'a');
        const members = presenceStore(client, 'a');
        let told = 0;
        channel.subscribe(() => told++);
        members.subscribe(() => {});
        await settle();
        await accept(network.socket, 'a');
        await accept(network.socket, 'a', {recovered: true});
        network.socket.receive({op: 'presence', channel: 'a', payload: [{session: 's', info: {name: 'Ada'}}]});
        assert.deepEqual(members.getSnapshot(), [{session: 's', info: {name: 'Ada'}}]);
        const before = told;
        end(network, client);
        const {state, error} = channel.getSnapshot();
        assert.deepEqual([state, error?.code, told > before, members.getSnapshot()], ['idle', code, true, []]);
        client.close();
    }
});

test('what was missed is told', async () => {
    const {client, network} = await opened();
    const store = channelStore(client, 'a');
    store.subscribe(() => {});
    await settle();
    await accept(network.socket, 'a', {offset: 3});
    network.socket.drop();
    await clock.tick(20_000);
    await network.welcome();
    await accept(network.socket, 'a', {offset: 9, recovered: false, reason: 'expired'});
    assert.deepEqual(store.getSnapshot().gap, {from: 4, to: 9, reason: 'expired'});
    client.close();
});

test('a message is pending until it is acknowledged, or refused, and then tried again or taken off', async () => {
    const {client, network} = await opened();
    const {publish, getSnapshot, subscribe} = publishStore<{t: string}>(client, 'a');
    let told = 0;
    subscribe(() => told++);
    const first = publish('t', 'one');
    assert.deepEqual([payloads(getSnapshot().pending), told], [['one'], 1]);
    await settle();
    published(network);
    assert.deepEqual(await first, {epoch: 'e', offset: 1});
    await settle();
    assert.deepEqual([getSnapshot().pending, told], [[], 2]);

    void publish('t', 'two', {conflate: 'k'});
    await settle();
    refused(network, 'publish', 'rejected');
    await settle();
    const [failed] = getSnapshot().failed;
    assert.deepEqual([failed?.type, failed?.payload, failed?.error.code, getSnapshot().pending], ['t', 'two', 'rejected', []]);
    failed!.retry();
    await settle();
    assert.deepEqual([payloads(getSnapshot().pending), getSnapshot().failed, network.socket.last('publish').conflate], [['two'], [], 'k']);
    refused(network, 'publish', 'rejected');
    await settle();
    getSnapshot().failed[0]!.dismiss();
    assert.deepEqual(getSnapshot().failed, []);

    // A message that is given up has not failed, and a hint is neither.
    network.socket.drop();
    const given = [publish('t', 'three'), publish('t', 'four', {signal: AbortSignal.abort()})];
    const hint = publish('t', 'hint', {transient: true});
    getSnapshot().pending[0]!.withdraw();
    assert.deepEqual((await Promise.allSettled([...given, hint])).map((result: any) => result.reason?.code), ['aborted', 'aborted', 'disconnected']);
    await settle();
    assert.deepEqual([getSnapshot().pending, getSnapshot().failed], [[], []]);
    client.close();
});

for (const how of ['reads it', 'awaits it', 'looks at it']) {
    test(`a failed publish goes to the console ${how === 'looks at it' ? 'where nobody' : 'unless somebody'} ${how}`, async (t) => {
        const log = t.mock.method(console, 'error', () => {});
        const {client, network} = await opened();
        const {publish, getSnapshot, subscribe} = publishStore(client, 'a');
        subscribe(() => how === 'reads it' && getSnapshot().failed);
        const promise = publish('t', 1);
        if (how === 'awaits it') promise.catch(() => {});
        await settle();
        refused(network, 'publish', 'forbidden');
        await later();
        assert.deepEqual(log.mock.calls.map(({arguments: [text]}) => text), how === 'looks at it' ? ['publishing t in channel a: PulsewireError: forbidden!'] : []);
        client.close();
    });
}

test('with a storage what an earlier page left is pending, and what a closed client leaves has not failed', async () => {
    const left = {key: 'old.1', channel: 'a', type: 't', payload: '"left"', echo: true, timeoutMs: 0, at: Date.now()};
    const {client, network} = await opened({storage: storage(left, {...left, key: 'old.2', channel: 'b'})});
    const {publish, getSnapshot, subscribe} = publishStore(client, 'a');
    subscribe(() => {});
    await settle();
    const own = publish('t', 'own').catch(({code}) => code);
    assert.deepEqual(getSnapshot().pending.map(({payload, restored}) => [payload, restored]), [['left', true], ['own', false]]);
    // One that was published past it is found with the next.
    client.channel('a').publish('t', 'past').catch(() => {});
    const last = publish('t', 'last').catch(({code}) => code);
    assert.deepEqual(payloads(getSnapshot().pending), ['left', 'own', 'past', 'last']);
    await settle();
    const {id} = network.socket.sent.find(({op, payload}) => op === 'publish' && payload === 'left')!;
    network.socket.receive({op: 'published', id, channel: 'a', epoch: 'e', offset: 1});
    await settle();
    assert.deepEqual(payloads(getSnapshot().pending), ['own', 'past', 'last']);
    client.close();
    assert.deepEqual([await own, await last], ['closed', 'closed']);
    await settle();
    assert.deepEqual([getSnapshot().pending, getSnapshot().failed], [[], []]);
});
