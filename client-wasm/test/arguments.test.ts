// Arguments that cannot work are refused at the call, by every function.

import assert from 'node:assert/strict';
import {test} from 'node:test';
import {connect} from '../src/index.js';
import {list, open} from '../src/list.js';
import {handle, request} from '../src/requests.js';
import {browserStorage, customStorage} from '../src/storage.js';
import {fakeClock, FakeNetwork, held, opened, settle} from './fake_network.js';

const refused = {name: 'PulsewireError', code: 'invalid_argument'};
const nonsense: unknown[] = [NaN, -1, '20', null, {}, true, 10n, Symbol('s'), () => {}];

test('an option of connect() that is no limit is refused, whatever it is', () => {
    const names = [
        'backoffMinMs', 'backoffMaxMs', 'stableAfterMs', 'attemptsMax', 'openTimeoutMs', 'commandTimeoutMs', 'outboxMessagesMax', 'outboxBytesMax',
        'requestTimeoutMs',
    ];
    for (const name of names) {
        for (const value of nonsense) {
            assert.throws(() => connect('http://a.test', {...new FakeNetwork().options, [name]: value}), refused, `${name}: ${String(value)}`);
        }
    }
    for (const [name, value] of [
        ['transport', 'ws'], ['transport', 1], ['signal', {}], ['onError', 'log'], ['storage', true], ['WebSocket', {}], ['EventSource', 5], ['fetch', '/'],
        ['openTimeoutMs', 0], ['requestTimeoutMs', 120_001], ['requestTimeoutMs', Infinity],
    ] as const) {
        assert.throws(() => connect('http://a.test', {...new FakeNetwork().options, [name]: value}), refused, `${name}: ${String(value)}`);
    }
    for (const options of [null, 5, 'sse', [], new Map()]) assert.throws(() => connect('http://a.test', options as never), refused);
    assert.throws(() => connect('http://a.test', {...new FakeNetwork().options, backoffMinMs: 5, backoffMaxMs: 4}), refused);
    assert.throws(() => connect('http://a.test', {...new FakeNetwork().options, backoffMinMs: Infinity}), refused);
});

test('a name that is not known is refused with the one that is probably meant', async () => {
    const {client} = await opened();
    const told = (name: string, call: () => unknown) => assert.throws(call, (error: Error) => error.message.includes(`did you mean ${name}?`), name);
    told('openTimeoutMs', () => connect('http://a.test', {openTimeout: 5} as never));
    told('backoffMinMs', () => connect('http://a.test', {backOffMin: 5} as never));
    told('latest', () => client.channel('a', {lates: 5} as never));
    told('open', () => client.on('opne' as never, () => {}));
    told('subscribed', () => client.channel('a').watch('subcribed' as never, () => {}));
    await assert.rejects(client.channel('a').publish('t', 1, {timeout: 5} as never), /did you mean timeoutMs\?/);
    await assert.rejects(client.channel('a').history({befor: 5} as never), /did you mean before\?/);
    await assert.rejects(client.request('t', 1, {timeOutMs: 5} as never), /did you mean timeoutMs\?/);
    assert.throws(() => connect('http://a.test', {xyz: 1} as never), /there is no option xyz(:|, only transport, signal)/);
    client.close();
});

test('Infinity is no limit: nothing is given up, and no timer is longer than timers can be', async (t) => {
    const clock = fakeClock();
    t.after(() => clock.restore());
    const timer = t.mock.method(globalThis, 'setTimeout');
    const unlimited = {
        openTimeoutMs: Infinity, commandTimeoutMs: Infinity, outboxMessagesMax: Infinity, outboxBytesMax: Infinity, stableAfterMs: Infinity,
        attemptsMax: Infinity, backoffMaxMs: Infinity,
    };
    const {client, network} = await opened(unlimited);
    const published = held(client.channel('a').publish('t', 1, {timeoutMs: Infinity}));
    await settle();
    await clock.tick(3_600_000 - 3_590_000);
    assert.equal(client.state.name, 'open');
    network.socket.receive({op: 'published', id: network.socket.last('publish').id, channel: 'a', epoch: 'e', offset: 1});
    assert.deepEqual(await published, {epoch: 'e', offset: 1});
    for (const {arguments: [, ms = 0]} of timer.mock.calls) assert.ok(ms < 2 ** 31, `${ms}`);
    client.close();
});

test('a part of a millisecond is no unlimited time', async () => {
    const clock = fakeClock();
    const {client} = await opened();
    const published = held(client.channel('a').publish('t', 1, {timeoutMs: 0.5}));
    await settle();
    await clock.tick(2);
    await assert.rejects(published, {code: 'timeout'});
    client.close();
    clock.restore();
});

