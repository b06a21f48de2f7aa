// The entry pulsewire/test: a real hub in this process, and the real client on it.

import assert from 'node:assert/strict';
import {afterEach, test} from 'node:test';
import type {Client} from '../src/client/client.js';
import {testServer, type TestServer, type TestServerOptions} from '../src/test.js';

const servers = new Set<TestServer>();
afterEach(() => {
    for (const server of servers) server.close();
    servers.clear();
});

async function started(options: TestServerOptions = {}): Promise<TestServer> {
    const server = await testServer({virtualTime: true, ...options});
    servers.add(server);
    return server;
}

/** Asked anew: a compiler believes that what was looked at once stays. */
const stateOf = (client: Client) => client.state.name;

/** The numbers that the client gets on the channel, and its gaps. */
function heardBy(client: Client, channel: string): unknown[] {
    const heard: unknown[] = [];
    client.channel(channel).on('*', (payload) => heard.push(payload));
    client.channel(channel).watch('gap', ({reason}) => heard.push(`gap: ${reason}`));
    return heard;
}

test('a client connects, subscribes and gets what is published, without a socket', async () => {
    const server = await started();
    const client = server.connect();
    const heard = heardBy(client, 'chat:1');
    await server.settled();
    assert.equal(stateOf(client), 'open');
    const position = await client.channel('chat:1').publish('n', 1);
    assert.equal(position!.offset, 1);
    assert.deepEqual(server.publish('chat:1', 'n', 2), {...position, offset: 2});
    await server.settled();
    assert.deepEqual(heard, [1, 2]);
});

test('after a cut and an outage the client has what it missed', async () => {
    const server = await started();
    const client = server.connect();
    const heard = heardBy(client, 'chat:1');
    await server.settled();
    server.cut();
    server.publish('chat:1', 'n', 1);
    await server.advance(1000);
    assert.equal(stateOf(client), 'open');
    server.offline();
    server.publish('chat:1', 'n', 2);
    await server.advance(30_000);
    assert.equal(stateOf(client), 'waiting');
    server.online();
    await server.settled();
    assert.equal(stateOf(client), 'open');
    assert.deepEqual(heard, [1, 2]);
});

test('after a restart the log goes on, and without it the client is told of the gap', async () => {
    const server = await started();
    const client = server.connect();
    const heard = heardBy(client, 'chat:1');
    server.publish('chat:1', 'n', 1);
    await server.settled();
    server.publish('chat:1', 'n', 2);
    server.restart();
    server.publish('chat:1', 'n', 3);
    await server.advance(1000);
    assert.deepEqual(heard, [2, 3]);
    server.restart({keepLog: false});
    server.publish('chat:1', 'n', 4);
    await server.advance(1000);
    assert.deepEqual(heard, [2, 3, 'gap: epoch_changed']);
    server.publish('chat:1', 'n', 5);
    await server.settled();
    assert.deepEqual(heard, [2, 3, 'gap: epoch_changed', 5]);
});

test('a thousand reconnects lose and double nothing', async () => {
    const server = await started();
    const client = server.connect({backoffMaxMs: 500, transport: "websocket"});
    const heard = heardBy(client, 'chat:1');
    await server.settled();
    let opened = 0;
    client.on('open', () => opened++);
    for (let n = 1; n <= 1000; n++) {
        server.cut();
        server.publish('chat:1', 'n', n);
        await server.advance(600);
    }
    assert.equal(opened, 1000);
    assert.deepEqual(heard, Array.from({length: 1000}, (_, i) => i + 1));
});

test('the same seed takes the same course, another one another', async () => {
    const course = async (seed: number) => {
        const server = await started({seed});
        const client = server.connect({onError: () => {}});
        server.delay(20, {jitterMs: 30});
        heardBy(client, 'chat:1');
        for (let n = 1; n <= 5; n++) {
            client.channel('chat:1').publish('n', n).catch(() => {});
            await server.advance(700);
            server.cut();
        }
        await server.advance(5000);
        const trace = server.trace();
        server.close();
        return trace;
    };
    const first = await course(7);
    assert.ok(first.length > 40);
    assert.deepEqual(await course(7), first);
    assert.notDeepEqual(await course(8), first);
});

