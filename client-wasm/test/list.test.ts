// Parts of an application that share a channel and know nothing of each other.

import assert from 'node:assert/strict';
import {afterEach, beforeEach, test} from 'node:test';
import type {Client} from '../src/client/client.js';
import {list, open, type Subscription} from '../src/list.js';
import {accept, entered, fakeClock, FakeNetwork, opened, publication, settle} from './fake_network.js';

let clock: ReturnType<typeof fakeClock>;
beforeEach(() => {
    clock = fakeClock();
});
afterEach(() => clock.restore());

const ops = ({socket}: FakeNetwork, name = 'a') => socket.sent.filter(({channel}) => channel === name).map(({op}) => op);
const entries = (...offsets: number[]) => offsets.map((offset) => ({type: 't', offset, time: 5, payload: offset}));

/** The server's answer to the last history query. */
async function history(network: FakeNetwork, offsets: number[], fields: Record<string, unknown> = {}): Promise<void> {
    await settle();
    const {id} = network.socket.last('history');
    network.socket.receive({op: 'history', id, channel: 'a', epoch: 'e1', offset: Math.max(0, ...offsets), more: false, ...fields, payload: entries(...offsets)});
    await settle();
}

async function subscribed(options = {}): Promise<{client: Client; network: FakeNetwork; first: unknown[]; handle: Subscription}> {
    const {client, network} = await opened();
    const first: unknown[] = [];
    const handle = open(client.channel('a'), options);
    handle.on('*', (payload) => first.push(payload));
    await settle();
    await accept(network.socket, 'a', {offset: 3});
    return {client, network, first, handle};
}

test('handles share one subscription, and the end of one silences no other', async () => {
    const {client, network, first, handle} = await subscribed({latest: 5});
    assert.equal(network.socket.last('subscribe').latest, 5);
    const channel = client.channel('a');
    const second: unknown[] = [];
    const own: unknown[] = [];
    const other = open(channel);
    other.on('t', (payload) => second.push(payload));
    channel.on('t', (payload) => own.push(payload));
    await settle();
    network.socket.receive(publication('a', 4, 4, 't'));
    handle.close();
    handle.close();
    network.socket.receive(publication('a', 5, 5, 't'));
    channel.unsubscribe();
    await clock.tick(5_000);
    network.socket.receive(publication('a', 6, 6, 't'));
    assert.deepEqual([first, own, second], [[4], [4, 5], [4, 5, 6]]);
    assert.deepEqual(ops(network), ['subscribe']);
    other.close();
    await clock.tick(5_000);
    assert.deepEqual([ops(network), channel.state], [['subscribe', 'unsubscribe'], 'idle']);
    client.close();
});

test('the last user ends the subscription a moment later: one that comes back at once finds it', async () => {
    const {client, network, handle} = await subscribed();
    handle.close();
    const again = open(client.channel('a'));
    await clock.tick(5_000);
    assert.equal(client.channel('a').state, 'subscribed');
    again.close();
    await clock.tick(50);
    assert.equal(client.channel('a').state, 'subscribed');
    await clock.tick(60);
    assert.equal(client.channel('a').state, 'idle');
    const remove = client.channel('a').on('t', () => {});
    const loop = client.channel('a').messages();
    remove();
    remove();
    await clock.tick(5_000);
    assert.equal(client.channel('a').state, 'subscribing');
    await loop.return!();
    await clock.tick(5_000);
    assert.deepEqual([ops(network), client.channel('a').state], [['subscribe', 'unsubscribe', 'subscribe', 'unsubscribe'], 'idle']);
    client.close();
});

test('a late handle gets its latest messages, each once and in order, and the others nothing twice', async () => {
    const {client, network, first} = await subscribed();
    const late: unknown[] = [];
    const told: unknown[] = [];
    const handle = open(client.channel('a'), {latest: 3});
    handle.on('*', (payload, {replayed}) => late.push([payload, replayed]));
    handle.watch('subscribed', ({position, recovered}) => told.push([position, recovered]));
    await settle();
    assert.equal(network.socket.last('history').limit, 3);
    network.socket.receive(publication('a', 4, 4, 't'));
    await history(network, [5, 4, 3]);
    network.socket.receive(publication('a', 5, 5, 't'), publication('a', 6, 6, 't'));
    assert.deepEqual(late, [[3, true], [4, true], [5, true], [6, false]]);
    assert.deepEqual(first, [4, 5, 6]);
    assert.deepEqual(told, [[{epoch: 'e1', offset: 4}, undefined]]);
    client.close();
});

test('a late handle with a position goes on from there, page by page, and is told what is gone', async () => {
    const {client, network} = await subscribed();
    const late: unknown[] = [];
    const handle = open(client.channel('a'), {since: {epoch: 'e1', offset: 1}});
    handle.on('*', (payload) => late.push(payload));
    handle.watch('gap', (gap) => late.push(gap));
    await history(network, [4, 5], {more: true, offset: 7});
    assert.equal(network.socket.last('history').offset, 5);
    await history(network, [6, 7]);
    assert.deepEqual(late, [{from: 2, to: 3, reason: 'expired'}, 4, 5, 6, 7]);

    const other: unknown[] = [];
    const replaced = open(client.channel('a'), {since: {epoch: 'e0', offset: 9}});
    replaced.on('*', (payload) => other.push(payload));
    replaced.watch('gap', ({reason}) => other.push(reason));
    await history(network, []);
    await history(network, [1, 2]);
    assert.deepEqual(other, ['epoch_changed', 1, 2]);
    client.close();
});

