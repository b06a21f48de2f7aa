// A client's storage, with a store in memory in place of the disk. What needs IndexedDB and Web Locks is
// in e2e/.

import assert from 'node:assert/strict';
import {getEventListeners} from 'node:events';
import {afterEach, beforeEach, test} from 'node:test';
import {PulsewireError} from '../src/base/errors.js';
import {connect} from '../src/index.js';
import {customStorage, type KeeperOptions, type Store, type StorageWarning, type StoredMessage, type UnsentMessage} from '../src/storage.js';
import type {Client} from '../src/client/client.js';
import type {Position} from '../src/client/events.js';
import type {ConnectOptions} from '../src/client/options.js';
import {accept, entered, fakeClock, FakeNetwork, type FakeWebSocket, held, publication, settle, welcomeFor} from './fake_network.js';

let clock: ReturnType<typeof fakeClock>;
beforeEach(() => {
    clock = fakeClock();
});
afterEach(() => clock.restore());

/** A disk that several clients share, one after the other or at a time. */
class Disk {
    readonly rows = new Map<string, StoredMessage>();
    readonly positions = new Map<string, Position>();
    readonly done: string[] = [];
    scopes: string[] = [];
    /** Replaces how the next calls of put() end. */
    write: () => Promise<void> = async () => {};
    broken: Error | undefined;
    opening: () => Promise<void> = async () => {};
    adopt: (messages: readonly StoredMessage[]) => void = () => {};
    takeSession: () => string | undefined = () => undefined;
    leaveSession: (session: string) => void = () => {};
    readonly left: StoredMessage[] = [];

    /** `off` cuts it off, as the end of its process would. */
    store(off?: AbortSignal): Store {
        return {
            open: async (scope, _, adopt) => {
                this.scopes.push(scope);
                this.adopt = adopt;
                await this.opening();
                for (const message of this.left.splice(0)) this.rows.set(message.key, message);
                adopt([...this.rows.values()].reverse());
            },
            put: (messages) => {
                if (off?.aborted) return new Promise(() => {});
                if (this.broken) return Promise.reject(this.broken);
                const written = this.write();
                for (const message of messages) this.rows.set(message.key, message);
                this.done.push(...messages.map(({payload}) => `put ${payload}`));
                return written;
            },
            remove: async (keys) => {
                if (off?.aborted) return;
                for (const key of keys) this.rows.delete(key);
                this.done.push(...keys.map((key) => `remove ${key.split('.').at(-1)}`));
            },
            position: (channel) => this.positions.get(channel),
            savePositions: (positions) => {
                if (off?.aborted) return;
                for (const [channel, position] of positions) this.positions.set(channel, position);
            },
            takeSession: () => this.takeSession(),
            leaveSession: (session) => this.leaveSession(session),
            leaveMessages: (messages) => void this.left.push(...messages),
            close: () => {
                if (!off?.aborted) this.done.push('close');
            },
        };
    }

    get payloads(): string[] {
        return [...this.rows.values()].map(({payload}) => payload);
    }
}

interface Opened {
    client: Client;
    network: FakeNetwork;
    restored: UnsentMessage[];
    warnings: StorageWarning[];
    crash(): void;
}

/** A page: a client with a storage on that disk. Its WebSocket is being opened. */
async function page(disk: Disk, keeper: KeeperOptions = {}, options: ConnectOptions = {}): Promise<Opened> {
    const network = new FakeNetwork(options);
    const off = new AbortController();
    const client = connect('http://server.test', {...network.options, storage: customStorage(disk.store(off.signal), keeper)});
    open.add(client);
    const restored: UnsentMessage[] = [];
    const warnings: StorageWarning[] = [];
    client.on('restored', (message) => restored.push(message));
    client.on('storage', (warning) => warnings.push(warning));
    await entered(client, 'connecting');
    await settle();
    const crash = () => {
        off.abort();
        client.close();
    };
    return {client, network, restored, warnings, crash};
}

const open = new Set<Client>();
afterEach(() => {
    for (const client of open) client.close();
    open.clear();
});

async function welcome(network: FakeNetwork): Promise<void> {
    await settle();
    network.socket.open();
    await settle();
    network.socket.receive(welcomeFor(network.socket.last('connect')));
    await settle();
}

const publishes = (socket: FakeWebSocket) => socket.sent.filter(({op}) => op === 'publish');
const payloads = (socket: FakeWebSocket) => publishes(socket).map(({payload}) => payload);

async function acknowledge(socket: FakeWebSocket, ...which: unknown[]): Promise<void> {
    for (const {id, channel, payload} of publishes(socket)) {
        if (which.includes(payload)) socket.receive({op: 'published', id, channel, epoch: 'e', offset: id});
    }
    await settle();
}

/** The number in a key of a storage's message, behind the 130 random bits that name the page's life. */
const numbered = (key: string): number => Number(/^[0-9a-v]{26}\.(\d+)$/.exec(key)![1]);

