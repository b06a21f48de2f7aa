// A real server, and a publisher that sends it a storm of messages as fast as it takes them.

import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {WebSocket} from 'ws';

export const storm = {channel: 'storm', messages: 100_000, payloadBytes: 128};
const linesPerFrame = 200;

/** Starts the server on a free port for pages of `origin`. */
export async function startServer(program, origin) {
    const child = spawn(program, ['--port', '0', '--threads', '1', '--allow-origin', origin], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: {...process.env, PULSEWIRE_COMMANDS_PER_SECOND: '0', PULSEWIRE_QUEUE_BYTES_MAX: `${64 << 20}`, PULSEWIRE_LOG_LEVEL: 'warning'},
    });
    let said = '';
    for await (const part of child.stdout) {
        said += part;
        const port = /:(\d+)/.exec(said)?.[1];
        if (port) return {url: `http://127.0.0.1:${port}`, stop: () => child.kill()};
    }
    throw new Error(`the server did not start: ${said}`);
}

/** Publishes the storm; at most `ahead` messages are unanswered. Resolves when the server has taken all. */
export async function publishStorm(url, payload, ahead = 4000) {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, 'pulsewire.v1');
    await once(socket, 'open');
    socket.send('{"op":"connect","version":1,"session":"storm-publisher-00001"}');
    let sent = 0;
    let answered = 0;
    await new Promise((resolve, reject) => {
        const send = () => {
            while (sent < storm.messages && sent - answered < ahead) {
                const lines = [];
                while (lines.length < linesPerFrame && sent < storm.messages) {
                    const id = ++sent;
                    lines.push(`{"op":"publish","id":${id},"key":"storm-publisher-00001-${id}","channel":"${storm.channel}","type":"tick","payload":${payload(id)}}`);
                }
                socket.send(lines.join('\n'));
            }
        };
        socket.on('message', (data) => {
            for (const line of String(data).split('\n')) {
                if (line.includes('"op":"published"')) answered++;
                else if (line.includes('"op":"error"')) reject(new Error(line));
            }
            if (answered === storm.messages) resolve();
            else send();
        });
        socket.on('close', () => reject(new Error('the publisher was disconnected')));
        send();
    });
    socket.close();
}
