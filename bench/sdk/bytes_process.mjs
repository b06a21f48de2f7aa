// One process of bench/sdk/bytes.mjs: the server, or a client that runs a round for each message of its parent and
// answers with the nanoseconds that one message took.

import {once} from 'node:events';
import {WebSocket, WebSocketServer} from 'ws';
import {connect} from '../../client-wasm/dist/index.js';

const [role, port] = process.argv.slice(2);
const channelName = 'room:1';
const newline = 10;
/** Messages that are made before they are timed together, so many that the clock's microseconds do not count. */
const partMessages = 256;
const messagesIn = (bytes) => (bytes <= 1024 ? 8192 : 512);

function messageOf(offset, bytes) {
    const line = `{"type":"chunk","channel":"${channelName}","offset":${offset},"time":1764000000000,"bytes":${bytes}}\n`;
    const all = new Uint8Array(line.length + bytes);
    for (let i = 0; i < line.length; i++) all[i] = line.charCodeAt(i);
    return all.fill(offset, line.length);
}

/** Speaks as much of the protocol as a client needs to subscribe; a line `go` makes it send messages. */
function serve() {
    const server = new WebSocketServer({host: '127.0.0.1', port: 0, perMessageDeflate: false});
    server.on('listening', () => process.send(server.address().port));
    server.on('connection', (socket) => socket.on('message', (data) => {
        for (const line of `${data}`.split('\n')) {
            const {op, id, session, first, count, bytes} = JSON.parse(line);
            if (op === 'connect') socket.send(`{"op":"welcome","session":"${session}","binary":true,"ping_ms":25000,"pong_ms":8000}`);
            if (op === 'subscribe') socket.send(`{"op":"subscribed","id":${id},"channel":"${channelName}","epoch":"e1","offset":0,"replay":0}`);
            if (op === 'go') for (let i = 0; i < count; i++) socket.send(messageOf(first + i, bytes));
        }
    }));
}

let seen = 0;
let sum = 0;
let wanted;
let arrived = () => {};
function handle(bytes) {
    sum += bytes.length + bytes[bytes.length >> 1];
    if (++seen === wanted) arrived();
}

class LastSocket extends WebSocket {
    static last;
    constructor(url, protocol) {
        super(url, protocol, {perMessageDeflate: false});
        LastSocket.last = this;
    }
}

const listeners = {
    view: ({data}) => handle(new Uint8Array(data)),
    bare: (() => {
        const decoder = new TextDecoder();
        const handlers = new Map([[channelName, handle]]);
        return ({data}) => {
            const all = new Uint8Array(data);
            const end = all.indexOf(newline);
            const {channel} = JSON.parse(decoder.decode(all.subarray(0, end)));
            handlers.get(channel)(all.subarray(end + 1));
        };
    })(),
};

async function open(name) {
    const url = `http://127.0.0.1:${port}`;
    if (name === 'pulsewire') {
        const channel = connect(url, {WebSocket: LastSocket, transport: 'websocket'}).channel(channelName);
        channel.on('chunk', handle);
        await new Promise((resolve) => channel.watch('subscribed', resolve));
        return LastSocket.last;
    }
    const socket = new LastSocket(url, 'pulsewire.v1');
    socket.binaryType = 'arraybuffer';
    socket.onmessage = listeners[name];
    await once(socket, 'open');
    return socket;
}

let offset = 0;

/** Nanoseconds of the processor since then, user and kernel, which other processes do not add to. */
function cpuSince(begin) {
    const {user, system} = process.cpuUsage(begin);
    return (user + system) * 1000;
}

/** Of onmessage alone. A part that does not count comes first, since a collection throws compiled code away. */
function inMemory({onmessage}, bytes) {
    globalThis.gc();
    const count = messagesIn(bytes);
    let took = 0;
    for (let done = -partMessages; done < count; done += partMessages) {
        const events = Array.from({length: partMessages}, () => ({data: messageOf(++offset, bytes).buffer}));
        const begin = process.cpuUsage();
        for (const event of events) onmessage(event);
        if (done >= 0) took += cpuSince(begin);
    }
    return took / count;
}

/** Of the whole process, for messages from the server. */
async function overSocket(socket, bytes) {
    globalThis.gc();
    const count = messagesIn(bytes);
    wanted = seen + count;
    const all = new Promise((resolve) => (arrived = resolve));
    const begin = process.cpuUsage();
    socket.send(JSON.stringify({op: 'go', first: offset + 1, count, bytes}));
    offset += count;
    await all;
    return cpuSince(begin) / count;
}

if (role === 'server') {
    serve();
} else {
    const socket = await open(role);
    process.on('message', async ({bytes, way}) => {
        const before = seen;
        const took = way === 'socket' ? await overSocket(socket, bytes) : inMemory(socket, bytes);
        if (seen === before || !(sum > 0)) throw new Error(`${role}: nothing arrived`);
        process.send(took);
    });
    process.send('ready');
}