test('a message is written before it is sent, and removed when it is acknowledged', async () => {
    const disk = new Disk();
    const {client, network} = await page(disk);
    await welcome(network);
    let written = () => {};
    disk.write = () => new Promise((resolve) => (written = resolve));
    const promise = held(client.channel('a').publish('t', 1));
    await settle();
    assert.deepEqual(payloads(network.socket), []);
    assert.deepEqual(client.unsent.map(({payload}) => payload), [1]);
    written();
    await settle();
    const sent = network.socket.last('publish');
    assert.deepEqual([numbered(sent.key), sent.payload], [1, 1]);
    assert.deepEqual(disk.payloads, ['1']);
    await acknowledge(network.socket, 1);
    assert.deepEqual(await promise, {epoch: 'e', offset: sent.id});
    assert.deepEqual([disk.rows.size, client.unsent.length], [0, 0]);
    assert.deepEqual(disk.done, ['put 1', 'remove 1'], 'one write and one removal, as it was open all the time');

    disk.write = async () => {};
    void held(client.channel('a').publish('t', 2));
    await settle();
    disk.write = () => new Promise((resolve) => (written = resolve));
    void held(client.channel('a').publish('t', 3));
    await settle();
    await acknowledge(network.socket, 2);
    assert.deepEqual(payloads(network.socket), [1, 2], 'nothing that happens meanwhile sends it');
    written();
    await settle();
    assert.deepEqual(payloads(network.socket), [1, 2, 3]);
});

test('what an earlier page left is sent with its key, in its order, before what is new', async () => {
    const disk = new Disk();
    const first = await page(disk);
    for (const payload of [1, 2, 3]) void held(first.client.channel(payload === 2 ? 'b' : 'a').publish('t', payload, {echo: payload < 3, ...(payload === 2 && {conflate: 'two'})}));
    await settle();
    assert.deepEqual(disk.payloads, ['1', '2', '3']);
    first.crash();

    let disked = () => {};
    disk.opening = () => new Promise((resolve) => (disked = resolve));
    const {client, network, restored} = await page(disk);
    void held(client.channel('a').publish('t', 4));
    await welcome(network);
    assert.deepEqual(payloads(network.socket), [], 'nothing new overtakes what may be on the disk');
    disked();
    await settle();
    assert.deepEqual(publishes(network.socket).map(({key, channel, payload, echo, conflate}) => [numbered(key), channel, payload, echo, conflate]), [
        [1, 'a', 1, undefined, undefined], [2, 'b', 2, undefined, 'two'],
        [3, 'a', 3, false, undefined], [1, 'a', 4, undefined, undefined],
    ]);
    assert.deepEqual(restored.map((message) => [message.payload, message.restored, message.channel, message.type]), [[1, true, 'a', 't'], [2, true, 'b', 't'], [3, true, 'a', 't']]);
    assert.deepEqual(client.unsent.map((message) => [message.payload, message.restored]), [[1, true], [2, true], [3, true], [4, false]]);

    await acknowledge(network.socket, 1, 3);
    assert.deepEqual(await restored[2]!.acknowledged, {epoch: 'e', offset: publishes(network.socket)[2]!.id});
    assert.deepEqual(client.unsent.map(({payload}) => payload), [2, 4]);
    assert.deepEqual(disk.payloads, ['2', '4']);
    await acknowledge(network.socket, 2, 4);
    assert.equal(disk.rows.size, 0);
});

test('what is orphaned later is sent as well, once', async () => {
    const disk = new Disk();
    const {client, network, restored} = await page(disk);
    await welcome(network);
    const orphan = {key: 'gone.1', channel: 'a', type: 't', payload: '"x"', echo: true, timeoutMs: 0, at: Date.now()};
    disk.adopt([orphan]);
    disk.adopt([orphan]);
    await settle();
    assert.deepEqual([payloads(network.socket), restored.length], [['x'], 1]);
    await acknowledge(network.socket, 'x');
    assert.equal(client.unsent.length, 0);
});

test('transient messages, requests and queries touch no disk', async () => {
    const disk = new Disk();
    const {client, network} = await page(disk);
    await welcome(network);
    void held(client.channel('a').publish('t', 1, {transient: true}));
    void held(client.request('r'));
    void held(client.channel('a').history());
    await settle();
    assert.deepEqual([disk.done, client.unsent], [[], []]);
    assert.deepEqual(network.socket.sent.slice(1).map(({op}) => op), ['publish', 'request', 'history']);
});