test('of two clients one can be cut off alone', async () => {
    const server = await started();
    const [ada, bob] = [server.connect(), server.connect()];
    await server.settled();
    server.offline(ada);
    await server.advance(2000);
    assert.equal(stateOf(bob), 'open');
    assert.notEqual(stateOf(ada), 'open');
    const other = await started();
    assert.throws(() => other.cut(ada), {code: 'invalid_argument', message: /not made by connect/});
    other.close();
});

test('what is stalled upwards arrives later, in order', async () => {
    const server = await started();
    const client = server.connect();
    await server.settled();
    const flow = server.stall('up');
    const published = [1, 2, 3].map((n) => client.channel('chat:1').publish('n', n));
    await server.advance(3000);
    assert.equal(server.channel('chat:1').head, 0);
    flow();
    const positions = await Promise.all(published);
    assert.deepEqual(positions.map((position) => position!.offset), [1, 2, 3]);
    assert.deepEqual(server.channel('chat:1').history.map(({payload, offset}) => [payload, offset]), [[1, 1], [2, 2], [3, 3]]);
});

test('a client that reads nothing is closed as too slow, and recovers', async () => {
    const server = await started({limits: {queue_bytes_max: 100_000}});
    const client = server.connect();
    const heard = heardBy(client, 'chat:1');
    await server.settled();
    const reasons: string[] = [];
    client.on('waiting', ({reason}) => reasons.push(reason.name));
    const flow = server.stall('down');
    for (let n = 0; n < 200; n++) server.publish('chat:1', 'n', `${n}`.padEnd(1000));
    await server.settled();
    flow();
    await server.advance(5000);
    assert.deepEqual(reasons, ['slow_consumer']);
    assert.deepEqual(heard.map(Number), Array.from({length: 200}, (_, n) => n));
});

test('where only the latest counts, a slow client is told of what was replaced', async () => {
    const server = await started({namespaces: {ticker: {slow_consumer: 'latest_per_key'}}});
    const client = server.connect();
    const heard = heardBy(client, 'ticker:1');
    await server.settled();
    const flow = server.stall('down');
    for (let n = 1; n <= 1000; n++) server.publish('ticker:1', 'price', {n, pad: ' '.repeat(1000)});
    await server.settled();
    flow();
    await server.settled();
    assert.equal((heard.at(-1) as {n: number}).n, 1000);
    assert.ok(heard.includes('gap: replaced'));
    assert.ok(heard.length < 500);
});

test('silence ends a connection at both ends, by the heartbeats', async () => {
    const server = await started({limits: {ping_ms: 1000, pong_ms: 500}});
    const client = server.connect();
    client.channel('chat:1').on('n', () => {});
    await server.settled();
    assert.equal(server.channel('chat:1').subscribers, 1);
    server.offline();
    await server.settled();
    assert.equal(server.channel('chat:1').subscribers, 1, 'nobody has told the server');
    await server.advance(3000);
    assert.equal(server.channel('chat:1').subscribers, 0);
});

test('everything takes as long as delay() says', async () => {
    const server = await started();
    server.delay(100);
    const client = server.connect();
    await server.advance(399);
    assert.equal(stateOf(client), 'connecting');
    await server.advance(1);
    assert.equal(stateOf(client), 'open', 'there and back, twice');
});

test('a planned end brings the clients back within the time that they are told', async () => {
    const server = await started();
    const client = server.connect();
    await server.settled();
    const codes: number[] = [];
    client.on('waiting', ({reason}) => codes.push(reason.code));
    server.drain({spreadMs: 2000});
    await server.advance(2100);
    assert.deepEqual(codes, [1012]);
    assert.equal(stateOf(client), 'open');
});