test('a history that cannot be read is told, and what comes is delivered', async () => {
    const {client, network} = await subscribed();
    const late: unknown[] = [];
    open(client.channel('a'), {latest: 3}).on('*', (payload) => late.push(payload));
    await settle();
    network.socket.receive(publication('a', 4, 4, 't'), {op: 'error', id: network.socket.last('history').id, code: 'forbidden', message: 'no'});
    await settle();
    assert.deepEqual(late, [4]);
    assert.deepEqual(network.errors.map(([error]) => (error as {code: string}).code), ['forbidden']);
    client.close();
});

test('presence that a second user wants is asked for, without a gap, and ends with it', async () => {
    const {client, network, first} = await subscribed();
    const channel = client.channel('a');
    network.socket.receive(publication('a', 4, 4, 't'));
    const seen: number[] = [];
    const second = open(channel, {presence: {name: 'two'}});
    second.watch('presence', ({members}) => seen.push(members.length));
    await settle();
    const {presence, payload, epoch, offset} = network.socket.last('subscribe');
    assert.deepEqual([presence, payload, epoch, offset], [true, {name: 'two'}, 'e1', 4]);
    await accept(network.socket, 'a', {offset: 4, recovered: true});
    network.socket.receive({op: 'presence', channel: 'a', payload: [{session: 's', info: null}]}, publication('a', 5, 5, 't'));
    assert.deepEqual([seen, first, channel.members.length], [[1], [4, 5], 1]);
    second.close();
    await clock.tick(2_000);
    assert.equal(network.socket.last('subscribe').presence, undefined);
    assert.deepEqual(channel.members, []);
    client.close();
});

test('a wish for presence before the subscription is answered takes no message from another user', async () => {
    const {client, network} = await opened();
    const channel = client.channel('a');
    const seen: unknown[] = [];
    const first = open(channel, {latest: 5});
    first.on('*', (payload) => seen.push(payload));
    await settle();
    open(channel, {presence: true}).watch('presence', ({members}) => seen.push(members.length));
    await settle();
    assert.deepEqual([ops(network), network.socket.last('subscribe').latest], [['subscribe'], 5]);
    await accept(network.socket, 'a', {offset: 2});
    const {presence, epoch, offset} = network.socket.last('subscribe');
    assert.deepEqual([presence, epoch, offset], [true, 'e1', 2]);
    await accept(network.socket, 'a', {offset: 2, recovered: true});
    network.socket.receive({op: 'presence', channel: 'a', payload: []}, publication('a', 3, 3, 't'), publication('a', 4, 4, 't'));
    assert.deepEqual(seen, [0, 3, 4]);
    client.close();
});

test('a handle that was closed is refused, as are arguments that cannot work', async () => {
    const {client, handle} = await subscribed();
    handle.close();
    assert.throws(() => handle.on('t', () => {}), {code: 'invalid_argument'});
    assert.throws(() => handle.watch('gap', () => {}), {code: 'invalid_argument'});
    assert.throws(() => handle.messages(), {code: 'invalid_argument'});
    assert.throws(() => open(client.channel('a'), {latest: -1}), {code: 'invalid_argument'});
    assert.throws(() => open(client.channel('a')).on('"', () => {}), {code: 'invalid_type'});
    client.close();
});

test('a loop of a handle ends with it', async () => {
    const {client, network, handle} = await subscribed();
    const loop = handle.messages();
    network.socket.receive(publication('a', 4, 'x', 't'));
    assert.equal((await loop.next()).value.payload, 'x');
    const next = loop.next();
    handle.close();
    assert.equal((await next).done, true);
    client.close();
});

test('a listener of a list that throws or rejects is told to onError, and the others hear of the change', async () => {
    const {client, network} = await opened();
    const {subscribe} = list(client.channel('a'), {latest: 2});
    let told = 0;
    subscribe(() => {
        throw new Error('thrown');
    });
    subscribe(async () => {
        throw new Error('rejected');
    });
    subscribe(() => told++);
    await settle();
    await accept(network.socket, 'a', {offset: 3});
    network.socket.receive(publication('a', 4, 4));
    await settle();
    assert.equal(told, 1);
    assert.deepEqual(network.errors.map(([error, context]) => [(error as Error).message, context]), [
        ['thrown', 'a handler for "change" of the list of channel a'], ['rejected', 'a handler for "change" of the list of channel a'],
    ]);
    client.close();
});