test('a refused message is forgotten, here and after a reload', async () => {
    const disk = new Disk();
    const {client, network} = await page(disk);
    await welcome(network);
    const promise = held(client.channel('a').publish('t', 1));
    await settle();
    network.socket.receive({op: 'error', id: 1, code: 'rejected', message: 'no'});
    await assert.rejects(promise, {code: 'rejected'});
    await settle();
    assert.equal(disk.rows.size, 0);

    disk.rows.set('gone.1', {key: 'gone.1', channel: 'a', type: 't', payload: '2', echo: true, timeoutMs: 0, at: Date.now()});
    const second = await page(disk);
    await welcome(second.network);
    second.network.socket.receive({op: 'error', id: 1, code: 'forbidden', message: 'no'});
    await assert.rejects(second.restored[0]!.acknowledged, {code: 'forbidden'});
    await settle();
    assert.equal(disk.rows.size, 0);
});

test('close() leaves what waits to the next client', async () => {
    const disk = new Disk();
    const first = await page(disk);
    const promise = held(first.client.channel('a').publish('t', 1));
    await settle();
    first.client.close();
    await assert.rejects(promise, {code: 'closed'});
    await settle();
    assert.deepEqual([disk.payloads, disk.done.at(-1)], [['1'], 'close']);
    await assert.rejects(first.client.channel('a').publish('t', 2), {code: 'closed'});

    const second = await page(disk);
    await welcome(second.network);
    assert.deepEqual(payloads(second.network.socket), [1]);
});

test('an aborted message is withdrawn from the disk, also while older ones keep it waiting', async () => {
    const disk = new Disk();
    const stop = new AbortController();
    const {client, network} = await page(disk);
    let written = () => {};
    disk.write = () => new Promise((resolve) => (written = resolve));
    const promise = held(client.channel('a').publish('t', 1, {signal: stop.signal}));
    await settle();
    stop.abort();
    await assert.rejects(promise, {code: 'aborted'});
    written();
    await settle();
    await welcome(network);
    assert.deepEqual([disk.payloads, client.unsent, payloads(network.socket)], [[], [], []]);
});

test('withdraw() gives a message up, be it new or restored, waiting or sent', async () => {
    const disk = new Disk();
    const first = await page(disk);
    for (const payload of [1, 2]) void held(first.client.channel('a').publish('t', payload));
    await settle();
    first.crash();
    const {client, network, restored} = await page(disk, {}, {outboxMessagesMax: 4});
    await welcome(network);
    void held(client.channel('a').publish('t', 3));
    await settle();
    assert.deepEqual(payloads(network.socket), [1, 2, 3]);
    network.socket.drop();
    restored[0]!.withdraw();
    client.unsent.find(({payload}) => payload === 3)!.withdraw();
    await assert.rejects(restored[0]!.acknowledged, {code: 'aborted'});
    client.reconnectNow();
    await welcome(network);
    assert.deepEqual([payloads(network.socket), disk.payloads], [[2], ['2']]);
});

test('what waited longer than maxAgeMs fails with timeout after a reload, and is told', async () => {
    const disk = new Disk();
    const first = await page(disk);
    void held(first.client.channel('a').publish('t', 'old'));
    await clock.tick(5_000);
    void held(first.client.channel('a').publish('t', 'young'));
    await settle();
    first.crash();
    await clock.tick(56_000);
    const {network, restored} = await page(disk, {maxAgeMs: 60_000});
    await welcome(network);
    assert.deepEqual(restored.map(({payload}) => payload), ['old', 'young']);
    await assert.rejects(restored[0]!.acknowledged, {code: 'timeout'});
    assert.deepEqual([payloads(network.socket), disk.payloads], [['young'], ['"young"']]);
});

test('timeoutMs counts from publish(), also over a reload', async () => {
    const disk = new Disk();
    const first = await page(disk);
    for (const timeoutMs of [4_000, 20_000]) void held(first.client.channel('a').publish('t', timeoutMs, {timeoutMs}));
    await settle();
    first.crash();
    await clock.tick(5_000);
    const {network, restored} = await page(disk);
    await assert.rejects(restored[0]!.acknowledged, {code: 'timeout'});
    await welcome(network);
    assert.deepEqual(payloads(network.socket), [20_000]);
    await clock.tick(15_001);
    await assert.rejects(restored[1]!.acknowledged, {code: 'timeout'});
});

test('what was sent so long ago that the server would not know it again fails as unknown', async () => {
    const disk = new Disk();
    const first = await page(disk);
    void held(first.client.channel('a').publish('t', 'sent'));
    await settle();
    await welcome(first.network);
    await settle();
    assert.deepEqual(payloads(first.network.socket), ['sent']);
    first.network.socket.drop();
    void held(first.client.channel('a').publish('t', 'never sent'));
    await settle();
    assert.deepEqual([...disk.rows.values()].map(({sentAt}) => sentAt !== undefined), [true, false]);
    first.crash();
    const early = await page(disk);
    await welcome(early.network);
    assert.deepEqual(payloads(early.network.socket), ['sent', 'never sent'], 'soon enough');
    early.crash();
    disk.rows.forEach((row, key) => row.payload === '"never sent"' && disk.rows.set(key, {...row, sentAt: undefined}));
    await clock.tick(300_000);
    const late = await page(disk);
    await welcome(late.network);
    await assert.rejects(late.restored[0]!.acknowledged, {code: 'disconnected', message: /may have arrived/});
    assert.deepEqual(payloads(late.network.socket), ['never sent']);
});

