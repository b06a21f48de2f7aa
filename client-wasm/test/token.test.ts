// Who the user is: the option `token`, signing in and out (docs/protocol.md 4.21 to 4.24).

import assert from 'node:assert/strict';
import {afterEach, beforeEach, test} from 'node:test';
import {connect} from '../src/index.js';
import {PulsewireError} from '../src/base/errors.js';
import type {Client} from '../src/client/client.js';
import type {ConnectOptions, TokenRequest} from '../src/client/options.js';
import {handle} from '../src/requests.js';
import {accept, fakeClock, FakeNetwork, held, publication, settle, welcomeFor} from './fake_network.js';

let clock: ReturnType<typeof fakeClock>;
beforeEach(() => {
    clock = fakeClock();
});
afterEach(() => clock.restore());

const hourMs = 3_600_000;

/** A question for a token that waits for the test's answer. */
interface Asked extends TokenRequest {
    give(token: any): Promise<void>;
    fail(error: unknown): Promise<void>;
}

/** A token function in the test's hands. */
function asking(): {asked: Asked[]; token: ConnectOptions['token']} {
    const asked: Asked[] = [];
    return {
        asked,
        token: (request) => new Promise((resolve, reject) => asked.push({
            ...request,
            give: async (token) => (resolve(token), await settle()),
            fail: async (error) => (reject(error), await settle()),
        })),
    };
}

/** A client that ann has signed in on; her token counts for an hour. */
async function signedIn(options: ConnectOptions = {}) {
    const {asked, token} = asking();
    const network = new FakeNetwork({token, ...options});
    const client = await network.connect();
    await asked[0]!.give('first');
    await network.welcome({user: 'ann', expires_in_ms: hourMs});
    return {client, network, asked};
}

/** Time passes on an open connection. */
async function pass(network: FakeNetwork, ms: number): Promise<void> {
    for (let at = 0; at < ms; at += 20_000) {
        await clock.tick(20_000);
        network.socket.receive('{"op":"ping"}');
    }
    await settle();
}

/** The server ends the connection; the client comes back. */
async function back(network: FakeNetwork, code = 1012): Promise<void> {
    network.socket.drop(code);
    await clock.tick(20_000);
}

const tokensOf = (network: FakeNetwork) => network.sockets.flatMap(({sent}) => sent.map(({token}) => token)).filter((token) => token !== undefined);

test('a token is asked for before anything is opened, and travels in connect alone', async () => {
    const {asked, token} = asking();
    const network = new FakeNetwork({token});
    const client = await network.connect();
    assert.equal(network.sockets.length, 0);
    assert.equal(asked[0]!.reason, 'connect');
    assert.equal(client.user, undefined);
    await asked[0]!.give('aaa.bbb.ccc');
    assert.doesNotMatch(network.socket.url, /aaa/);
    assert.doesNotMatch(network.socket.protocol, /aaa/);
    await network.welcome({user: 'auth0=7C5', expires_in_ms: hourMs});
    assert.equal(network.socket.last('connect').token, 'aaa.bbb.ccc');
    assert.equal(client.user, 'auth0=7C5');
    assert.deepEqual(client.state, {name: 'open', transport: 'websocket', session: client.session});
});

test('a text and a function that gives one at once do as well', async () => {
    for (const token of ['fixed', () => 'fixed']) {
        const network = new FakeNetwork({token});
        await network.connect();
        await settle();
        network.socket.open();
        await settle();
        assert.equal(network.socket.last('connect').token, 'fixed');
    }
});

test('over SSE the token travels in a POST, which follows no redirect', async () => {
    const {asked, token} = asking();
    const inits: RequestInit[] = [];
    const network = new FakeNetwork({transport: 'sse', token});
    const {fetch} = network.options;
    network.options.fetch = (url, init) => (inits.push(init!), fetch!(url, init));
    await network.connect();
    await asked[0]!.give('secret');
    network.stream.receive('{"op":"stream","connection":"c1"}');
    await settle();
    assert.match(network.posts[0]!.body, /"op":"connect".*"token":"secret"/);
    assert.equal(inits[0]!.redirect, 'error');
    assert.doesNotMatch(network.stream.url + network.posts[0]!.url, /secret/);
});