test('a hand-over opens the next connection before the old one ends', async () => {
    const server = await started();
    const client = server.connect();
    const states: string[] = [];
    const heard = heardBy(client, 'chat:1');
    await server.settled();
    client.on('state', ({name}) => states.push(name));
    server.drain({spreadMs: 2000, handOver: true});
    const stream = new server.EventSource('/events?channel=chat:1');
    for (let n = 0; n < 10; n++) {
        server.publish('chat:1', 'n', n);
        await server.advance(500);
    }
    assert.deepEqual([states, heard], [[], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]);
    assert.equal(server.channel('chat:1').subscribers, 2);
    assert.deepEqual(server.trace().filter((line) => line.includes(' ○ ')).map((line) => line.replace(/^\d+ /, '')), ['#1 ○ websocket', '#2 ○ events', '#3 ○ websocket']);
    stream.close();
    const own = client.state.name;
    server.stall('down');
    server.drain({handOver: true});
    await server.advance(2100);
    assert.equal(server.channel('chat:1').subscribers, 0, 'whoever does not leave is closed');
    assert.equal(own, 'open');
});

test('an EventSource on /events has the events of a browser’s, and comes back after the moment that the server has told', async () => {
    const server = await started();
    const stream = new server.EventSource('https://rt.example.com/events?channel=chat:1');
    const told: unknown[] = [];
    stream.onopen = ({type}) => told.push(type);
    stream.onmessage = ({type, data, lastEventId}) => told.push([type, JSON.parse(data as string).payload, lastEventId.endsWith('.1')]);
    stream.onerror = ({type}) => told.push([type, stream.readyState]);
    await server.settled();
    server.publish('chat:1', 'message', 'hello');
    await server.settled();
    server.cut();
    await server.advance(900);
    assert.deepEqual(told, ['open', ['message', 'hello', true], ['error', 0]]);
    await server.advance(4200);
    assert.deepEqual(told.slice(3), ['open']);
    const forbidden = new server.EventSource('/events?channel=no%20channel');
    await server.settled();
    assert.equal(forbidden.readyState, 2);
    const removed = () => told.push('removed');
    stream.addEventListener('n', removed);
    stream.removeEventListener('n', removed);
    stream.close();
    server.publish('chat:1', 'n', 1);
    await server.advance(60_000);
    assert.equal(told.length, 4);
    assert.equal(server.channel('chat:1').subscribers, 0);
});

test('the next command of a kind is refused, and a connect is closed', async () => {
    const server = await started();
    server.refuse('connect', 'try_again_later');
    const client = server.connect();
    const reasons: string[] = [];
    client.on('waiting', ({reason}) => reasons.push(reason.name));
    await server.advance(2000);
    assert.deepEqual(reasons, ['try_again_later']);
    server.refuse('publish', 'storage_full', {message: 'later'});
    await assert.rejects(client.channel('chat:1').publish('n', 1), {code: 'storage_full', message: 'later'});
    await client.channel('chat:1').publish('n', 2);
    server.refuse('history', 'forbidden', {times: 2});
    for (let i = 0; i < 2; i++) await assert.rejects(client.channel('chat:1').history(), {code: 'forbidden'});
    assert.equal((await client.channel('chat:1').history()).messages.length, 1);
    server.refuse('request', 'overloaded');
    await assert.rejects(client.request('sum.add', {}), {code: 'overloaded'});
    assert.throws(() => server.refuse('publish', 'nonsense' as any), {code: 'invalid_argument'});
    assert.throws(() => server.refuse('subscribed' as any, 'forbidden'), {message: /did you mean subscribe/});
});

test('handlers answer requests, and their failures are those of the server', async () => {
    const server = await started({handlers: {'sum.add': ({a, b}) => ({sum: a + b})}});
    const client = server.connect();
    assert.deepEqual(await client.request('sum.add', {a: 1, b: 2}), {sum: 3});
    await assert.rejects(client.request('sum.sub', {}), {code: 'no_handler'});
    server.handle('sum.sub', () => {
        throw new Error('no');
    });
    await assert.rejects(client.request('sum.sub', {}), {code: 'handler_failed'});
    server.handle('who', (_, from) => from);
    assert.deepEqual(await client.request('who'), {session: client.session});
});