test('a restored message that finds no connection in time is not sent too late either', async () => {
    const disk = new Disk();
    const first = await page(disk);
    await welcome(first.network);
    void held(first.client.channel('a').publish('t', 1));
    await settle();
    first.crash();
    const {network, restored} = await page(disk, {repeatWithinMs: 60_000});
    for (let second = 0; second < 60; second++) await clock.tick(1_000);
    assert.ok(network.sockets.length > 1, 'it was tried');
    await assert.rejects(restored[0]!.acknowledged, {code: 'disconnected'});
    assert.equal(disk.rows.size, 0);
});

test('the outbox’s limits hold for all that waits, what was restored included', async () => {
    const disk = new Disk();
    const options = {outboxMessagesMax: 3, outboxBytesMax: 100};
    const first = await page(disk, {}, options);
    for (const payload of [1, 2]) void held(first.client.channel('a').publish('t', payload));
    await settle();
    first.crash();
    const {client, network} = await page(disk, {}, options);
    const third = held(client.channel('a').publish('t', 'x'.repeat(99)));
    await assert.rejects(third, (error) => error instanceof PulsewireError && error.code === 'outbox_full');
    void held(client.channel('a').publish('t', 3));
    await assert.rejects(client.channel('a').publish('t', 4), {code: 'outbox_full', message: /outboxMessagesMax/});
    await settle();
    await welcome(network);
    assert.deepEqual(payloads(network.socket), [1, 2, 3]);
    await acknowledge(network.socket, 2);
    void held(client.channel('a').publish('t', 5));
    await settle();
    assert.deepEqual(payloads(network.socket), [1, 2, 3, 5]);
});

test('more orphans than the outbox takes at once are sent in turn', async () => {
    const disk = new Disk();
    for (let n = 1; n <= 7; n++) disk.rows.set(`gone.${n}`, {key: `gone.${n}`, channel: 'a', type: 't', payload: String(n), echo: true, timeoutMs: 0, at: n + Date.now()});
    const {client, network} = await page(disk, {}, {outboxMessagesMax: 3});
    await welcome(network);
    assert.deepEqual(payloads(network.socket), [1, 2, 3]);
    await acknowledge(network.socket, 1, 2, 3);
    await acknowledge(network.socket, 4);
    await acknowledge(network.socket, 5, 6);
    await acknowledge(network.socket, 7);
    assert.deepEqual(payloads(network.socket), [1, 2, 3, 4, 5, 6, 7]);
    assert.deepEqual([client.unsent.length, disk.rows.size], [0, 0]);
});

test('an outbox that requests have filled keeps orphans waiting, and in order', async () => {
    const disk = new Disk();
    const {client, network, restored} = await page(disk, {}, {outboxMessagesMax: 2});
    await welcome(network);
    void held(client.request('r'));
    void held(client.request('r'));
    await settle();
    disk.adopt([1, 2].map((n) => ({key: `gone.${n}`, channel: 'a', type: 't', payload: String(n), echo: true, timeoutMs: 0, at: n})));
    await settle();
    assert.deepEqual(payloads(network.socket), []);
    for (const {id} of network.socket.sent.filter(({op}) => op === 'request')) network.socket.receive({op: 'response', id, payload: 0});
    await clock.tick(1_000);
    assert.deepEqual(payloads(network.socket), [1, 2]);
    await acknowledge(network.socket, 1, 2);
    assert.equal((await restored[1]!.acknowledged)!.epoch, 'e');
});

test('a store that does not open is told once, and the client works in memory', async () => {
    const disk = new Disk();
    const cause = new Error('private window');
    disk.opening = async () => {
        throw cause;
    };
    const {client, network, warnings} = await page(disk);
    const promises = [1, 2].map((payload) => held(client.channel('a').publish('t', payload)));
    await welcome(network);
    assert.deepEqual(warnings.map((warning) => [warning.code, warning.cause]), [['unavailable', cause]]);
    assert.match(warnings[0]!.message, /not kept beyond this page.*private window/);
    assert.deepEqual(payloads(network.socket), [1, 2]);
    await acknowledge(network.socket, 1, 2);
    for (const promise of promises) assert.equal((await promise)!.epoch, 'e');
    assert.deepEqual(disk.done, []);
});

test('a write that fails is told once, and the message is sent from memory', async () => {
    const disk = new Disk();
    const {client, network, warnings} = await page(disk);
    await welcome(network);
    disk.broken = new Error('the disk is full');
    for (const payload of [1, 2]) {
        void held(client.channel('a').publish('t', payload));
        await settle();
    }
    assert.deepEqual(warnings.map(({code}) => code), ['failed']);
    assert.deepEqual(payloads(network.socket), [1, 2]);
    disk.broken = undefined;
    void held(client.channel('a').publish('t', 3));
    await settle();
    assert.deepEqual(disk.payloads, ['3'], 'the next one is tried again');
});