test('a list is an array that never changes, and the same one until there is another message', async () => {
    const {client, network} = await opened();
    const chat = list(client.channel('a'), {latest: 2, max: 3});
    assert.equal(list(client.channel('a'), {latest: 2, max: 3}), chat);
    const {getSnapshot, subscribe} = chat;
    assert.deepEqual(getSnapshot(), []);
    let told = 0;
    const leave = subscribe(() => told++);
    await settle();
    await accept(network.socket, 'a', {offset: 3, replay: 0});
    network.socket.receive(publication('a', 4, 4), publication('a', 5, 5), {type: 'hint', channel: 'a', payload: 1});
    await settle();
    const before = getSnapshot();
    assert.deepEqual([told, before.map(({payload}) => payload)], [1, [4, 5]]);
    assert.equal(getSnapshot(), before);
    assert.throws(() => (before as unknown[]).push(1), TypeError);
    network.socket.receive(publication('a', 6, 6), publication('a', 7, 7));
    await settle();
    assert.deepEqual([told, getSnapshot().map(({payload}) => payload), before.length], [2, [5, 6, 7], 2]);

    const late: number[] = [];
    const leaveLate = subscribe(() => late.push(getSnapshot().length));
    assert.deepEqual(getSnapshot().map(({payload}) => payload), [5, 6, 7]);
    network.socket.receive(publication('a', 8, 8));
    await settle();
    assert.deepEqual([told, late], [3, [3]]);
    leave();
    network.socket.receive(publication('a', 9, 9));
    await settle();
    assert.deepEqual([told, late], [3, [3, 3]]);
    leaveLate();
    await clock.tick(1);
    await clock.tick(2_000);
    assert.deepEqual(ops(network), ['subscribe', 'unsubscribe']);
    client.close();
});

test('when the server has lost its log, a list begins anew, as its offsets do', async () => {
    const {client, network} = await opened();
    const chat = list(client.channel('a'));
    chat.subscribe(() => {});
    await settle();
    await accept(network.socket, 'a', {offset: 0});
    network.socket.receive(publication('a', 1, 'old'), publication('a', 2, 'old'));
    await settle();
    const shown = () => chat.getSnapshot().map(({offset, payload}) => [offset, payload]);
    assert.deepEqual(shown(), [[1, 'old'], [2, 'old']]);
    const again = async (fields: Record<string, unknown>) => {
        network.socket.drop();
        await clock.tick(20_000);
        await network.welcome();
        await accept(network.socket, 'a', {epoch: 'e2', recovered: false, ...fields});
    };
    await again({offset: 0, reason: 'epoch_changed'});
    assert.deepEqual(shown(), []);
    network.socket.receive(publication('a', 1, 'new'));
    await settle();
    assert.deepEqual(shown(), [[1, 'new']]);
    // Messages that are only missing leave the rest.
    await again({offset: 7, reason: 'expired'});
    network.socket.receive(publication('a', 8, 'newer'));
    await settle();
    assert.deepEqual(shown(), [[1, 'new'], [8, 'newer']]);
    client.close();
});

test('a component that is mounted twice at once does not lose the list', async () => {
    const {client, network} = await opened();
    const chat = list(client.channel('a'));
    const mount = () => chat.subscribe(() => {});
    mount()();
    const leave = mount();
    await clock.tick(5_000);
    await accept(network.socket, 'a');
    network.socket.receive(publication('a', 1, 1));
    await settle();
    assert.equal(chat.getSnapshot().length, 1);
    assert.deepEqual(ops(network), ['subscribe']);
    leave();
    client.close();
});

test('a user who looks into many rooms is refused none', async () => {
    const {client, network} = await opened();
    for (let room = 0; room < 140; room++) {
        const remove = client.channel(`room:${room}`).on('t', () => {});
        await settle();
        await accept(network.socket, `room:${room}`);
        remove();
        if (room % 20 === 0) await clock.tick(50);
    }
    await clock.tick(200);
    let now = 0;
    let most = 0;
    for (const {op} of network.socket.sent) {
        if (op === 'subscribe') most = Math.max(most, ++now);
        if (op === 'unsubscribe') now--;
    }
    assert.deepEqual([now, most <= 100], [0, true], `${now} ${most}`);
    client.close();
});

test('a list is empty after signOut(), and has what the next user may see', async () => {
    const network = new FakeNetwork({token: 't'});
    const client = await network.connect();
    await settle();
    await network.welcome({user: 'ann'});
    const chat = list(client.channel('a'));
    const leave = chat.subscribe(() => {});
    await settle();
    await accept(network.socket, 'a');
    network.socket.receive(publication('a', 1, 'for ann'));
    await settle();
    assert.equal(chat.getSnapshot().length, 1);
    client.signOut();
    await settle();
    assert.equal(chat.getSnapshot().length, 0);
    client.signIn();
    await entered(client, 'connecting');
    await settle();
    await network.welcome({user: 'bob'});
    await accept(network.socket, 'a', {offset: 7});
    network.socket.receive(publication('a', 8, 'for bob'));
    await settle();
    assert.deepEqual(chat.getSnapshot().map(({payload}) => payload), ['for bob']);
    leave();
    client.close();
});