test('a publish is changed, dropped or refused by a handler, which sees it once', async () => {
    const {PulsewireError} = await import('../src/index.js');
    const seen: unknown[] = [];
    const server = await started({
        onPublish: ({type, payload}) => {
            seen.push(payload);
            if (type === 'wrong') throw new PulsewireError('rejected', 'not here');
            if (type === 'broken') throw new Error('no');
            if (type === 'secret') return false;
            return type === 'loud' ? {payload: `${payload}!`} : undefined;
        },
    });
    const client = server.connect();
    const heard = heardBy(client, 'chat:1');
    const channel = client.channel('chat:1');
    await channel.publish('n', 1);
    await channel.publish('loud', 'hey');
    await channel.publish('secret', 2);
    await assert.rejects(channel.publish('wrong', 3), {code: 'rejected', message: 'not here'});
    await assert.rejects(channel.publish('broken', 4), {code: 'handler_failed'});
    server.stall('down');
    const published = channel.publish('n', 5);
    await server.settled();
    server.cut();
    server.online();
    await server.advance(1000);
    assert.equal((await published)!.offset, 3);
    assert.deepEqual(seen, [1, 'hey', 2, 3, 4, 5], 'also what was published again');
    assert.deepEqual(heard, [1, 'hey!', 5]);
});

test('permissions are decided by the real guard, and then by the test', async () => {
    const asked: unknown[] = [];
    const server = await started({
        namespaces: {news: {allow: {anonymous: ['subscribe']}}},
        authorize: (command) => {
            asked.push([command.channel, ...command.operations]);
            return command.channel === 'chat:secret' ? 'members only' : true;
        },
    });
    const client = server.connect();
    await assert.rejects(client.channel('news:1').publish('n', 1), {code: 'forbidden', message: /needs the permission "publish"/});
    await assert.rejects(client.channel('chat:secret').publish('n', 1), {code: 'forbidden', message: 'members only'});
    await client.channel('chat:open').publish('n', 1);
    assert.deepEqual(asked, [['chat:secret', 'publish'], ['chat:open', 'publish']]);
});

test('tokens show who somebody is and may do, until they are revoked', async () => {
    const server = await started({tokens: true, namespaces: {user: {allow: {owner: ['subscribe', 'publish']}}}});
    const ann = server.connect({token: () => server.token({user: 'ann', allow: {'chat:**': ['publish']}})});
    const nobody = server.connect({onError: () => {}});
    await server.settled();
    assert.equal(ann.user, 'ann');
    assert.equal(stateOf(nobody), 'closed');
    await ann.channel('chat:1').publish('n', 1);
    await ann.channel('user:ann').publish('n', 1);
    await assert.rejects(ann.channel('user:bob').publish('n', 1), {code: 'forbidden'});
    assert.equal(server.channel('chat:1').history[0]!.user, 'ann');
    const reasons: string[] = [];
    ann.on('waiting', ({reason}) => reasons.push(reason.name));
    server.revoke('ann');
    await server.advance(3000);
    assert.deepEqual(reasons, ['token_expired']);
    assert.equal(stateOf(ann), 'open', 'with a new token');
});

test('schemas refuse what does not fit, also from the test', async () => {
    const types = {'chat.message': {type: 'object', properties: {text: {type: 'string'}}, required: ['text']}};
    const server = await started({types});
    const client = server.connect();
    await assert.rejects(client.channel('chat:1').publish('chat.message', {text: 1}), {code: 'invalid_payload', pointer: '/text'});
    assert.throws(() => server.publish('chat:1', 'chat.message', {}), {code: 'invalid_payload'});
    await client.channel('chat:1').publish('chat.message', {text: 'hi'});
});

test('over SSE everything is the same', async () => {
    const server = await started();
    const client = server.connect({transport: 'sse'});
    const heard = heardBy(client, 'chat:1');
    await server.settled();
    assert.deepEqual(client.state, {name: 'open', transport: 'sse', session: client.session});
    await client.channel('chat:1').publish('n', 1);
    server.cut();
    server.publish('chat:1', 'n', 2);
    await server.advance(1000);
    assert.deepEqual(heard, [1, 2]);
});