test('a store that does not answer keeps nothing waiting for long', async () => {
    const disk = new Disk();
    disk.opening = () => new Promise(() => {});
    const {client, network, warnings} = await page(disk);
    void held(client.channel('a').publish('t', 1));
    await welcome(network);
    assert.deepEqual(payloads(network.socket), []);
    await clock.tick(5_000);
    assert.deepEqual([payloads(network.socket), warnings.map(({code}) => code)], [[1], ['unavailable']]);

    const slow = new Disk();
    const second = await page(slow);
    await welcome(second.network);
    slow.write = () => new Promise(() => {});
    void held(second.client.channel('a').publish('t', 1));
    await settle();
    await clock.tick(2_000);
    assert.deepEqual([payloads(second.network.socket), second.warnings.map(({code}) => code)], [[1], ['failed']]);
    void held(second.client.channel('a').publish('t', 2));
    await settle();
    await clock.tick(0);
    assert.deepEqual(payloads(second.network.socket), [1, 2]);
});

test('a store that opens late is used from then on', async () => {
    const disk = new Disk();
    disk.rows.set('gone.1', {key: 'gone.1', channel: 'a', type: 't', payload: '1', echo: true, timeoutMs: 0, at: Date.now()});
    let opened = () => {};
    disk.opening = () => new Promise((resolve) => (opened = resolve));
    const {client, network, warnings} = await page(disk);
    void held(client.channel('a').publish('t', 2));
    await welcome(network);
    await clock.tick(5_000);
    assert.deepEqual([payloads(network.socket), warnings.map(({code}) => code)], [[2], ['unavailable']]);
    opened();
    await settle();
    void held(client.channel('a').publish('t', 3));
    await settle();
    assert.deepEqual([payloads(network.socket), disk.payloads], [[2, 1, 3], ['1', '3']]);
    await acknowledge(network.socket, 1, 2, 3);
    assert.deepEqual(disk.payloads, []);
});