test('the token is renewed in band before it expires', async () => {
    const {network, asked} = await signedIn();
    await pass(network, hourMs * 0.79);
    assert.equal(asked.length, 1);
    await pass(network, hourMs * 0.12);
    assert.equal(asked[1]!.reason, 'expiring');
    await asked[1]!.give('second');
    const {id, token} = network.socket.last('refresh');
    assert.equal(token, 'second');
    network.socket.receive({op: 'refreshed', id, expires_in_ms: hourMs});
    await pass(network, hourMs * 0.79);
    assert.equal(asked.length, 2);
    assert.equal(network.sockets.length, 1);
});

test('null ends the client with unauthorized, unless it may go on as nobody', async () => {
    const {asked, token} = asking();
    const network = new FakeNetwork({token});
    const client = await network.connect();
    await asked[0]!.give(null);
    assert.deepEqual(client.state, {
        name: 'closed', reason: {code: 4502, name: 'unauthorized', message: 'There is no token: nobody is signed in', reconnect: false},
    });
    assert.equal(network.sockets.length, 0);

    const other = asking();
    const open = new FakeNetwork({token: other.token, anonymous: true});
    const nobody = await open.connect();
    await other.asked[0]!.give(null);
    await open.welcome();
    assert.equal('token' in open.socket.last('connect'), false);
    assert.equal(nobody.user, undefined);
    assert.equal(nobody.state.name, 'open');
});

test('nothing but null means that nobody is signed in', async () => {
    for (const given of [undefined, '', 0, {}, '<!doctype html>', 'two words', '"quoted"']) {
        const {asked, token} = asking();
        const network = new FakeNetwork({token, anonymous: true});
        const client = await network.connect();
        await asked[0]!.give(given);
        assert.equal(client.state.name, 'waiting', String(given));
        assert.equal(network.sockets.length, 0);
        client.close();
    }
});

test('an error is told once with its reason, and the function called again after a delay', async () => {
    const {asked, token} = asking();
    const network = new FakeNetwork({token});
    const client = await network.connect();
    await asked[0]!.fail(new Error('502 from /api/token'));
    const {state} = client;
    assert.ok(state.name === 'waiting');
    assert.deepEqual(state.reason, {code: 0, name: 'token_failed', message: 'There is no token: 502 from /api/token', reconnect: true});
    await clock.tick(20_000);
    await asked[1]!.fail(new Error('502 from /api/token'));
    await clock.tick(20_000);
    await asked[2]!.give('t');
    await network.welcome({user: 'ann'});
    assert.equal(client.state.name, 'open');
    assert.deepEqual(asked.map(({reason}) => reason), ['connect', 'connect', 'connect']);
    assert.deepEqual(network.errors, [], 'the state says it');
    assert.equal(network.probes.length, 0, 'the server is not what failed');
});

test('where nobody watches the state, the error goes to onError', async () => {
    const {asked, token} = asking();
    const network = new FakeNetwork({token});
    const client = connect('http://server.test', network.options);
    while (!asked.length) await settle();
    for (let i = 0; i < 3; i++) {
        await asked[i]!.fail(new Error('down'));
        await clock.tick(20_000);
    }
    assert.deepEqual(network.errors.map(([error, context]) => `${context}: ${(error as Error).message}`), ['connecting: There is no token: down']);
    client.close();
});

test('while open, an error leaves the connection alone and goes to onError once', async () => {
    const {client, network, asked} = await signedIn();
    await pass(network, hourMs * 0.91);
    await asked[1]!.fail(new Error('down'));
    await pass(network, 60_000);
    await asked[2]!.fail(new Error('down'));
    assert.deepEqual(network.errors.map(([error, context]) => `${context}: ${(error as Error).message}`), ['the option token: down']);
    assert.equal(client.state.name, 'open');
    await pass(network, 60_000);
    await asked[3]!.give('second');
    assert.equal(network.socket.last('refresh').token, 'second');
});

test('an error with the code unauthorized ends the client', async () => {
    const {client, network, asked} = await signedIn();
    await back(network, 4004);
    await asked[1]!.fail(Object.assign(new Error('the login has expired'), {code: 'unauthorized'}));
    assert.ok(client.state.name === 'closed');
    assert.equal(client.state.reason.name, 'unauthorized');
    assert.equal(client.state.reason.message, 'There is no token: the login has expired');
});

