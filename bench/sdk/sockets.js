// Messages over real sockets, from a publisher through each server into its client in the page, in turn; the payload is
// read. Timed from the first message's arrival to the last one's.

import {Centrifuge} from 'centrifuge';
import {connect} from '../../client-wasm/dist/index.js';
import {socketioOver} from './socketio.js';
import {seen} from './subjects.js';

const handle = (payload) => {
    seen.sum += payload.likes ?? payload.length;
    taken();
};
let taken = () => {};

/** Counts what arrives at the sockets, of whoever opens them. */
let frames = 0;
class CountedSocket extends WebSocket {
    constructor(...how) {
        super(...how);
        this.addEventListener('message', () => frames++);
    }
}

const clients = {
    async pulsewire(url, name) {
        const client = connect(url, {transport: 'websocket', WebSocket: CountedSocket});
        const channel = client.channel(name);
        channel.on('tick', handle);
        await new Promise((resolve) => channel.watch('subscribed', resolve));
    },
    async centrifuge(url, name) {
        const client = new Centrifuge(url.replace('http', 'ws'), {websocket: CountedSocket});
        const subscription = client.newSubscription(name);
        subscription.on('publication', ({data}) => handle(data));
        subscription.subscribe();
        client.connect();
        await new Promise((resolve) => subscription.on('subscribed', resolve));
    },
    async 'socket.io'(url, name) {
        const io = await socketioOver(CountedSocket);
        const socket = io(url, {transports: ['websocket'], forceNew: true});
        socket.on('message', handle);
        await new Promise((resolve) => socket.on('connect', resolve));
        await new Promise((resolve) => socket.emit('subscribe', name, resolve));
    },
};

/** Messages per second of one round. */
async function roundOf(client, bytes, messages, trigger) {
    let count = 0;
    let begin = 0;
    await new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`${client}: ${count} of ${messages} messages arrived`)), 60_000);
        taken = () => {
            if (++count === 1) begin = performance.now();
            if (count < messages) return;
            clearTimeout(late);
            resolve();
        };
        trigger({client, bytes, messages}).catch(reject);
    });
    return (messages - 1) / (performance.now() - begin) * 1000;
}

export async function measureSockets({urls, channel, rounds, messages, payloadBytes}, trigger) {
    for (const [name, url] of Object.entries(urls)) await clients[name](url, channel);
    const results = [];
    for (const bytes of payloadBytes) {
        const perSecond = {};
        const perFrame = {};
        const names = Object.keys(urls);
        for (let round = -1; round < rounds; round++) {
            for (const name of names) {
                frames = 0;
                const reached = await roundOf(name, bytes, messages[name], trigger);
                if (round < 0) perFrame[name] = messages[name] / frames;
                else (perSecond[name] ??= []).push(reached);
            }
            names.push(names.shift());
        }
        results.push({bytes, perFrame, perSecond});
    }
    return results;
}