test('an AbortSignal that outlives its messages holds none of them', async () => {
    const {client, network} = await page(new Disk());
    await welcome(network);
    const {signal} = new AbortController();
    for (let n = 0; n < 3; n++) void held(client.channel('a').publish('t', n, {signal}));
    await settle();
    assert.equal(getEventListeners(signal, 'abort').length, 3);
    await acknowledge(network.socket, 0, 1, 2);
    assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('resume goes on where the tab was; the position is saved about once a second and at the end', async () => {
    const disk = new Disk();
    const first = await page(disk);
    await welcome(first.network);
    first.client.channel('a', {resume: true, latest: 5}).on('*', () => {});
    first.client.channel('b', {latest: 5}).on('*', () => {});
    await settle();
    assert.deepEqual(first.network.socket.sent.slice(-2).map(({epoch, offset, latest}) => [epoch, offset, latest]), [[undefined, undefined, 5], [undefined, undefined, 5]]);
    await accept(first.network.socket, 'a', {epoch: 'e1', offset: 7});
    await accept(first.network.socket, 'b', {epoch: 'e1', offset: 7});
    first.network.socket.receive(publication('a', 8, 1), publication('b', 8, 1));
    assert.equal(disk.positions.size, 0);
    await clock.tick(1_000);
    assert.deepEqual([...disk.positions], [['a', {epoch: 'e1', offset: 8}]]);
    first.network.socket.receive(publication('a', 9, 1), {op: 'gap', channel: 'a', offset: 12, reason: 'replaced'});
    first.client.close();
    assert.deepEqual([...disk.positions], [['a', {epoch: 'e1', offset: 12}]]);

    const second = await page(disk);
    await welcome(second.network);
    const channel = second.client.channel('a', {resume: true, since: {epoch: 'e1', offset: 1}});
    const told: unknown[] = [];
    channel.watch('subscribed', ({recovered}) => told.push(recovered));
    channel.watch('gap', ({reason}) => told.push(reason));
    await settle();
    const {epoch, offset} = second.network.socket.last('subscribe');
    assert.deepEqual([epoch, offset], ['e1', 12]);
    await accept(second.network.socket, 'a', {epoch: 'e2', offset: 3, recovered: false, reason: 'epoch_changed'});
    assert.deepEqual(told, [false, 'epoch_changed']);
    channel.unsubscribe();
    channel.on('*', () => {});
    await settle();
    const again = second.network.socket.last('subscribe');
    assert.deepEqual([again.epoch, again.offset], ['e2', 3], 'and after unsubscribe()');
});

test('without a storage resume changes nothing and nothing is unsent', async () => {
    const network = new FakeNetwork();
    const client = await network.connect();
    await network.welcome();
    client.channel('a', {resume: true, since: {epoch: 'e1', offset: 4}}).on('*', () => {});
    void held(client.channel('a').publish('t', 1));
    await settle();
    assert.deepEqual([network.socket.last('subscribe').offset, client.unsent], [4, []]);
    assert.match(network.socket.last('publish').key, new RegExp(`^${client.session}-\\d+-2$`));
});

test('a storage serves one client, and the store is told of which server', async () => {
    const disk = new Disk();
    const storage = customStorage(disk.store());
    const network = new FakeNetwork({storage});
    await network.connect();
    assert.throws(() => connect('http://server.test', network.options), {code: 'invalid_argument'});
    assert.deepEqual(disk.scopes, ['http://server.test/sse']);
});

test('the keys of kept messages have random bits of their own per life, drawn for secrets', async (t) => {
    const keyOf = async (word: number) => {
        const drawn = t.mock.method(crypto, 'getRandomValues', (array: Uint32Array) => array.fill(word));
        const {client, network} = await page(new Disk());
        drawn.mock.restore();
        void held(client.channel('a').publish('t', 1));
        await welcome(network);
        await settle();
        const [sent] = publishes(network.socket);
        return sent!.key;
    };
    assert.equal(await keyOf(0xffffffff), `${'v'.repeat(26)}.1`);
    assert.equal(await keyOf(1), `${'1'.repeat(26)}.1`);
});

test('a page that is left leaves its session to the next one, and no key is used twice', async () => {
    const disk = new Disk();
    let left: string | undefined;
    disk.takeSession = () => {
        const session = left;
        left = undefined;
        return session;
    };
    disk.leaveSession = (session) => (left = session);
    const pages = browserEvents();
    const first = await page(disk);
    await welcome(first.network);
    const before = first.client.session;
    assert.notEqual(before, '');
    void held(first.client.channel('a').publish('t', 1));
    await settle();
    pages.dispatchEvent(new Event('pagehide'));
    pages.gone();
    first.crash();
    const second = await page(disk);
    void held(second.client.channel('a').publish('t', 2));
    await welcome(second.network);
    await settle();
    const keys = publishes(second.network.socket).map(({key}) => key);
    assert.equal(new Set(keys).size, 2, String(keys));
    assert.equal(second.client.session, before);
    const third = await page(disk);
    await welcome(third.network);
    assert.notEqual(third.client.session, before, 'a page beside the second is another client');
});

test('a page that is left before its store has opened leaves its messages, too, and they are sent once', async () => {
    const disk = new Disk();
    disk.opening = () => new Promise(() => {});
    const pages = browserEvents();
    const first = await page(disk);
    void held(first.client.channel('a').publish('t', 1));
    void held(first.client.channel('a').publish('t', 2));
    pages.dispatchEvent(new Event('pagehide'));
    pages.gone();
    first.crash();
    disk.opening = async () => {};
    const second = await page(disk);
    void held(second.client.channel('a').publish('t', 3));
    await welcome(second.network);
    await settle();
    assert.deepEqual(publishes(second.network.socket).map(({payload}) => payload), [1, 2, 3]);
    assert.deepEqual(second.restored.map(({payload}) => payload), [1, 2]);
    pages.dispatchEvent(new Event('pagehide'));
    assert.deepEqual(disk.left, [], 'what is written is not left again');
});

test('a store that cannot tell a session harms nobody', async () => {
    const disk = new Disk();
    disk.takeSession = disk.leaveSession = () => { throw new Error('no sessionStorage'); };
    const pages = browserEvents();
    const {client, network, warnings} = await page(disk);
    pages.dispatchEvent(new Event('pagehide'));
    pages.gone();
    await welcome(network);
    assert.match(client.session, /^\w{26}$/);
    assert.deepEqual(warnings, []);
});

/** The events of a browser's window, which Node has not. */
function browserEvents(): EventTarget & {gone(): void} {
    const target = new EventTarget();
    const {addEventListener, removeEventListener} = globalThis;
    Object.assign(globalThis, {
        addEventListener: target.addEventListener.bind(target), removeEventListener: target.removeEventListener.bind(target),
    });
    return Object.assign(target, {gone: () => void Object.assign(globalThis, {addEventListener, removeEventListener})});
}

/** The server takes the connection of that user. */
async function welcomeUser(network: FakeNetwork, user: string): Promise<void> {
    await settle();
    network.socket.open();
    await settle();
    network.socket.receive(welcomeFor(network.socket.last('connect'), {user}));
    await settle();
}

test('what a user left unsent is neither sent nor shown for another one, and waits for its user', async () => {
    const disk = new Disk();
    const of = (token: string) => page(disk, {}, {token});
    const ann = await of('ann-1');
    await welcomeUser(ann.network, 'ann');
    held(ann.client.channel('a').publish('t', 'of ann'));
    await settle();
    ann.crash();

    const bob = await of('bob-1');
    await welcomeUser(bob.network, 'bob');
    held(bob.client.channel('a').publish('t', 'of bob'));
    await settle();
    assert.deepEqual(payloads(bob.network.socket), ['of bob']);
    assert.deepEqual(bob.restored, []);
    assert.deepEqual(bob.client.unsent.map(({payload}) => payload), ['of bob']);
    bob.crash();

    const again = await of('ann-2');
    assert.deepEqual(again.client.unsent, [], 'nobody knows yet who this is');
    await welcomeUser(again.network, 'ann');
    assert.deepEqual(payloads(again.network.socket), ['of ann']);
    assert.deepEqual(again.restored.map(({payload}) => payload), ['of ann']);
});

test('a message of before the user is known becomes that user’s', async () => {
    const disk = new Disk();
    const {client, network} = await page(disk, {}, {token: 't'});
    held(client.channel('a').publish('t', 'early'));
    await settle();
    await welcomeUser(network, 'ann');
    assert.deepEqual(payloads(network.socket), ['early']);
    await settle();
    assert.deepEqual([...disk.rows.values()].map(({user}) => user), ['ann']);
});

test('signOut() drops the messages and positions of the user', async () => {
    const disk = new Disk();
    const {client, network} = await page(disk, {}, {token: 't'});
    await welcomeUser(network, 'ann');
    client.channel('a', {resume: true}).on('*', () => {});
    await settle();
    await accept(network.socket, 'a', {offset: 5});
    const waiting = held(client.channel('a').publish('t', 'of ann'));
    await settle();
    client.signOut();
    await assert.rejects(waiting, {code: 'aborted'});
    await settle();
    assert.deepEqual(disk.payloads, []);
    assert.deepEqual(client.unsent, []);
    client.signIn();
    await entered(client, 'connecting');
    await welcomeUser(network, 'bob');
    assert.deepEqual(payloads(network.socket), []);
    assert.equal(network.socket.last('subscribe').offset, undefined);
});

test('what waits when a client ends without a token is sent when its user is back', async () => {
    const disk = new Disk();
    let token: string | null = 't1';
    const {client, network} = await page(disk, {}, {token: () => token});
    await welcomeUser(network, 'ann');
    token = null;
    network.socket.drop(4004);
    held(client.channel('a').publish('t', 'of ann'));
    await clock.tick(20_000);
    assert.equal(client.state.name, 'closed');
    assert.deepEqual(client.unsent.map(({payload}) => payload), ['of ann']);
    token = 't2';
    client.signIn();
    await entered(client, 'connecting');
    await welcomeUser(network, 'ann');
    assert.deepEqual(payloads(network.socket), ['of ann']);
});

test('a channel goes on from where its user was, and another user begins anew', async () => {
    const disk = new Disk();
    const of = async (user: string | undefined, token: string | null = user!) => {
        const opened = await page(disk, {}, {token: () => token, anonymous: true});
        opened.client.channel('a', {resume: true}).on('*', () => {});
        await settle();
        assert.deepEqual(opened.network.socket.sent, [], 'nobody knows yet who this is');
        await (user ? welcomeUser(opened.network, user) : welcome(opened.network));
        return opened;
    };
    const asked = ({network}: Opened) => {
        const {epoch, offset} = network.socket.last('subscribe');
        return epoch && `${epoch} ${offset}`;
    };
    const ann = await of('ann');
    assert.equal(asked(ann), undefined);
    await accept(ann.network.socket, 'a', {offset: 5});
    await clock.tick(1000);
    ann.crash();
    const again = await of('ann');
    assert.equal(asked(again), 'e1 5');
    again.crash();
    for (const user of ['bob', undefined]) {
        const other = await of(user, user ?? null);
        assert.equal(asked(other), undefined, user);
        other.crash();
    }
    const last = await of('ann');
    assert.equal(asked(last), 'e1 5');
    last.crash();

    // Of before it was known whose it is.
    disk.positions.set('a', {epoch: 'e1', offset: 3});
    const first = await of('ann');
    assert.equal(asked(first), undefined);
});

test('a channel that waits for its user subscribes before what was published after it, and may be given up', async () => {
    const {client, network} = await page(new Disk(), {}, {token: 't'});
    client.channel('a', {resume: true}).on('*', () => {});
    held(client.channel('a').publish('t', 1));
    client.channel('b', {resume: true}).on('*', () => {});
    client.channel('b').unsubscribe();
    await welcomeUser(network, 'ann');
    assert.deepEqual(network.socket.sent.map(({op, channel}) => `${op} ${channel ?? ''}`), ['connect ', 'subscribe a', 'publish a']);

    const closed = await page(new Disk(), {}, {token: () => new Promise(() => {})});
    closed.client.channel('a', {resume: true}).on('*', () => {});
    assert.equal(closed.client.channel('a').state, 'subscribing');
    closed.client.close();
    assert.equal(closed.client.channel('a').state, 'idle');
});

test('after an end without a token, another user sends nothing of the first one’s and begins anew in each channel', async () => {
    const disk = new Disk();
    let token: string | null = 't1';
    const {client, network} = await page(disk, {}, {token: () => token});
    await welcomeUser(network, 'ann');
    client.channel('a', {resume: true}).on('*', () => {});
    client.channel('b').on('*', () => {});
    await settle();
    for (const name of ['a', 'b']) await accept(network.socket, name, {offset: 5});
    const connections = network.sockets.length;
    token = null;
    network.socket.drop(4004);
    held(client.channel('a').publish('t', 'of ann'));
    await clock.tick(20_000);
    assert.equal(client.state.name, 'closed');
    token = 't2';
    client.signIn();
    held(client.channel('a').publish('t', 'of bob'));
    await entered(client, 'connecting');
    await settle();
    await welcomeUser(network, 'bob');
    assert.equal(network.sockets.length, connections + 1);
    assert.deepEqual(payloads(network.socket), ['of bob']);
    assert.deepEqual(client.unsent.map(({payload}) => payload), ['of bob']);
    assert.deepEqual([...disk.rows.values()].map(({user, payload}) => [user, payload]), [['ann', '"of ann"'], ['bob', '"of bob"']]);
    const subscribes = network.socket.sent.filter(({op}) => op === 'subscribe');
    assert.deepEqual(subscribes.map(({channel, offset}) => [channel, offset]), [['a', undefined], ['b', undefined]]);
});

test('what another user left takes no room, and goes when it is too old to be sent', async () => {
    const disk = new Disk();
    const of = (token: string) => page(disk, {maxAgeMs: 10_000}, {token, outboxMessagesMax: 1});
    const ann = await of('ann');
    await welcomeUser(ann.network, 'ann');
    held(ann.client.channel('a').publish('t', 'of ann'));
    await settle();
    ann.crash();
    const bob = await of('bob');
    await welcomeUser(bob.network, 'bob');
    held(bob.client.channel('a').publish('t', 'of bob'));
    await settle();
    assert.deepEqual(payloads(bob.network.socket), ['of bob']);
    assert.deepEqual(disk.payloads, ['"of ann"', '"of bob"']);
    await assert.rejects(bob.client.channel('a').publish('t', 'more'), {code: 'outbox_full'});
    bob.crash();
    await clock.tick(11_000);
    const eve = await of('eve');
    await welcomeUser(eve.network, 'eve');
    await settle();
    assert.deepEqual(disk.payloads, []);
    assert.deepEqual(eve.restored, []);
});

test('a client that nobody signs in on keeps and sends messages after signOut() and signIn()', async () => {
    const disk = new Disk();
    const {client, network} = await page(disk);
    await welcome(network);
    client.signOut();
    client.signIn();
    await entered(client, 'connecting');
    await welcome(network);
    held(client.channel('a').publish('t', 1));
    await settle();
    assert.deepEqual(payloads(network.socket), [1]);
});

test('a page goes on as the client of the page before only for the same user', async () => {
    const disk = new Disk();
    let left: string | undefined;
    disk.takeSession = () => {
        const taken = left;
        left = undefined;
        return taken;
    };
    disk.leaveSession = (session) => (left = session);
    const tokenOf = (sub: unknown) => `e30.${Buffer.from(JSON.stringify({sub})).toString('base64url')}.c2ln`;
    /** The session that a page shows to the server. */
    const shown = async (token: string | null, user?: string) => {
        const pages = browserEvents();
        const {client, network} = await page(disk, {}, {token: () => token, anonymous: true});
        await (user ? welcomeUser(network, user) : welcome(network));
        pages.dispatchEvent(new Event('pagehide'));
        pages.gone();
        client.close();
        return network.socket.last('connect').session as string;
    };
    const name = 'ann|ë~1';
    const wire = 'ann=7C=C3=AB=7E1';
    const first = await shown(tokenOf(name), wire);
    assert.match(first, /^\w{26}$/);
    assert.equal(left, `${first} ${wire}`);
    assert.equal(await shown(tokenOf(name), wire), first);
    const bobs = await shown(tokenOf('bob'), 'bob');
    assert.notEqual(bobs, first);
    assert.notEqual(await shown(tokenOf('bo'), 'bo'), bobs);
    for (const token of [tokenOf(name), 'opaque', tokenOf(5), 'a.b.c', null]) {
        left = `${first} bob`;
        assert.notEqual(await shown(token, token ? 'x' : undefined), first, String(token));
    }
    const nobodys = await shown(null);
    assert.equal(await shown(null), nobodys);
    assert.notEqual(await shown(tokenOf(name), wire), nobodys);
});

test('a page that was never open leaves no session', async () => {
    const disk = new Disk();
    const left: string[] = [];
    disk.leaveSession = (session) => left.push(session);
    const pages = browserEvents();
    const {client} = await page(disk, {}, {token: () => new Promise(() => {})});
    pages.dispatchEvent(new Event('pagehide'));
    pages.gone();
    client.close();
    assert.deepEqual(left, []);
});