test('after 4004 the old token is never sent again', async () => {
    const {client, network, asked} = await signedIn({anonymous: true});
    await back(network, 4004);
    assert.equal(asked[1]!.reason, 'expired');
    assert.equal(network.sockets.length, 1);
    // A function that keeps what it gave.
    await asked[1]!.give('first');
    assert.equal(client.state.name, 'waiting');
    await clock.tick(20_000);
    await asked[2]!.give('second');
    await network.welcome({user: 'ann', expires_in_ms: hourMs});
    assert.deepEqual(tokensOf(network), ['first', 'second']);
    assert.equal(network.sockets.length, 2);
});

test('a text alone ends with its token, and never as nobody', async () => {
    const network = new FakeNetwork({token: 'fixed', anonymous: true});
    const client = await network.connect();
    await settle();
    await network.welcome({user: 'ann', expires_in_ms: hourMs});
    await pass(network, hourMs * 0.95);
    assert.deepEqual(network.errors, []);
    await back(network, 4004);
    assert.ok(client.state.name === 'closed');
    assert.equal(client.state.reason.name, 'unauthorized');
    assert.match(client.state.reason.message, /expired/);
    assert.equal(network.sockets.length, 1);
});

test('a page that slept over the expiry asks once, and comes back with the new one', async () => {
    const {client, network, asked} = await signedIn();
    client.channel('a').on('*', () => {});
    await settle();
    await accept(network.socket, 'a');
    await clock.tick(3 * hourMs);
    await clock.tick(20_000);
    assert.equal(asked.length, 2);
    assert.equal(network.sockets.length, 1);
    await asked[1]!.give('second');
    await network.welcome({user: 'ann', expires_in_ms: hourMs});
    assert.deepEqual(tokensOf(network), ['first', 'second']);
    assert.equal(network.socket.last('subscribe').channel, 'a');
});

test('a kept token that is refused, as after a change of keys, is replaced; a new one that is refused ends the client', async () => {
    const {client, network, asked} = await signedIn();
    await back(network);
    network.socket.open();
    await settle();
    await back(network, 4502);
    assert.equal(asked[1]!.reason, 'refused');
    await asked[1]!.give('second');
    network.socket.open();
    network.socket.drop(4502);
    assert.ok(client.state.name === 'closed');
    assert.equal(client.state.reason.code, 4502);
});

test('close() aborts the question', async () => {
    const {asked, token} = asking();
    const network = new FakeNetwork({token});
    const client = await network.connect();
    client.close();
    assert.equal(asked[0]!.signal.aborted, true);
    await asked[0]!.give('late');
    assert.equal(network.sockets.length, 0);
    assert.equal(client.state.name, 'closed');
});

test('signOut() forgets the user, and signIn() begins as another client', async () => {
    const {client, network, asked} = await signedIn();
    const got: unknown[] = [];
    client.channel('a').on('*', (payload) => got.push(payload));
    await settle();
    await accept(network.socket, 'a', {offset: 5});
    const waiting = held(client.channel('a').publish('t', 'of ann'));
    await settle();
    const [{session}] = network.socket.sent as [{session: string}];
    client.signOut();
    await assert.rejects(waiting, {code: 'closed'});
    assert.equal(network.socket.closedWith, 1000);
    assert.ok(client.state.name === 'closed');
    assert.equal(client.state.reason.name, 'signed_out');
    assert.equal(client.channel('a').position, undefined);
    await assert.rejects(client.channel('a').publish('t', 1), {code: 'closed'});
    await clock.tick(hourMs);
    assert.equal(asked.length, 1);

    client.signIn();
    while (asked.length < 2) await settle();
    assert.equal(asked[1]!.reason, 'connect');
    await asked[1]!.give('of-bob');
    await network.welcome({user: 'bob', expires_in_ms: hourMs});
    assert.equal(client.user, 'bob');
    assert.equal(network.sockets.length, 2);
    const [hello, ...rest] = network.socket.sent as Record<string, unknown>[];
    assert.notEqual(hello!.session, session);
    assert.deepEqual(rest.map(({op, channel, offset}) => [op, channel, offset]), [['subscribe', 'a', undefined]]);
    await accept(network.socket, 'a', {offset: 9});
    network.socket.receive(publication('a', 10, 'for bob'));
    assert.deepEqual(got, ['for bob']);
    assert.deepEqual(network.errors, []);
});

