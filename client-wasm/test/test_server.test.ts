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
    assert.equal(client.state.name, 'open');
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
    assert.equal(client.state.name, 'open');
    server.offline();
    server.publish('chat:1', 'n', 2);
    await server.advance(30_000);
    assert.equal(client.state.name, 'waiting');
    server.online();
    await server.settled();
    assert.equal(client.state.name, 'open');
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

test('a thousand reconnects take less than a second', async (t) => {
    const server = await started();
    const client = server.connect();
    const heard = heardBy(client, 'chat:1');
    await server.settled();
    const real = process.hrtime.bigint();
    let opened = 0;
    client.on('open', () => opened++);
    for (let n = 1; n <= 1000; n++) {
        server.cut();
        server.publish('chat:1', 'n', n);
        await server.advance(600);
    }
    const ms = Number(process.hrtime.bigint() - real) / 1e6;
    t.diagnostic(`${Math.round(ms)} ms`);
    assert.equal(opened, 1000);
    assert.deepEqual(heard, Array.from({length: 1000}, (_, i) => i + 1));
    assert.ok(ms < 1000, `${ms} ms`);
});