test('an application makes its client itself, and its backend publishes', async () => {
    const {connect} = await import('../src/index.js');
    const server = await started();
    const client = connect('https://rt.example.com', {WebSocket: server.WebSocket, EventSource: server.EventSource, fetch: server.fetch});
    const heard = heardBy(client, 'chat:1');
    await server.settled();
    const messages = 'https://rt.example.com/api/channels/chat:1/messages';
    const published = await server.fetch(messages, {method: 'POST', body: '{"type":"n","payload":1}'});
    assert.equal(published.status, 200);
    assert.equal(((await published.json()) as {offset: number}).offset, 1);
    const wrong = await server.fetch(messages, {method: 'POST', body: '{"type":"n"}'});
    assert.equal(wrong.status, 400);
    const read = (await (await server.fetch(`${messages}?limit=10`)).json()) as {messages: {payload: number}[]};
    assert.deepEqual(read.messages.map(({payload}) => payload), [1]);
    assert.equal((await server.fetch('https://rt.example.com/nothing')).status, 404);
    server.offline();
    await assert.rejects(server.fetch(messages), TypeError);
    assert.deepEqual(heard, [1]);
    client.close();
});

test('presence shows who is there', async () => {
    const server = await started();
    const ada = server.connect();
    ada.channel('chat:1', {presence: {name: 'Ada'}}).on('n', () => {});
    await server.settled();
    assert.deepEqual(server.channel('chat:1').members, [{session: ada.session, info: {name: 'Ada'}}]);
    ada.close();
    await server.advance(4000);
    assert.deepEqual(server.channel('chat:1').members, []);
});

test('what the real server would refuse is refused, with its place', async () => {
    const refused = (options: object, message: RegExp) => assert.rejects(testServer(options), {code: 'invalid_argument', message});
    await refused({namespaces: {chat: {history_count: 1}}}, /^namespaces\.chat\.history_count: there is no such option/);
    await refused({namespaces: {chat: {presence: 1}}}, /^namespaces\.chat\.presence: must be true or false/);
    await refused({namespaces: {chat: {allow: {everybody: []}}}}, /^namespaces\.chat\.allow\.everybody: /);
    await refused({namespaces: {chat: {allow: {users: ['fly']}}}}, /^namespaces\.chat\.allow\.users: /);
    await refused({types: {n: {type: 'strnig'}}}, /^default_namespace\.types\.n: /);
    await refused({limits: {ping_ms: -1}}, /^limits\.ping_ms: must be a whole number/);
    await refused({limits: {ping_ms: 0}}, /^limits\.ping_ms: must be at least 1/);
    await refused({sead: 1}, /did you mean seed/);
});

test('real time passes by itself, and cannot be advanced', async () => {
    const server = await testServer();
    servers.add(server);
    const client = server.connect();
    await client.channel('chat:1').publish('n', 1);
    await assert.rejects(server.advance(1), {code: 'invalid_argument', message: /virtualTime/});
});

test('closed servers give back timers, clocks and chance', async () => {
    const before = [setTimeout, clearTimeout, setInterval, Date, Math.random, performance.now, crypto.getRandomValues];
    const server = await started();
    assert.notEqual(setTimeout, before[0]);
    const other = await started();
    server.close();
    server.close();
    await other.advance(10);
    assert.notEqual(setTimeout, before[0], 'the other one still needs it');
    other.close();
    assert.deepEqual([setTimeout, clearTimeout, setInterval, Date, Math.random, performance.now, crypto.getRandomValues], before);
});

test('bytes are bytes for handlers, subscribers, the history and those who ask', async () => {
    const bytes = Uint8Array.of(0, 10, 255);
    const judged: unknown[] = [];
    const server = await started({
        onPublish: ({payload}) => {
            judged.push(payload);
            return (payload as Uint8Array).length === 1 ? {payload: Uint8Array.of(7, 7)} : undefined;
        },
        handlers: {reverse: (payload: Uint8Array) => payload.slice().reverse()},
    });
    const client = server.connect();
    const heard = heardBy(client, 'files');
    await server.settled();
    await client.channel('files').publish('part', bytes);
    await client.channel('files').publish('part', Uint8Array.of(1));
    server.publish('files', 'part', bytes.buffer);
    await server.settled();
    const all = [bytes, Uint8Array.of(7, 7), bytes];
    assert.deepEqual(heard, all);
    assert.deepEqual(judged, [bytes, Uint8Array.of(1)]);
    assert.deepEqual(server.channel('files').history.map(({payload}) => payload), all);
    assert.deepEqual((await client.channel('files').history()).messages.map(({payload}) => payload), [...all].reverse());
    assert.deepEqual(await client.request('reverse', bytes), Uint8Array.of(255, 10, 0));
});
