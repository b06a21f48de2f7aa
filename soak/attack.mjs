// One attack, in a process of its own, until it is killed:
//
//   node soak/attack.mjs '{"name": "histories", "port": 8080}'
//
// Tells its parent at the beginning, and twice a second, what it did, by kind.

import {randomBytes} from 'node:crypto';
import {setTimeout as pause} from 'node:timers/promises';

import {attacks} from './attacks/all.mjs';
import {attackerPlace} from './places.mjs';
import {openSocket, readHead, requestHead, Wire, write} from './wire.mjs';

// What an attack gets.
class Attacker {
    counts = {};

    constructor(port) {
        this.port = port;
    }

    count(what, by = 1) {
        this.counts[what] = (this.counts[what] ?? 0) + by;
    }

    // Runs `live(number)` so often side by side, each again as soon as it is over. Errors are the server's defence.
    swarm(size, live) {
        return Promise.all(Array.from({length: size}, async (_, number) => {
            await pause(number % 100);
            for (;;) {
                try {
                    await live(number);
                    this.count('ended');
                } catch (error) {
                    this.count(error.status ? `answered ${error.status}` : error.message === 'closed' ? 'cut' : error.code ?? error.message);
                    await pause(50);
                }
                await pause(5);
            }
        }));
    }

    // A function to await before each of `perSecond` things, or with the number of things that come at once.
    pace(perSecond) {
        let next = performance.now();
        return async (things = 1) => {
            const now = performance.now();
            // Half a second of delay may be caught up with.
            next = Math.max(next, now - 500) + (things * 1_000) / perSecond;
            if (next > now) await pause(next - now);
        };
    }

    // A TCP connection on which nothing was sent. It cannot say whom a proxy would forward, so it is never the proxy's.
    socket(number) {
        return openSocket({port: this.port, local: attackerPlace(2 * number + 1).local});
    }

    // A socket on which a request was sent; nobody reads the answer yet. `body`: text that goes with it.
    async request(number, {path, method, fields = {}, body}) {
        const socket = await openSocket({port: this.port, local: attackerPlace(number).local});
        await write(socket, this.head(number, {path, method, fields, body}) + (body ?? ''));
        this.count('requests');
        return socket;
    }

    head(number, {path, method, fields = {}, body}) {
        const {forwarded} = attackerPlace(number);
        const length = body === undefined ? {} : {'Content-Length': Buffer.byteLength(body)};
        return requestHead({path, method, port: this.port, forwarded, fields: {...length, ...fields}});
    }

    // The status of the answer; the connection is closed.
    async ask(number, request) {
        const socket = await this.request(number, request);
        const {status} = await readHead(socket);
        socket.destroy();
        if (status >= 400) this.count(`answered ${status}`);
        return status;
    }

    // A client that was welcomed. `options` as for Wire.open(), or {reads: false}.
    async member(number, {reads = true, session = randomBytes(16).toString('base64url'), ...options} = {}) {
        const wire = await Wire.open({port: this.port, ...attackerPlace(number), ...options});
        this.count('members');
        const welcomed = this.next(wire, ({op}) => op === 'welcome');
        await wire.send({op: 'connect', id: 1, version: 1, session});
        wire.name = (await welcomed).session;
        if (!reads) wire.stopReading();
        wire.closed.then((code) => this.count(`closed ${code}`));
        return wire;
    }

    // A plain WebSocket of the channel.
    async plain(number, channel) {
        const wire = await Wire.open({port: this.port, ...attackerPlace(number), path: `/ws/plain/${channel}`, protocol: ''});
        this.count('plain sockets');
        return wire;
    }

    // The next frame that is wanted. What comes meanwhile is thrown away.
    next(wire, wanted) {
        return Promise.race([
            new Promise((resolve) => {
                wire.onLine = (line) => {
                    const one = JSON.parse(line);
                    if (!wanted(one)) return;
                    wire.onLine = () => {};
                    resolve(one);
                };
            }),
            wire.closed.then(() => Promise.reject(new Error('closed'))),
        ]);
    }

    // Publications of so many bytes in each of the channels, so that there is something to be replayed.
    async fill(channels, count, bytes) {
        const wire = await this.member(1);
        const payload = 'x'.repeat(bytes);
        const wait = this.pace(900);
        for (let i = 0; i < count; ++i) {
            for (const channel of channels) {
                await wait();
                await wire.send({op: 'publish', channel, type: 'fill', payload});
            }
        }
        const done = this.next(wire, ({op}) => op === 'pong');
        await wire.send({op: 'ping', id: 2});
        await done;
        wire.end();
    }
}

const {name, port} = JSON.parse(process.argv[2]);
const attacker = new Attacker(port);
process.send?.(attacker.counts);
setInterval(() => process.send?.(attacker.counts), 500);
process.on('disconnect', () => process.exit());
await attacks[name].run(attacker);
