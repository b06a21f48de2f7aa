// Real servers, ours and those of the peers' clients, and publishers that send them messages as fast as they take them.

import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {WebSocket} from 'ws';

export const storm = {channel: 'storm', messages: 100_000, payloadBytes: 128};
/** The clients over real sockets; Socket.IO sends each message by itself, so fewer of them take as long. */
export const sockets = {channel: 'sockets', messages: {pulsewire: 20_000, centrifuge: 20_000, 'socket.io': 4000}, payloadBytes: [128, 1024]};
const linesPerFrame = 200;
const frameBytes = 60_000;
const here = fileURLToPath(new URL('.', import.meta.url));

/** Starts the server on a free port for pages of `origin`. */
export async function startServer(program, origin) {
    return listening(program, ['--port', '0', '--threads', '1', '--allow-origin', origin], {
        PULSEWIRE_COMMANDS_PER_SECOND: '0', PULSEWIRE_QUEUE_BYTES_MAX: `${64 << 20}`, PULSEWIRE_LOG_LEVEL: 'warning',
    });
}

/** Starts one of bench/peers/. */
export function startPeer(name) {
    return listening(process.execPath, [join(here, '../peers', name)], {});
}

async function listening(program, parameters, variables) {
    const child = spawn(program, parameters, {stdio: ['ignore', 'pipe', 'inherit'], env: {...process.env, ...variables}});
    let said = '';
    for await (const part of child.stdout) {
        said += part;
        const port = /:(\d+)/.exec(said.replace('://', ''))?.[1];
        if (port) return {url: `http://127.0.0.1:${port}`, stop: () => child.kill()};
    }
    throw new Error(`the server did not start: ${said}`);
}

let publishers = 0;

/** Publishes messages; at most `ahead` of them are unanswered. Resolves when the server has taken all. */
export async function publishStorm(url, {channel, messages}, payload, ahead = 4000) {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, 'pulsewire.v1');
    await once(socket, 'open');
    const session = `storm-publisher-${String(++publishers).padStart(5, '0')}`;
    socket.send(`{"op":"connect","version":1,"session":"${session}"}`);
    // Made beforehand: a publisher that is slower than the server would be what is measured.
    const frames = [];
    for (let id = 0; id < messages; ) {
        const lines = [];
        for (let bytes = 0; lines.length < linesPerFrame && bytes < frameBytes && id < messages; bytes += lines.at(-1).length) {
            id++;
            lines.push(`{"op":"publish","id":${id},"key":"${session}-${id}","channel":"${channel}","type":"tick","payload":${payload(id)}}`);
        }
        frames.push({text: lines.join('\n'), count: lines.length});
    }
    let sent = 0;
    let answered = 0;
    await new Promise((resolve, reject) => {
        const send = () => {
            for (let frame; sent - answered < ahead && (frame = frames.shift()); sent += frame.count) socket.send(frame.text);
        };
        socket.on('message', (data) => {
            const text = String(data);
            if (text.includes('"op":"error"')) reject(new Error(text));
            answered += text.split('"op":"published"').length - 1;
            if (answered === messages) resolve();
            else send();
        });
        socket.on('close', () => reject(new Error('the publisher was disconnected')));
        send();
    });
    socket.close();
}

/** The same to the peers of bench/peers/, without acknowledgements where they have none. */
export async function publishToPeer(client, url, {channel, messages}, payload) {
    const all = Array.from({length: messages}, (_, i) => payload(i));
    if (client === 'socket.io') {
        const {io} = createRequire(join(here, 'run.mjs'))('socket.io-client');
        const socket = io(url, {transports: ['websocket'], forceNew: true});
        await once(socket, 'connect');
        for (const each of all) socket.emit('publish', channel, JSON.parse(each));
        // Behind all of them.
        await new Promise((resolve) => socket.emit('subscribe', 'nobody', resolve));
        socket.close();
        return;
    }
    for (let at = 0; at < all.length; at += linesPerFrame) {
        await fetch(`${url}/publish/${channel}`, {method: 'POST', body: all.slice(at, at + linesPerFrame).join('\n')});
    }
}
