import assert from 'node:assert/strict';
import {afterEach, beforeEach, test} from 'node:test';
import {connect} from '../src/index.js';
import {fakeClock, FakeNetwork, held, publication, settle, welcomeFor} from './fake_network.js';

let clock: ReturnType<typeof fakeClock>;
beforeEach(() => {
    clock = fakeClock();
});
afterEach(() => clock.restore());

/** A client that is open over SSE. */
async function streaming(network = new FakeNetwork({transport: 'sse'})) {
    const client = await network.connect('https://server.test/rt');
    network.stream.receive('{"op":"stream","connection":"kT0v_-1"}');
    await settle();
    const post = network.posts[0]!;
    const first = JSON.parse(post.body.split('\n')[0]!);
    post.answer(204);
    network.stream.receive(welcomeFor(first));
    await settle();
    return {client, network, first: post};
}

test('the stream names the connection, and the client’s half goes by POST', async () => {
    const {client, network, first} = await streaming();
    assert.equal(network.stream.url, 'https://server.test/rt/sse');
    assert.equal(network.sockets.length, 0);
    assert.deepEqual([first.url, first.connection], ['https://server.test/rt/sse', 'kT0v_-1']);
    assert.match(first.body, /^\{"op":"connect","version":1,"session":"[0-9a-v]{26}","pongs":true\}$/);
    assert.deepEqual(client.state, {name: 'open', transport: 'sse', session: client.session});
    client.close();
    assert.equal(network.stream.closed, true);
});

test('one POST at a time; what comes up meanwhile leaves together with the next', async () => {
    const {client, network} = await streaming();
    const channel = client.channel('a');
    void held(channel.publish('t', 1));
    await settle();
    assert.equal(network.posts.length, 2);
    void held(channel.publish('t', 2));
    await settle();
    void held(channel.publish('t', 3));
    await settle();
    assert.equal(network.posts.length, 2);
    network.posts[1]!.answer(204);
    await settle();
    assert.equal(network.posts.length, 3);
    assert.deepEqual(network.posts[2]!.body.split('\n').map((line) => JSON.parse(line).payload), [2, 3]);
    network.posts[2]!.answer(204);
    await settle();
    void held(channel.publish('t', 4));
    await settle();
    assert.equal(network.posts.length, 4);
    client.close();
});

test('a body stays below the largest message, however the bytes fall', async () => {
    const {client, network} = await streaming();
    const channel = client.channel('a');
    for (let i = 0; i < 10; i++) void held(channel.publish('t', '漢'.repeat(8000)));
    const bodies: string[] = [];
    for (let i = 1; i < 7 && bodies.join('').length < 80_000; i++) {
        await settle();
        bodies.push(network.posts[i]!.body);
        network.posts[i]!.answer(204);
    }
    assert.deepEqual(bodies.map((body) => body.split('\n').length), [2, 2, 2, 2, 2]);
    assert.ok(bodies.every((body) => new TextEncoder().encode(body).length <= 65_536));
    client.close();
});

/** Answers the POSTs that come up, by what their body says, until none does; gives the bodies. */
async function pass(network: FakeNetwork, from: number, statusOf: (body: string) => number): Promise<string[]> {
    for (let i = from; i < network.posts.length; i++) {
        network.posts[i]!.answer(statusOf(network.posts[i]!.body));
        await settle();
        await settle();
    }
    return network.posts.slice(from).map(({body}) => body);
}

test('a message that a firewall refuses fails with the status; those beside it are sent alone, and go on', async () => {
    const {client, network} = await streaming();
    const sent = ['good', '<script>', 'fine'].map((text) => held(client.channel('a').publish('t', text)));
    await settle();
    const bodies = await pass(network, 1, (body) => (body.includes('<script>') ? 403 : 204));
    assert.deepEqual(bodies.map((body) => body.split('\n').map((line) => JSON.parse(line).payload)), [['good', '<script>', 'fine'], ['good'], ['<script>'], ['fine']]);
    await assert.rejects(sent[1]!, (error: any) => error.code === 'blocked' && error.message.includes('403') && !error.temporary);
    for (const id of [1, 3]) network.stream.receive({op: 'published', id, channel: 'a', epoch: 'e', offset: id});
    assert.deepEqual(await Promise.all([sent[0], sent[2]]), [{epoch: 'e', offset: 1}, {epoch: 'e', offset: 3}]);
    // Those that come later leave together again.
    for (const text of ['x', 'y']) void held(client.channel('a').publish('t', text));
    await settle();
    assert.equal(network.posts.at(-1)!.body.split('\n').length, 2);
    assert.equal(client.state.name, 'open');
    assert.equal(network.streams.length, 1);
    client.close();
});