test('a question of before signOut() has no effect after it', async () => {
    const {asked, token} = asking();
    const network = new FakeNetwork({token});
    const client = await network.connect();
    client.signOut();
    client.signIn();
    while (asked.length < 2) await settle();
    assert.equal(asked[0]!.signal.aborted, true);
    await asked[0]!.give('of-ann');
    assert.equal(network.sockets.length, 0);
    await asked[1]!.give('of-bob');
    assert.equal(network.sockets.length, 1);
    await network.welcome({user: 'bob'});
    assert.deepEqual(tokensOf(network), ['of-bob']);
});

test('with anonymous, signOut() goes on as whoever the function names then', async () => {
    const {client, network, asked} = await signedIn({anonymous: true});
    client.signOut();
    while (asked.length < 2) await settle();
    await asked[1]!.give(null);
    await network.welcome();
    assert.equal(client.user, undefined);
    assert.equal(client.state.name, 'open');
    client.signIn();
    while (asked.length < 3) await settle();
    await asked[2]!.give('of-bob');
    await network.welcome({user: 'bob'});
    assert.equal(client.user, 'bob');
});

test('null for the next token is a sign-out, also where the client may go on as nobody', async () => {
    const {client, network, asked} = await signedIn({anonymous: true});
    await pass(network, hourMs * 0.91);
    const [hello] = network.socket.sent;
    const waiting = held(client.channel('a').publish('t', 'of ann'));
    await settle();
    await asked[1]!.give(null);
    await assert.rejects(waiting, {code: 'closed'});
    while (asked.length < 3) await settle();
    await asked[2]!.give(null);
    await network.welcome();
    assert.equal(client.user, undefined);
    assert.notEqual(network.socket.sent[0]!.session, hello!.session);
    assert.deepEqual(network.socket.sent.map(({op}) => op), ['connect']);
});

test('the token of another user ends the client, and nothing of the first one is sent', async () => {
    const {client, network, asked} = await signedIn();
    held(client.channel('a').publish('t', 'of ann'));
    await settle();
    await back(network, 4004);
    await asked[1]!.give('of-bob');
    await network.welcome({user: 'bob'});
    assert.ok(client.state.name === 'closed');
    assert.equal(client.state.reason.name, 'unauthorized');
    assert.deepEqual(network.socket.sent.map(({op}) => op), ['connect']);
});

test('signIn() opens a client again that has ended without a token, where it was', async () => {
    const {client, network, asked} = await signedIn();
    client.channel('a').on('*', () => {});
    await settle();
    await accept(network.socket, 'a', {offset: 5});
    await back(network, 4004);
    await asked[1]!.give(null);
    assert.equal(client.state.name, 'closed');
    client.signIn();
    while (asked.length < 3) await settle();
    await asked[2]!.give('second');
    await network.welcome({user: 'ann'});
    const {channel, epoch, offset} = network.socket.last('subscribe');
    assert.deepEqual({channel, epoch, offset}, {channel: 'a', epoch: 'e1', offset: 5});
});

test('signIn() does nothing for who is signed in, and is refused after close()', async () => {
    const {client, network, asked} = await signedIn();
    client.signIn();
    await settle();
    assert.equal(asked.length, 1);
    assert.equal(network.sockets.length, 1);
    client.signOut();
    client.close();
    assert.throws(() => client.signIn(), (error: PulsewireError) => error.code === 'closed');
    client.signOut();
    assert.ok(client.state.name === 'closed');
    assert.equal(client.state.reason.name, 'client_closed');
});

test('neither the token nor the session is printed by debug', async () => {
    const lines: string[] = [];
    const {network, asked} = await signedIn({debug: (line) => lines.push(line)});
    await pass(network, hourMs * 0.91);
    await asked[1]!.give('second');
    await settle();
    const text = lines.join('\n');
    assert.match(text, /"op":"connect".*"token":"…"/);
    assert.match(text, /"op":"refresh".*"token":"…"/);
    assert.doesNotMatch(text, /first|second/);
});

test('with a token the client goes only to hosts that the application listed', async () => {
    for (const [hosts, goes] of [[undefined, false], [['rt2.test'], true], [['rt2.test:8443'], false]] as const) {
        const {network} = await signedIn(hosts && {hosts});
        network.socket.receive({op: 'close', code: 1012, reconnect: true, url: 'http://rt2.test'});
        await clock.tick(20_000);
        assert.equal(network.sockets.some(({url}) => url.includes('rt2.test')), goes, String(hosts));
        if (goes) continue;
        await clock.tick(20_000);
        assert.equal(network.socket.url, 'ws://server.test/ws');
        assert.equal(network.sockets.length, 2, 'its own server has it');
    }
});

