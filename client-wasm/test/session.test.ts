// A client and its channels on a session that is no machine: what they need is the interface alone.

import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Client} from '../src/client/client.js';
import type {ConnectionState} from '../src/client/events.js';
import type {Outgoing, Question, Receiver, Session, SessionOwner, Subscription} from '../src/client/session.js';
import {handle} from '../src/requests.js';

/** Another tab's session, or a test's. */
class PlainSession implements Session {
    readonly name = 'plain-session';
    readonly secret = 'plain-secret';
    readonly url = 'http://server.test/sse';
    readonly outboxMax = [10, 1000];
    readonly report: SessionOwner['report'];
    readonly unheard: SessionOwner['unheard'];
    state: ConnectionState = {name: 'connecting', attempt: 1, transport: 'websocket'};
    readonly done: unknown[] = [];
    receiver!: Receiver;
    readonly #owner: SessionOwner;

    constructor(owner: SessionOwner) {
        this.#owner = owner;
        this.report = owner.report;
        this.unheard = owner.unheard;
    }

    start() {
        this.#enter({name: 'open', transport: 'websocket', session: this.name});
    }
    reconnectNow() {
        this.done.push('reconnect');
    }
    end(reason: {code: number; name: 'client_closed'; message: string; reconnect: boolean}) {
        this.#enter({name: 'closed', reason});
    }
    async publish({channel, type, payload}: Outgoing) {
        this.done.push([channel, type, payload]);
        return {epoch: 'e', offset: 7};
    }
    async request({type, payload}: Question) {
        return [type, payload];
    }
    async history(channel: string) {
        return {messages: [{type: 't', offset: 1, time: 2, payload: channel, raw: JSON.stringify(channel)}], more: false, position: {epoch: 'e', offset: 1}};
    }
    subscribe(receiver: Receiver, wanted: Subscription) {
        this.receiver = receiver;
        this.done.push(wanted);
        return () => this.done.push('unsubscribe');
    }
    respond(...answer: [number, string, unknown?]) {
        this.done.push(answer);
    }

    #enter(state: ConnectionState) {
        this.state = state;
        this.#owner.entered(state);
    }
}

function plainClient(): {client: Client; session: PlainSession} {
    let session!: PlainSession;
    const client = new Client((owner) => (session = new PlainSession(owner)), {});
    return {client, session};
}

test('a client works with whatever session it is given', async () => {
    const {client, session} = plainClient();
    assert.deepEqual([client.state.name, client.session], ['open', 'plain-session']);
    const channel = client.channel('a', {latest: 3});
    assert.deepEqual(await channel.publish('t', {x: 1}), {epoch: 'e', offset: 7});
    assert.deepEqual(await client.request('r', 5), ['r', '5']);
    const {messages: [old]} = await channel.history();
    assert.deepEqual([old!.type, old!.offset, old!.time, old!.payload], ['t', 1, 2, 'a']);
    client.reconnectNow();
    const states: string[] = [];
    client.on('state', ({name}) => states.push(name));
    client.close();
    assert.deepEqual([session.done, states], [[['a', 't', '{"x":1}'], 'reconnect'], ['closed']]);
});

test('a channel tells what its session says, in values', async () => {
    const {client, session} = plainClient();
    const channel = client.channel('a', {latest: 3, presence: {name: 'Ada'}});
    const told: unknown[] = [];
    channel.on('t', (payload, {offset}) => told.push([payload, offset]));
    for (const event of ['subscribed', 'gap', 'presence'] as const) channel.watch(event, (what) => told.push([event, what]));
    assert.deepEqual(session.done, [{since: undefined, latest: 3, presence: true, info: '{"name":"Ada"}'}]);
    const {receiver} = session;
    receiver.onSubscribed({position: {epoch: 'e', offset: 4}, recovered: undefined});
    receiver.deliver('t', 5, 0, false, '[1]', 0, 3);
    receiver.onGap(8);
    receiver.onPresence({members: [{session: 's1', info: 1}]});
    receiver.onPresence({joined: {session: 's2', info: 2}});
    receiver.onPresence({left: {session: 's1', info: null}});
    assert.deepEqual(told, [
        ['subscribed', {position: {epoch: 'e', offset: 4}, recovered: undefined}],
        [[1], 5],
        ['gap', {from: 6, to: 8, reason: 'replaced'}],
        ['presence', {members: [{session: 's1', info: 1}]}],
        ['presence', {members: [{session: 's1', info: 1}, {session: 's2', info: 2}], joined: {session: 's2', info: 2}}],
        ['presence', {members: [{session: 's2', info: 2}], left: {session: 's1', info: 1}}],
    ]);
    assert.deepEqual(channel.position, {epoch: 'e', offset: 8});
});

test('a request of another client is answered through the session', async () => {
    const {client, session} = plainClient();
    handle(client.channel('a'), 'sum', (payload, {session: from}) => [payload, from]);
    session.receiver.onAsked!({attempt: 2, request: 9, type: 'sum', session: 'asker-session', payload: {x: 1}});
    await new Promise((answered) => setImmediate(answered));
    assert.deepEqual(session.done.at(-1), [2, '{"op":"respond","request":9,"payload":', '[{"x":1},"asker-session"]']);
});