test('a body that a proxy finds too large is taken line by line', async () => {
    const {client, network} = await streaming();
    const sent = ['x'.repeat(900), 'y'.repeat(900), 'z'.repeat(5000)].map((text) => held(client.channel('a').publish('t', text)));
    await settle();
    await pass(network, 1, (body) => (body.length > 1500 ? 413 : 204));
    await assert.rejects(sent[2]!, {code: 'too_large', message: /413/});
    for (const id of [1, 2]) network.stream.receive({op: 'published', id, channel: 'a', epoch: 'e', offset: id});
    await Promise.all([sent[0], sent[1]]);
    assert.equal(client.state.name, 'open');
    client.close();
});

test('a subscription and a request that are refused on the way are told so', async () => {
    const {client, network} = await streaming();
    const refused: any[] = [];
    client.channel('b').watch('refused', (error) => refused.push(error));
    const asked = held(client.request('sum.add', 1));
    await settle();
    await pass(network, 1, () => 401);
    assert.deepEqual(refused.map(({code}) => code), ['blocked']);
    await assert.rejects(asked, {code: 'blocked', message: /401/});
    assert.equal(client.state.name, 'open');
    client.close();
});

test('a message that never gets through though connections come up fails in the end, and what waits behind it goes on', async () => {
    // The last one is an answer that the page may not read, or one that leads elsewhere.
    for (const status of [500, 404, 0]) {
        const {client, network} = await streaming();
        const poison = held(client.channel('a').publish('t', 'UNION SELECT'));
        const good = held(client.channel('a').publish('t', 'good'));
        let connections = 1;
        for (let from = 1; ; ) {
            await settle();
            for (; from < network.posts.length; from++) {
                const post = network.posts[from]!;
                const connect = post.body.startsWith('{"op":"connect"');
                if (!post.body.includes('UNION')) post.answer(204);
                else if (status) post.answer(status);
                else post.fail();
                if (connect) network.stream.receive(welcomeFor(JSON.parse(post.body)));
                await settle();
                await settle();
            }
            if (client.state.name !== 'waiting') break;
            connections += 1;
            client.reconnectNow();
            network.stream.receive('{"op":"stream","connection":"c"}');
        }
        assert.equal(connections, 6, `${status}`);
        await assert.rejects(poison, {code: 'blocked', message: new RegExp(`${status}`)});
        const {id} = JSON.parse(network.posts.at(-1)!.body);
        network.stream.receive({op: 'published', id, channel: 'a', epoch: 'e', offset: 1});
        assert.deepEqual(await good, {epoch: 'e', offset: 1});
        client.close();
    }
});

test('failures of messages that got through later are not counted', async () => {
    const {client, network} = await streaming();
    const sent: Promise<unknown>[] = [];
    for (let failures = 1; failures <= 8; failures++) {
        sent.push(held(client.channel('a').publish('t', failures)));
        await settle();
        network.posts.at(-1)!.answer(503);
        await settle();
        await settle();
        assert.equal(client.state.name, 'waiting', `${failures}`);
        client.reconnectNow();
        network.stream.receive('{"op":"stream","connection":"c"}');
        await settle();
        network.posts.at(-1)!.answer(204);
        network.stream.receive(welcomeFor(JSON.parse(network.posts.at(-1)!.body)));
        await settle();
        const {id} = JSON.parse(network.posts.at(-1)!.body);
        network.posts.at(-1)!.answer(204);
        network.stream.receive({op: 'published', id, channel: 'a', epoch: 'e', offset: failures});
        await settle();
    }
    assert.equal((await Promise.all(sent)).length, 8);
    client.close();
});

test('a connect that is refused is a connection that fails', async () => {
    const network = new FakeNetwork({transport: 'sse'});
    const client = await network.connect();
    network.stream.receive('{"op":"stream","connection":"c"}');
    await settle();
    network.posts[0]!.answer(403);
    await settle();
    assert.equal(client.state.name, 'waiting');
    client.close();
});

