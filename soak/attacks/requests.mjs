// HTTP by hand: requests that are never complete, much before a request, heads and bodies beyond every bound, and requests
// whose answers nobody takes.

import {setTimeout as pause} from 'node:timers/promises';

import {readHead, write} from '../wire.mjs';

// The bytes one after the other, with a pause after each.
async function drip(attacker, socket, bytes, ms) {
    socket.resume();
    for (const byte of Buffer.from(bytes)) {
        await write(socket, Buffer.of(byte));
        attacker.count('bytes');
        await pause(ms);
    }
}

export const requests = {
    'half-requests': {
        what: '600 heads that come byte by byte and never end',
        run: (attacker) => attacker.swarm(600, async (number) => {
            const socket = await attacker.socket(number);
            await drip(attacker, socket, `GET /events?channel=a HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'x'.repeat(7_000)}`, 100);
        }),
    },
    'dripping-bodies': {
        what: '400 bodies of 64 KB that come byte by byte, to the API and to /sse',
        run: (attacker) => attacker.swarm(400, async (number) => {
            const path = number % 2 === 0 ? '/api/channels/drip/messages' : '/sse';
            const fields = {'Content-Length': 65_000, 'Pulsewire-Connection': 'x'.repeat(22)};
            const socket = await attacker.request(number, {path, method: 'POST', fields});
            await drip(attacker, socket, `{"payload":"${'d'.repeat(60_000)}`, 100);
        }),
    },
    'empty-lines': {
        what: 'megabytes of empty lines before a request, by 40 connections',
        run: (attacker) => {
            const lines = Buffer.from('\r\n'.repeat(32_768));
            return attacker.swarm(40, async (number) => {
                const socket = await attacker.socket(number);
                socket.resume();
                for (let i = 0; i < 32; ++i) {
                    await write(socket, lines);
                    attacker.count('bytes', lines.length);
                }
            });
        },
    },
    'huge-heads': {
        what: 'heads of a megabyte, of a thousand fields, of one field for ever',
        run: (attacker) => attacker.swarm(40, async (number) => {
            const socket = await attacker.socket(number);
            socket.resume();
            const pieces = [`X: ${'x'.repeat(65_000)}\r\n`, 'a:b\r\n'.repeat(10_000), 'y'.repeat(65_000)];
            await write(socket, 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n');
            for (let i = 0; i < 16; ++i) {
                await write(socket, pieces[number % 3]);
                attacker.count('bytes', pieces[number % 3].length);
            }
        }),
    },
    'pipelined-requests': {
        what: 'pages of history asked for by HTTP, one behind the other, by 60 connections that do not read',
        run: async (attacker) => {
            await attacker.fill(['pipe:0'], 20, 50_000);
            await attacker.swarm(60, async (number) => {
                const path = '/api/channels/pipe:0/messages?limit=300&backwards=true';
                const socket = await attacker.request(number, {path});
                const head = attacker.head(number, {path}).repeat(20);
                for (;;) {
                    await write(socket, head);
                    attacker.count('requests', 20);
                }
            });
        },
    },
    'sse-commands': {
        what: '60 streams of /sse that nobody reads, with commands posted to them, and posts to guessed ones',
        run: (attacker) => attacker.swarm(60, async (number) => {
            const stream = await attacker.request(number, {path: '/sse'});
            const {rest} = await readHead(stream);
            const connection = await new Promise((found) => {
                let text = '';
                const take = (chunk) => {
                    text += chunk;
                    const name = /"connection":"([^"]+)"/.exec(text)?.[1];
                    if (name) found(name);
                };
                take(rest);
                stream.on('data', take);
                stream.once('close', () => found(''));
                stream.resume();
            });
            stream.removeAllListeners('data');
            stream.pause();
            const post = (body, to = connection) =>
                attacker.ask(number, {path: '/sse', method: 'POST', body, fields: {'Pulsewire-Connection': to}});
            await post(`{"op":"connect","id":1,"version":1,"session":"${connection}"}`);
            const pings = Array.from({length: 900}, (_, i) => `{"op":"ping","id":${i + 2}}`).join('\n');
            while (!stream.destroyed) {
                await post(pings);
                await post(pings, `guessed${Math.random()}`.padEnd(22, '0'));
            }
        }),
    },
};
