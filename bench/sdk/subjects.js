// The clients that are measured. Each is given a fake WebSocket of its own and plays its protocol with it; what is
// timed is what its onmessage does, up to the application's handler.

import {Centrifuge} from 'centrifuge';
import {connect} from '../../client-wasm/dist/index.js';
import {channelName} from './frames.js';
import {socketioOver} from './socketio.js';

/** What the handlers have seen; reading it keeps the work from being optimised away. */
export const seen = {messages: 0, sum: 0};
const handle = (payload) => {
    seen.messages++;
    seen.sum += payload.likes ?? payload.length;
};
const handleUnread = () => {
    seen.messages++;
};

/** A WebSocket whose server is a function from what was sent to what comes back. */
function fakeSocket(answer) {
    return class FakeSocket extends EventTarget {
        static CONNECTING = 0;
        static OPEN = 1;
        static CLOSING = 2;
        static CLOSED = 3;
        static last;
        readyState = 0;
        bufferedAmount = 0;
        constructor() {
            super();
            FakeSocket.last = this;
            queueMicrotask(() => {
                this.readyState = 1;
                this.onopen?.({});
                for (const text of answer(undefined)) this.onmessage?.({data: text});
            });
        }
        send(data) {
            queueMicrotask(() => {
                for (const text of answer(data)) this.onmessage?.({data: text});
            });
        }
        close() {
            this.readyState = 3;
        }
    };
}

async function until(condition) {
    for (let i = 0; !condition(); i++) {
        if (i === 1000) throw new Error(`a client does not connect: ${condition}`);
        await new Promise((resolve) => setTimeout(resolve));
    }
}

function bare(subscriptions) {
    const handlers = new Map(Array.from({length: subscriptions}, (_, i) => [channelName(i), handle]));
    return {
        onmessage({data}) {
            const message = JSON.parse(data);
            handlers.get(message.channel)(message.payload, message);
        },
    };
}

/** The same where a frame holds many lines. */
function bareBatch(subscriptions) {
    const {onmessage} = bare(subscriptions);
    return {
        onmessage({data}) {
            for (const line of data.split('\n')) onmessage({data: line});
        },
    };
}

function answerPulsewire(data) {
    if (data === undefined) return [];
    return data.split('\n').flatMap((line) => {
        const {op, id, channel, session} = JSON.parse(line);
        if (op === 'connect') return [`{"op":"welcome","session":"${session}","connection":"x","ping_ms":25000,"pong_ms":8000}`];
        if (op === 'subscribe') return [`{"op":"subscribed","id":${id},"channel":"${channel}","epoch":"e1","offset":0,"replay":0}`];
        return [];
    });
}

async function pulsewire(subscriptions, listen) {
    const WebSocket = fakeSocket(answerPulsewire);
    const client = connect('http://bench.test', {WebSocket, transport: 'websocket'});
    for (let i = 0; i < subscriptions; i++) listen(client.channel(channelName(i)));
    await until(() => client.channel(channelName(subscriptions - 1)).state === 'subscribed');
    return WebSocket.last;
}

function answerCentrifuge(data) {
    if (data === undefined) return [];
    return data.split('\n').flatMap((line) => {
        const {id, connect: asked, subscribe} = JSON.parse(line);
        if (asked) return [`{"id":${id},"connect":{"client":"x","version":"6","ping":25,"pong":true}}`];
        if (subscribe) return [`{"id":${id},"subscribe":{"recoverable":true,"epoch":"e1","offset":0,"positioned":true}}`];
        return [];
    });
}

async function centrifuge(subscriptions) {
    const websocket = fakeSocket(answerCentrifuge);
    const client = new Centrifuge('ws://bench.test', {websocket});
    let subscribed = 0;
    for (let i = 0; i < subscriptions; i++) {
        const subscription = client.newSubscription(channelName(i));
        subscription.on('publication', ({data}) => handle(data));
        subscription.on('subscribed', () => subscribed++);
        subscription.subscribe();
    }
    client.connect();
    await until(() => subscribed === subscriptions);
    return websocket.last;
}

function answerSocketio(data) {
    if (data === undefined) return ['0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'];
    return data.startsWith('40') ? ['40{"sid":"y"}'] : [];
}

async function socketio() {
    const WebSocket = fakeSocket(answerSocketio);
    const io = await socketioOver(WebSocket);
    const socket = io('ws://bench.test', {transports: ['websocket'], forceNew: true});
    socket.on('chat.message', handle);
    await until(() => socket.connected);
    return WebSocket.last;
}

/** By name: the protocol, and how to get a socket whose onmessage is to be timed. */
export const subjects = {
    'bare JSON.parse': {protocol: 'pulsewire', open: async (subscriptions, batch) => (batch > 1 ? bareBatch : bare)(subscriptions)},
    'pulsewire parsed': {protocol: 'pulsewire', open: (n) => pulsewire(n, (channel) => channel.on('chat.message', handle))},
    'pulsewire unread': {protocol: 'pulsewire', open: (n) => pulsewire(n, (channel) => channel.watch('message', handleUnread))},
    'centrifuge': {protocol: 'centrifuge', open: centrifuge},
    'socket.io-client': {protocol: 'socketio', open: socketio, alone: true},
};