test('messages and answers arrive by the stream', async () => {
    const {client, network} = await streaming();
    const seen: unknown[] = [];
    client.channel('a').on('*', (payload) => seen.push(payload));
    await settle();
    const {id} = JSON.parse(network.posts[1]!.body);
    network.stream.receive({op: 'subscribed', id, channel: 'a', epoch: 'e', offset: 0, replay: 0}, publication('a', 1, 'x'));
    network.stream.receive(publication('a', 2, 'y'));
    assert.deepEqual(seen, ['x', 'y']);
    client.close();
});

test('a failed POST ends the connection; publishes are repeated with their keys', async () => {
    for (const failure of ['404', '408', '429', '500', 'network']) {
        const {client, network} = await streaming();
        const promise = held(client.channel('a').publish('t', 1));
        await settle();
        const {key} = JSON.parse(network.posts[1]!.body);
        const {stream} = network;
        if (failure === 'network') network.posts[1]!.fail();
        else network.posts[1]!.answer(Number(failure));
        await settle();
        assert.equal(client.state.name, 'waiting', failure);
        assert.equal(stream.closed, true);
        client.reconnectNow();
        network.stream.receive('{"op":"stream","connection":"second"}');
        await settle();
        const [connected, again] = [network.posts.at(-1)!, () => network.posts.at(-1)!];
        connected.answer(204);
        network.stream.receive(welcomeFor(JSON.parse(connected.body)));
        await settle();
        assert.equal(again().connection, 'second');
        const published = JSON.parse(again().body);
        assert.equal(published.key, key);
        network.stream.receive({op: 'published', id: published.id, channel: 'a', epoch: 'e', offset: 1});
        assert.deepEqual(await promise, {epoch: 'e', offset: 1});
        client.close();
    }
});

test('a stream that breaks is closed: an EventSource must not come back by itself', async () => {
    const {client, network} = await streaming();
    const {stream} = network;
    stream.fail();
    assert.equal(stream.closed, true);
    assert.equal(client.state.name, 'waiting');
    stream.onerror?.({});
    assert.deepEqual(network.stateNames, ['connecting', 'open', 'waiting']);
    client.close();
});

test('a stream that begins with anything else is no connection', async () => {
    const network = new FakeNetwork({transport: 'sse'});
    const client = await network.connect();
    network.stream.receive('{"op":"close","code":1013,"reconnect":true}');
    assert.equal(client.state.name, 'waiting');
    client.close();
});

test('close() aborts the POST in flight', async () => {
    const {client, network} = await streaming();
    const promise = held(client.channel('a').publish('t', 1));
    await settle();
    client.close();
    assert.equal(network.posts[1]!.signal.aborted, true);
    await assert.rejects(promise, {code: 'closed'});
    await settle();
    assert.deepEqual(network.stateNames, ['connecting', 'open', 'closed']);
});

test('auto falls back to SSE when the WebSocket does not get through, and publishes there', async () => {
    const network = new FakeNetwork();
    const client = await network.connect();
    network.socket.drop();
    assert.equal(client.state.name, 'waiting');
    const published = held(client.channel('a').publish('t', 1));
    await clock.tick(20_000);
    assert.deepEqual(client.state, {name: 'connecting', attempt: 2, transport: 'sse'});
    network.stream.receive('{"op":"stream","connection":"c"}');
    await settle();
    network.posts[0]!.answer(204);
    network.stream.receive(welcomeFor(JSON.parse(network.posts[0]!.body)));
    await settle();
    const publish = JSON.parse(network.posts[1]!.body);
    network.stream.receive({op: 'published', id: publish.id, channel: 'a', epoch: 'e', offset: 1});
    assert.equal(client.state.name, 'open');
    assert.deepEqual(await published, {epoch: 'e', offset: 1});
    client.close();
});

test('auto uses what the environment has', async () => {
    const only = new FakeNetwork({WebSocket: undefined});
    const client = connect('http://a.test', {...only.options, WebSocket: undefined});
    assert.deepEqual(client.state, {name: 'connecting', attempt: 1, transport: globalThis.WebSocket ? 'websocket' : 'sse'});
    client.close();
});

test('websocket and sse are obeyed', async () => {
    const network = new FakeNetwork({transport: 'websocket'});
    const client = await network.connect();
    for (let i = 0; i < 6; i++) {
        network.socket.drop();
        await clock.tick(20_000);
    }
    assert.equal(network.streams.length, 0);
    client.close();
});
