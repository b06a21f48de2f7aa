// Failures that nobody listens to reach the application once, and never end it.

import assert from 'node:assert/strict';
import {afterEach, beforeEach, test} from 'node:test';
import {connect} from '../src/index.js';
import {list} from '../src/list.js';
import {request} from '../src/requests.js';
import {browserStorage} from '../src/storage.js';
import {FakeNetwork, held, opened, publication, accept, settle} from './fake_network.js';

const unhandled: unknown[] = [];
const note = (error: unknown) => unhandled.push(error);
beforeEach(() => process.on('unhandledRejection', note));
afterEach(() => {
    process.off('unhandledRejection', note);
    assert.deepEqual(unhandled.splice(0), []);
});

/** Lets what is reported a task later be reported. */
async function reported(): Promise<void> {
    await settle();
    await new Promise((resolve) => setTimeout(resolve));
    await settle();
}

const codes = ({errors}: FakeNetwork) => errors.map(([error]) => (error as {code: string}).code);

test('a rejected promise that nobody waits for is told to onError, once', async () => {
    const {client, network} = await opened();
    const channel = client.channel('a');
    void channel.publish('t', 1);
    void channel.publish('t', 1n);
    void client.request('t', 1);
    void request(channel, 'the-other-session', 't');
    void channel.history({limit: 0});
    await settle();
    network.socket.receive({op: 'error', id: network.socket.last('publish').id, code: 'forbidden', message: 'no'});
    await reported();
    assert.deepEqual(codes(network), ['invalid_argument', 'invalid_argument', 'forbidden']);
    assert.match(network.errors[0]![1], /^publishing t in channel a$/);
    client.close();
    await reported();
    assert.deepEqual(codes(network).slice(3), ['closed', 'closed']);
});

test('one that somebody waits for is not told a second time, however it is awaited', async () => {
    const {client, network} = await opened();
    const channel = client.channel('a');
    const publish = () => channel.publish('t', 1n);
    await assert.rejects(publish());
    await publish().catch(() => {});
    await publish().then(undefined, () => {});
    await Promise.allSettled([publish(), publish()]);
    await assert.rejects((async () => publish())());
    await assert.rejects((async () => await publish())());
    await assert.rejects(publish().finally(() => {}));
    await assert.rejects(Promise.race([publish()]));
    await assert.rejects(Promise.resolve().then(publish));
    assert.ok(publish().catch(() => {}) instanceof Promise);
    await reported();
    assert.deepEqual(network.errors, []);
    client.close();
});

test('a transient message that no connection takes is nobody’s concern', async () => {
    const network = new FakeNetwork();
    const client = await network.connect();
    void client.channel('a').publish('t', 1, {transient: true});
    await reported();
    assert.deepEqual(network.errors, []);
    client.close();
});

test('by default the console has each kind of failure once', async (t) => {
    const log = t.mock.method(console, 'error', () => {});
    const {client} = await opened({onError: undefined as never});
    for (let i = 0; i < 5; i++) void client.channel('a').publish('t', 1n);
    void client.channel('b').publish('t', 1n);
    await reported();
    assert.deepEqual(log.mock.calls.map(({arguments: [line]}) => String(line).split(':')[0]), ['publishing t in channel a', 'publishing t in channel b']);
    client.close();
});

test('what an async handler rejects with goes to onError, as does what onError rejects with to the console', async (t) => {
    const {client, network} = await opened();
    const channel = client.channel('a');
    const fail = async () => {
        throw new TypeError('mine');
    };
    channel.on('t', fail);
    channel.watch('message', fail);
    channel.watch('subscribed', fail);
    client.on('closed', fail);
    await settle();
    await accept(network.socket, 'a');
    network.socket.receive(publication('a', 1, 1, 't'));
    await reported();
    assert.deepEqual(network.errors.map(([, context]) => context).sort(), [
        'a handler for "subscribed" of channel a', 'a handler for "t" of channel a', 'a handler for "t" of channel a',
    ]);
    client.close();
    await reported();
    assert.equal(network.errors.at(-1)![1], 'a handler for "closed" of the client');

    const log = t.mock.method(console, 'error', () => {});
    const other = await opened({onError: fail as never});
    void other.client.channel('a').publish('t', 1n);
    await reported();
    assert.equal(log.mock.calls.length, 1);
    other.client.close();
});

test('a refused subscription that nobody watches is told', async () => {
    const {client, network} = await opened();
    const refuse = async (name: string, act: () => unknown) => {
        act();
        await settle();
        network.socket.receive({op: 'error', id: network.socket.sent.filter(({channel}) => channel === name).at(-1)!.id, code: 'too_many_channels', message: 'full'});
        await reported();
    };
    await refuse('a', () => client.channel('a').on('*', () => {}));
    assert.deepEqual(network.errors.map(([error, context]) => [(error as {code: string}).code, context]), [['too_many_channels', 'subscribing to channel a']]);
    await refuse('b', () => client.channel('b').watch('refused', () => {}));
    await refuse('c', () => held(client.channel('c').messages().next()));
    assert.equal(network.errors.length, 1);
    await refuse('d', () => list(client.channel('d')).subscribe(() => {}));
    assert.equal(network.errors.length, 2);
    client.close();
});

test('an end of the client that nobody asked for and nobody watches is told, with its reason', async () => {
    const end = async (network: FakeNetwork, prepare: (client: ReturnType<typeof connect>) => void) => {
        const client = connect('http://server.test', network.options);
        prepare(client);
        while (!network.sockets.length) await settle();
        network.socket.drop(4502);
        await reported();
        return network.errors;
    };
    const [[error, context]] = await end(new FakeNetwork(), () => {}) as [[Error, string]];
    assert.deepEqual([(error as {code?: string}).code, context], ['closed', 'the connection to the server']);
    assert.match(error.message, /unauthorized/);
    assert.deepEqual(await end(new FakeNetwork(), (client) => client.on('closed', () => {})), []);
    assert.deepEqual(await end(new FakeNetwork(), (client) => client.on('state', () => {})), []);
    const stopped = new AbortController();
    const network = new FakeNetwork({signal: stopped.signal});
    connect('http://server.test', network.options);
    stopped.abort();
    await reported();
    assert.deepEqual(network.errors, []);
    // A storage listens for itself.
    const stored = new FakeNetwork({storage: browserStorage()});
    assert.equal((await end(stored, () => {})).length, 1);
});

test('one who asks for the latest messages of a channel that others already hear is told how to get them', async () => {
    const {client, network} = await opened();
    // Two handlers of one user, and one who only publishes, miss nothing.
    const first = client.channel('a', {latest: 5});
    first.on('t', () => {});
    client.channel('a', {latest: 5}).on('u', () => {});
    await settle();
    await accept(network.socket, 'a', {offset: 3});
    void held(client.channel('a', {latest: 5}).publish('t', 1));
    client.channel('a').on('v', () => {});
    await reported();
    assert.equal(network.errors.length, 0);
    client.channel('a', {latest: 5}).on('t', () => {});
    client.channel('a').on('t', () => {});
    await reported();
    assert.deepEqual(network.errors.map(([error, context]) => [(error as Error).message, context]), [['latest is too late: see pulsewire/list', 'channel a']]);
    client.close();
});
