import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {Channel} from '../src/client/channel.js';
import type {WorkerCommand, WorkerEvent} from '../src/worker/messages.js';
import {PortSession, type Clients, type Port} from '../src/worker/port_session.js';
import {accept, opened, publication, settle} from './fake_network.js';

class FakePort implements Port {
    onmessage: ((event: MessageEvent) => void) | null = null;
    readonly events: WorkerEvent[] = [];
    postMessage(event: WorkerEvent): void {
        // A value that cannot be cloned throws here, as in a browser.
        this.events.push(structuredClone(event));
    }
    post(command: WorkerCommand): void {
        this.onmessage!({data: structuredClone(command)} as MessageEvent);
    }
    of<O extends WorkerEvent['op']>(op: O): Extract<WorkerEvent, {op: O}>[] {
        return this.events.filter((event): event is Extract<WorkerEvent, {op: O}> => event.op === op);
    }
}

async function ported() {
    const {client, network} = await opened();
    const log: string[] = [];
    const clients: Clients = {
        take: (url) => (log.push(`take ${url}`), client),
        giveBack: () => log.push('give back'),
        subscribe: ({name}: Channel) => log.push(`subscribe ${name}`),
        unsubscribe: ({name}: Channel) => log.push(`unsubscribe ${name}`),
    };
    const port = new FakePort();
    new PortSession(port, clients);
    return {client, network, clients, port, log};
}

test('a port that does not connect first is told so', async () => {
    const {port} = await ported();
    port.post({op: 'publish', id: 7, channel: 'a', type: 't', payload: 1});
    assert.deepEqual(port.events, [{op: 'error', id: 7, error: {code: 'invalid_argument', message: 'Post {op: "connect"} to the worker first.'}}]);
});

test('states, messages and events of the subscription are posted', async () => {
    const {client, network, port, log} = await ported();
    port.post({op: 'connect', url: 'http://server.test'});
    assert.deepEqual(port.events, [{op: 'state', session: client.session, state: {name: 'open', transport: 'websocket', session: client.session}}]);
    port.post({op: 'subscribe', channel: 'a', options: {latest: 1}});
    await settle();
    await accept(network.socket, 'a', {offset: 1, replay: 1});
    network.socket.receive(publication('a', 2, {big: 1}, 't'), '{"type":"t","channel":"a","payload":2}', '{"op":"gap","channel":"a","offset":9,"reason":"replaced"}');
    assert.deepEqual(port.events.slice(1), [
        {op: 'subscribed', channel: 'a', event: {position: {epoch: 'e1', offset: 1}, recovered: undefined, reason: undefined}},
        {op: 'message', channel: 'a', type: 't', offset: 2, time: 1764000000002, replayed: true, raw: '{"big":1}'},
        {op: 'message', channel: 'a', type: 't', replayed: false, raw: '2'},
        {op: 'gap', channel: 'a', event: {from: 3, to: 9, reason: 'replaced'}},
    ]);
    network.socket.drop();
    assert.equal(port.of('state').at(-1)!.state.name, 'waiting');
    port.post({op: 'reconnectNow'});
    assert.equal(port.of('state').at(-1)!.state.name, 'connecting');
    port.post({op: 'close'});
    assert.deepEqual(log, ['take http://server.test', 'subscribe a', 'unsubscribe a', 'give back']);
    const count = port.events.length;
    client.close();
    assert.equal(port.events.length, count);
});

test('publish, request and history are answered under their ids', async () => {
    const {network, port} = await ported();
    port.post({op: 'connect'});
    port.post({op: 'publish', id: 1, channel: 'a', type: 't', payload: {x: 1}});
    port.post({op: 'request', id: 2, type: 'sum.add', payload: {a: 1}});
    port.post({op: 'request', id: 3, type: 'sum.add'});
    port.post({op: 'history', id: 4, channel: 'a', options: {limit: 1}});
    await settle();
    network.socket.receive(
        '{"op":"published","id":1,"channel":"a","epoch":"e","offset":4}', '{"op":"response","id":2,"payload":{"sum":1}}',
        '{"op":"error","id":3,"code":"invalid_payload","pointer":"/a","message":"a is missing"}',
        '{"op":"history","id":4,"channel":"a","epoch":"e","offset":4,"more":false,"payload":[{"type":"t","offset":4,"time":5,"payload":{"x":1}}]}',
    );
    await settle();
    assert.deepEqual(port.of('answer'), [
        {op: 'answer', id: 1, value: {epoch: 'e', offset: 4}},
        {op: 'answer', id: 2, value: {sum: 1}},
        {op: 'answer', id: 4, value: {messages: [{channel: 'a', type: 't', replayed: true, raw: '{"x":1}', offset: 4, time: 5}], more: false, position: {epoch: 'e', offset: 4}}},
    ]);
    assert.deepEqual(port.of('error'), [{op: 'error', id: 3, error: {code: 'invalid_payload', message: 'a is missing', pointer: '/a'}}]);
});