test('a message says who published it, whatever way it takes', async () => {
    const {client, network} = await signedIn();
    const got: unknown[] = [];
    const raw: unknown[] = [];
    client.channel('a').on('chat.message', (payload, {user, time, offset}) => got.push([payload, user, time, offset]));
    client.channel('b').watch('message', ({payload, user, time}) => raw.push([payload, user, time]));
    await settle();
    await accept(network.socket, 'a');
    await accept(network.socket, 'b');
    const line = (channel: string, offset: number, more: string) =>
        `{"type":"chat.message","channel":"${channel}","offset":${offset},"time":176400000000${offset}${more},"payload":"\\"user\\":${offset}"}`;
    const before = network.errors.length;
    network.socket.receive(line('a', 1, ',"user":"bob"'), line('a', 2, ''), line('a', 3, ',"conflate":"x","user":"a=7C"'), line('b', 1, ',"user":"bob"'), line('b', 2, ''));
    assert.deepEqual(got, [
        ['"user":1', 'bob', 1_764_000_000_001, 1], ['"user":2', undefined, 1_764_000_000_002, 2], ['"user":3', 'a=7C', 1_764_000_000_003, 3],
    ]);
    assert.deepEqual(raw, [['"user":1', 'bob', 1_764_000_000_001], ['"user":2', undefined, 1_764_000_000_002]]);
    assert.equal(network.errors.length, before);
    assert.equal(network.socket.sent.filter(({op}) => op === 'unsubscribe').length, 0);
});

test('a message without a user has no such member', async () => {
    const {client, network} = await signedIn();
    const got: object[] = [];
    client.channel('a').on('*', (_, message) => got.push(message));
    await settle();
    await accept(network.socket, 'a');
    network.socket.receive(publication('a', 1, 1));
    assert.equal('user' in got[0]!, false);
});

test('members have users, and what their tokens show', async () => {
    const {client, network} = await signedIn();
    const channel = client.channel('a', {presence: true});
    channel.on('*', () => {});
    await settle();
    await accept(network.socket, 'a');
    network.socket.receive({op: 'presence', channel: 'a', payload: [
        {session: 's1', info: {a: 1}, user: 'bob', user_info: {name: 'Bob'}}, {session: 's2', info: null},
    ]});
    network.socket.receive('{"op":"join","channel":"a","session":"s3","user":"eve","user_info":{"name":"Ève } \\" ","x":[{}]},"payload":{"b":2}}');
    assert.deepEqual(channel.members, [
        {session: 's1', info: {a: 1}, user: 'bob', userInfo: {name: 'Bob'}}, {session: 's2', info: null},
        {session: 's3', info: {b: 2}, user: 'eve', userInfo: {name: 'Ève } " ', x: [{}]}},
    ]);
});

test('a handler of requests is told who asks', async () => {
    const {client, network} = await signedIn();
    const from: (string | undefined)[] = [];
    handle(client.channel('a'), 'who', (_, {user}) => from.push(user));
    await settle();
    await accept(network.socket, 'a');
    network.socket.receive({op: 'request', request: 1, channel: 'a', from: 's1', user: 'bob', type: 'who', timeout_ms: 1000, payload: 1});
    network.socket.receive({op: 'request', request: 2, channel: 'a', from: 's2', type: 'who', timeout_ms: 1000, payload: 1});
    await settle();
    assert.deepEqual(from, ['bob', undefined]);
});

test('a permission that is lost is a refused subscription, and nothing of it follows', async () => {
    const {client, network} = await signedIn();
    const got: unknown[] = [];
    const refused: string[] = [];
    const channel = client.channel('a');
    channel.on('*', (payload) => got.push(payload));
    channel.watch('refused', ({code, message}) => refused.push(`${code}: ${message}`));
    await settle();
    await accept(network.socket, 'a');
    network.socket.receive({op: 'unsubscribed', channel: 'a', reason: 'forbidden'}, publication('a', 1, 'late'));
    assert.deepEqual(refused, ['forbidden: The permission for it was withdrawn.']);
    assert.equal(channel.state, 'refused');
    assert.deepEqual(got, []);
});