test('the arguments of channels are checked at the call', async () => {
    const {client} = await opened();
    for (const name of [5, undefined, null, ['a'], Symbol('a')]) assert.throws(() => client.channel(name as never), {code: 'invalid_channel'});
    // This one where the channel is subscribed.
    for (const latest of [-1, NaN, '20', null]) {
        assert.throws(() => client.channel('a', {latest} as never).on('t', () => {}), refused);
        assert.throws(() => client.channel('a').watch('gap', () => {}), refused);
        assert.equal(client.channel('a', {latest: 0}).state, 'idle');
    }
    for (const since of [5, {}, {epoch: 'e"', offset: 1}, {epoch: 'e', offset: -1}, {epoch: 'e', offset: 1.5}, {epoch: 'e'}]) {
        assert.throws(() => open(client.channel('a'), {since} as never), refused, JSON.stringify(since));
    }
    for (const presence of ['Ada', 5, null, ['Ada']]) assert.throws(() => client.channel('a', {presence} as never), refused);
    assert.throws(() => client.channel('a', {resume: 'yes'} as never), refused);
    const channel = client.channel('a');
    for (const handler of [undefined, null, {}, 'f']) {
        assert.throws(() => channel.on('t', handler as never), refused);
        assert.throws(() => channel.on('*', handler as never), refused);
        assert.throws(() => channel.watch('gap', handler as never), refused);
        assert.throws(() => client.on('state', handler as never), refused);
        assert.throws(() => handle(channel, 't', handler as never), refused);
    }
    for (const type of [5, undefined, '']) assert.throws(() => channel.on(type as never, () => {}), {code: 'invalid_type'});
    for (const capacity of [0, -1, NaN, '5']) assert.throws(() => channel.messages({capacity} as never), refused);
    for (const latest of [-1, NaN]) assert.throws(() => list(channel, {latest}), refused);
    assert.equal(channel.state, 'idle');
    client.close();
});

test('the arguments of publishes, requests and queries are checked at the call', async () => {
    const {client, network} = await opened();
    const channel = client.channel('a');
    for (const options of [{timeoutMs: -5}, {timeoutMs: NaN}, {echo: 'no'}, {transient: 1}, {conflate: ''}, {conflate: 5}, {signal: {}}, null]) {
        await assert.rejects(channel.publish('t', 1, options as never), refused, JSON.stringify(options));
    }
    for (const options of [{timeoutMs: Infinity}, {timeoutMs: -1}, {timeoutMs: '5'}, {signal: 5}]) {
        await assert.rejects(client.request('t', 1, options as never), refused);
        await assert.rejects(request(channel, 'the-other-session', 't', 1, options as never), refused);
    }
    for (const session of ['', 5, undefined]) await assert.rejects(request(channel, session as never, 't'), refused);
    for (const options of [
        {limit: 0}, {limit: -1}, {limit: 1.5}, {limit: 301}, {limit: Infinity}, {before: 0}, {before: NaN}, {after: -1}, {after: 1.5}, {after: '5'},
        {since: new Date('nonsense')}, {since: '2026-01-01'}, {since: Infinity}, {until: 0}, {until: NaN}, {before: 5, after: 4}, {since: 5, until: 6},
    ]) {
        await assert.rejects(channel.history(options as never), refused, JSON.stringify(options));
    }
    await settle();
    assert.equal(network.socket.sent.length, 1);
    client.close();
});

test('the options of a storage are checked at the call', () => {
    for (const options of [{maxAgeMs: NaN}, {repeatWithinMs: -1}, {name: 5}, {nam: 'x'}]) assert.throws(() => browserStorage(options as never), refused, JSON.stringify(options));
    assert.throws(() => customStorage({} as never), refused);
});

test('an address names a server, or is refused with what is missing', async () => {
    for (const [url, expected] of Object.entries({
        'http://a.test/ws': 'ws://a.test/ws', 'ws://a.test:8080/ws': 'ws://a.test:8080/ws', 'https://a.test/rt/sse': 'wss://a.test/rt/ws', 'http://a.test/news': 'ws://a.test/news/ws',
    })) {
        const network = new FakeNetwork();
        const client = await network.connect(url);
        assert.equal(network.socket.url, expected);
        client.close();
    }
    assert.throws(() => connect('localhost:8080', new FakeNetwork().options), /write http:\/\//);
    // Neither endpoint has a query or a fragment.
    for (const url of ['http://a.test/?token=x', 'http://a.test/ws?room=1', 'http://a.test/#top', new URL('http://a.test/?a')]) {
        assert.throws(() => connect(url, new FakeNetwork().options), {code: 'invalid_argument', message: /is no address of a server/});
    }
    assert.throws(() => connect('/', new FakeNetwork().options), /there is no page here \(server-side rendering\?\)/);
    // The default, which nobody wrote, and paths of the page.
    for (const path of [undefined, '/', '/rt', './rt', '?room=1', '//rt.example.com', '']) {
        const message = 'there is no page here (server-side rendering?): give the address or call connect() in the browser';
        assert.throws(() => connect(path, new FakeNetwork().options), {code: 'invalid_argument', message}, `${path}`);
    }
    assert.throws(() => connect('localhost:8080', new FakeNetwork().options), /"localhost:8080" is no address of a server: write http:/);
    assert.throws(() => connect('http://user:secret@a.test', new FakeNetwork().options), refused);
});

test('an address without a host is that of the document, also where its origin is opaque', async (t) => {
    const world = globalThis as {document?: unknown; location?: unknown};
    world.document = {baseURI: 'https://page.test/a/b.html'};
    world.location = {origin: 'null'};
    t.after(() => {
        delete world.document;
        delete world.location;
    });
    for (const [url, expected] of [['/', 'wss://page.test/ws'], ['/rt', 'wss://page.test/rt/ws'], ['http://a.test', 'ws://a.test/ws']]) {
        const network = new FakeNetwork();
        const client = await network.connect(url);
        assert.equal(network.socket.url, expected);
        client.close();
    }
});
