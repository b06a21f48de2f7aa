// Requests between the clients of a channel (docs/protocol.md 4.18, 4.19).

import assert from 'node:assert/strict';
import {test} from 'node:test';
import {PulsewireError} from '../src/base/errors.js';
import {handle, request} from '../src/requests.js';
import {accept, held, opened, settle} from './fake_network.js';

const question = {op: 'request', request: 3, channel: 'device:42', from: 'the-other-session', type: 'led.set', timeout_ms: 5000, payload: {on: true}};

test('a client asks another one of the channel and reads its answer or refusal', async () => {
    const {client, network} = await opened();
    const channel = client.channel('device:42');
    const answer = request<{was: boolean}>(channel, 'the-other-session', 'led.set', {on: true}, {timeoutMs: 5000});
    const refusal = held(request(channel, 'the-other-session', 'led.set'));
    await settle();
    const [first, second] = network.socket.sent.filter(({op}) => op === 'request');
    assert.deepEqual(first, {op: 'request', id: first!.id, timeout_ms: 5000, channel: 'device:42', to: 'the-other-session', type: 'led.set', payload: {on: true}});
    network.socket.receive({op: 'response', id: first!.id, payload: {was: false}}, {op: 'error', id: second!.id, code: 'not_present', message: 'gone'});
    assert.deepEqual(await answer, {was: false});
    await assert.rejects(refusal, {code: 'not_present', message: 'gone'});
    await assert.rejects(request(channel, 'the-other-session', '"'), {code: 'invalid_type'});
    await assert.rejects(request(channel, '"', 'led.set'), {code: 'invalid_argument'});
});

test('a handler answers with what it returns, and what it throws reaches the asker only as far as it should', async () => {
    const {client, network} = await opened();
    const channel = client.channel('device:42', {presence: {name: 'lamp'}});
    let outcome: () => unknown = () => ({was: false});
    handle(channel, 'led.set', (payload, {session}) => {
        assert.deepEqual([payload, session], [{on: true}, 'the-other-session']);
        return outcome();
    });
    await settle();
    await accept(network.socket, 'device:42');
    const answered = async () => {
        network.socket.receive(question);
        await settle();
        const {op, request, ...rest} = network.socket.last('respond');
        assert.deepEqual([op, request], ['respond', 3]);
        return rest;
    };
    assert.deepEqual(await answered(), {payload: {was: false}});
    outcome = () => undefined;
    assert.deepEqual(await answered(), {payload: null});
    outcome = () => Promise.reject(new PulsewireError('rejected', 'not "now"'));
    assert.deepEqual(await answered(), {code: 'rejected', message: 'not "now"'});
    assert.deepEqual(network.errors, []);
    outcome = () => { throw new Error('secret'); };
    assert.deepEqual(await answered(), {code: 'handler_failed', message: 'the handler failed'});
    assert.equal(network.errors.length, 1);
    network.socket.receive({...question, type: 'led.get'});
    await settle();
    assert.equal(network.socket.last('respond').code, 'no_handler');
});

test('a withdrawn request aborts its handler and gets no answer', async () => {
    const {client, network} = await opened();
    let aborted = false;
    handle(client.channel('device:42', {presence: {}}), 'led.set', (_, {signal}) => new Promise((done) => {
        signal.onabort = () => { aborted = true; done(1); };
    }));
    await settle();
    await accept(network.socket, 'device:42');
    network.socket.receive(question);
    await settle();
    network.socket.receive({op: 'cancel', request: 3, channel: 'device:42'});
    await settle();
    assert.ok(aborted);
    assert.throws(() => network.socket.last('respond'));
});

test('an answer goes to the connection that asked, or nowhere', async () => {
    const {client, network} = await opened();
    let finish!: (answer: number) => void;
    handle(client.channel('device:42', {presence: {}}), 'led.set', () => new Promise((done) => { finish = done; }));
    await settle();
    await accept(network.socket, 'device:42');
    network.socket.receive(question);
    await settle();
    network.socket.drop();
    client.reconnectNow();
    await network.welcome();
    finish(1);
    await settle();
    for (const socket of network.sockets) assert.throws(() => socket.last('respond'));
});