test('the server can want a client to listen to a channel, and the application decides how', async () => {
    const {client, network} = await signedIn();
    network.socket.receive({op: 'subscribe', channel: 'nobody.listens'});
    const told: string[] = [];
    const got: unknown[] = [];
    client.on('channel', (channel) => {
        told.push(channel.name);
        channel.on('say', (payload) => void got.push(payload));
    });
    network.socket.receive({op: 'subscribe', channel: 'news'});
    await settle();
    assert.deepEqual(told, ['news']);
    const {id} = network.socket.last('subscribe');
    network.socket.receive({op: 'subscribed', id, channel: 'news', epoch: 'e', offset: 0, replay: 0}, publication('news', 1, 'hello', 'say'));
    assert.deepEqual(got, ['hello']);
    network.socket.receive({op: 'subscribe', channel: 'news'});
    assert.deepEqual(told, ['news'], 'it has that one');
    client.on('channel', () => {
        throw new Error('of the application');
    });
    network.socket.receive({op: 'subscribe', channel: 'more'});
    assert.equal(client.state.name, 'open');
    assert.deepEqual(told, ['news', 'more']);
});

test('what cannot work is refused at the call', () => {
    for (const options of [{token: ''}, {token: 7}, {token: null}, {token: {}}, {anonymous: 'yes'}, {hosts: 'a.test'}] as unknown as ConnectOptions[]) {
        assert.throws(() => connect('http://a.test', {...new FakeNetwork().options, ...options}), (error: PulsewireError) => error.code === 'invalid_argument', JSON.stringify(options));
    }
});

test('a client without the option has no user, and asks nobody', async () => {
    const network = new FakeNetwork();
    const client: Client = await network.connect();
    network.socket.open();
    await settle();
    assert.equal('token' in network.socket.last('connect'), false);
    network.socket.receive(welcomeFor(network.socket.last('connect')));
    assert.equal(client.user, undefined);
    client.close();
});

test('a question that hangs when the token expires is aborted, its late answer is ignored, and a new one asked', async () => {
    for (const code of [4004, 4502]) {
        const {client, network, asked} = await signedIn({anonymous: true});
        await pass(network, hourMs * 0.91);
        if (code === 4502) {
            // Refused is only a token that was kept.
            await back(network);
            network.socket.open();
            await settle();
        }
        network.socket.drop(code);
        assert.equal(asked[1]!.signal.aborted, true, 'nobody waits for it');
        await asked[1]!.give('late');
        await clock.tick(20_000);
        assert.equal(asked.length, 3);
        assert.equal(asked[2]!.signal.aborted, false);
        // The same one, from a function that keeps what it gave.
        await asked[2]!.give('late');
        await network.welcome({user: 'ann', expires_in_ms: hourMs});
        assert.deepEqual(tokensOf(network).at(-1), 'late');
        assert.equal(client.state.name, 'open');
    }
});

test('nobody is the user of a client that has ended, from the moment at which its state says so', async () => {
    const {client, asked, network} = await signedIn();
    const users: (string | undefined)[] = [];
    client.on('closed', () => users.push(client.user));
    client.signOut();
    assert.equal(client.user, undefined);
    client.signIn();
    assert.equal(client.user, undefined);
    while (asked.length < 2) await settle();
    await asked[1]!.give('second');
    await network.welcome({user: 'bob', expires_in_ms: hourMs});
    assert.equal(client.user, 'bob');
    await back(network, 4004);
    assert.equal(client.user, 'bob', 'the client comes back');
    await asked[2]!.give(null);
    assert.equal(client.state.name, 'closed');
    assert.deepEqual(users, [undefined, undefined]);
});

test('a question that a revocation with notice overtakes is aborted, and null as its late answer ends nothing', async () => {
    const {client, network, asked} = await signedIn();
    await pass(network, hourMs * 0.91);
    network.socket.receive({op: 'refresh_wanted', within_ms: 20_000, reason: 'revoked'});
    assert.equal(asked[1]!.signal.aborted, true);
    await asked[1]!.give(null);
    assert.equal(client.state.name, 'open');
    await pass(network, 20_000);
    assert.equal(asked[2]!.reason, 'revoked');
    await asked[2]!.give('second');
    assert.equal(network.socket.last('refresh').token, 'second');
});