test('a second port shares the channel and hears from where it came in', async () => {
    const {client, network, port, clients} = await ported();
    const second = new FakePort();
    new PortSession(second, clients);
    for (const each of [port, second]) each.post({op: 'connect'});
    port.post({op: 'subscribe', channel: 'a'});
    await settle();
    await accept(network.socket, 'a');
    network.socket.receive(publication('a', 1, 1));
    second.post({op: 'subscribe', channel: 'a'});
    second.post({op: 'subscribe', channel: 'a'});
    network.socket.receive(publication('a', 2, 2));
    assert.deepEqual(second.of('subscribed').map(({event}) => event.position), [{epoch: 'e1', offset: 1}]);
    assert.deepEqual([port, second].map((each) => each.of('message').map(({raw}) => raw)), [['1', '2'], ['2']]);
    second.post({op: 'unsubscribe', channel: 'a'});
    network.socket.receive(publication('a', 3, 3));
    assert.deepEqual([port, second].map((each) => each.of('message').length), [3, 1]);
    client.close();
});

test('the state is posted to each tab that begins with it, and nothing twice to the others', async () => {
    const {client, network, port, clients} = await ported();
    const [second, third] = [new FakePort(), new FakePort()];
    for (const other of [second, third]) new PortSession(other, clients);
    for (const each of [port, second, third]) each.post({op: 'connect'});
    const state = async () => {
        await settle();
        const {state, epoch} = network.socket.last('subscribe');
        assert.deepEqual([state, epoch], [true, undefined]);
        await accept(network.socket, 'a', {replay: 2});
        network.socket.receive(
            '{"type":"a.state","channel":"a","part":1,"parts":2,"time":1764000000000,"payload":"{\\"x\\":"}',
            '{"type":"a.state","channel":"a","part":2,"parts":2,"offset":7,"time":1764000000000,"payload":"1}"}', publication('a', 8, 8), publication('a', 9, 9),
            '{"type":"a.state","channel":"a","covers":7,"offset":10,"time":1764000000000,"payload":null}',
        );
    };
    port.post({op: 'subscribe', channel: 'a', options: {state: true}});
    await state();
    third.post({op: 'subscribe', channel: 'a'});
    second.post({op: 'subscribe', channel: 'a', options: {state: true}});
    await state();
    network.socket.receive(publication('a', 11, 11), '{"op":"snapshot_wanted","channel":"a"}');
    const snapshots = (from: FakePort) => from.of('snapshot').map(({part, parts, offset, payload}) => [part, parts, offset, payload]);
    const parts = [[1, 2, 0, '{"x":'], [2, 2, 7, '1}']];
    assert.deepEqual([snapshots(port), snapshots(second)], [[...parts, ...parts], parts]);
    assert.deepEqual([port, second, third].map((each) => each.of('message').map(({raw}) => raw)), [['8', '9', '11'], ['8', '9', '11'], ['11']]);
    assert.deepEqual([port, second, third].map((each) => each.of('snapshotWanted').length), [1, 1, 1]);
    second.post({op: 'publish', id: 1, channel: 'a', type: 'a.state', payload: {x: 2}, options: {snapshot: {covers: 11}}});
    await settle();
    assert.deepEqual(network.socket.last('publish').snapshot, {covers: 11});
    client.close();
});

test('a refusal is posted, a bad name too', async () => {
    const {network, port} = await ported();
    port.post({op: 'connect'});
    port.post({op: 'subscribe', channel: 'a'});
    port.post({op: 'subscribe', channel: 'not a name'});
    await settle();
    network.socket.receive({op: 'error', id: network.socket.last('subscribe').id, code: 'forbidden', message: 'no'});
    assert.deepEqual(port.of('refused'), [{op: 'refused', channel: 'a', error: {code: 'forbidden', message: 'no'}}]);
    assert.equal(port.of('error')[0]!.error.code, 'invalid_channel');
});

test('a token is refused with the reason: tabs that share a client may belong to different users', async () => {
    const {port, log} = await ported();
    port.post({op: 'connect', options: {token: 'x'} as object});
    assert.equal(port.of('error')[0]!.error.code, 'invalid_argument');
    assert.match(port.of('error')[0]!.error.message, /takes no token/);
    assert.deepEqual(log, []);
});
