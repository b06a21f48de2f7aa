// The healthy crowd, a process of its own: subscribers by WebSocket and by event stream, and a publisher for each channel.
//
// Answers each message of its parent with a report. It stops publishing for that until everybody has everything, so what
// is missing then is lost.

import {randomBytes} from 'node:crypto';
import {setTimeout as pause} from 'node:timers/promises';

import {crowdAddress, crowdChannels, listedClients} from './places.mjs';
import {openSocket, readHead, requestHead, Wire} from './wire.mjs';
import {Witness} from './witness.mjs';

const {port, clients, publishMs} = JSON.parse(process.argv[2]);
const channelsOfEach = 2;
const shareOfStreams = 0.1;
const answerMs = 10_000;
const settleMs = 20_000;
const message = 'soak';

const token = () => randomBytes(16).toString('base64url');
const later = () => pause(100 + Math.random() * 900);

let publishing = true;
let delivered = 0;
let cuts = 0;
const cutCodes = {};
let republished = 0;
const heads = new Map();
const unacknowledged = new Set();
const all = [];

function cut(code) {
    cuts += 1;
    cutCodes[code] = (cutCodes[code] ?? 0) + 1;
}

// What every client has: its channels and the witness of each.
class Client {
    connected = false;
    witnesses = new Map();

    constructor(number) {
        this.number = number;
        this.local = crowdAddress(number);
        for (let i = 0; i < channelsOfEach; ++i) {
            const channel = crowdChannels[(number + i) % crowdChannels.length];
            this.witnesses.set(channel, new Witness(`client ${number} in ${channel}`));
        }
    }

    take({channel, offset, type, payload}) {
        if (offset === undefined) return;
        delivered += 1;
        this.witnesses.get(channel)?.publication(offset, type === message ? payload.sequence : undefined);
    }

    behind() {
        return [...this.witnesses].filter(([channel, {position}]) => {
            const head = heads.get(channel);
            return head && (position === undefined || position.epoch !== head.epoch || position.offset < head.offset);
        }).map(([channel]) => channel);
    }

    async live() {
        for (;;) {
            try {
                const code = await this.connection();
                cut(code);
            } catch (error) {
                cut(error.status ?? 'refused');
            }
            this.connected = false;
            await later();
        }
    }
}

class SocketClient extends Client {
    name;
    #session = token();
    #wire;
    #members;

    async connection() {
        const wire = await Wire.open({port, local: this.local});
        this.#wire = wire;
        let missing = this.witnesses.size;
        wire.onLine = (line) => {
            const one = JSON.parse(line);
            if (!one.op) this.take(one);
            else if (one.op === 'welcome') this.name = one.session;
            else if (one.op === 'ping') wire.send({op: 'pong'}).catch(() => {});
            else if (one.op === 'gap') this.witnesses.get(one.channel).gap(one.offset);
            else if (one.op === 'presence') this.#members?.(one);
            else if (one.op === 'error') wire.end();
            else if (one.op === 'subscribed') {
                this.witnesses.get(one.channel).begins(one, one.recovered);
                missing -= 1;
                this.connected = missing === 0;
            }
        };
        wire.send({op: 'connect', id: 1, version: 1, session: this.#session});
        for (const [channel, {position}] of this.witnesses) {
            wire.send({op: 'subscribe', id: 2, channel, ...position, ...(this.number < listedClients ? {payload: {healthy: this.number}} : {})});
        }
        setTimeout(() => { if (missing !== 0) wire.end(); }, answerMs).unref();
        return wire.closed;
    }

    // The names of those who are listed in the channel.
    async membersOf(channel) {
        const names = new Set();
        let after;
        for (;;) {
            const page = await Promise.race([
                new Promise((resolve) => {
                    this.#members = resolve;
                    this.#wire?.send({op: 'presence', id: 9, channel, ...(after ? {after} : {})}).catch(() => {});
                }),
                pause(answerMs),
            ]);
            if (!page) return undefined;
            for (const {session} of page.payload) names.add(session);
            if (!page.more) return names;
            after = page.payload.at(-1).session;
        }
    }
}

class StreamClient extends Client {
    #lastId = '';

    async connection() {
        const path = `/events?${[...this.witnesses.keys()].map((channel) => `channel=${channel}`).join('&')}`;
        const socket = await openSocket({port, local: this.local});
        const fields = {Accept: 'text/event-stream', ...(this.#lastId ? {'Last-Event-ID': this.#lastId} : {})};
        socket.write(requestHead({path, port, fields}));
        const {status, rest} = await readHead(socket);
        if (status !== 200) {
            socket.destroy();
            throw Object.assign(new Error('no stream'), {status});
        }
        let text = rest.toString();
        const take = () => {
            const events = text.split('\n\n');
            text = events.pop();
            events.forEach((event) => this.#event(event));
        };
        socket.on('data', (chunk) => {
            text += chunk;
            take();
        });
        take();
        return new Promise((resolve) => {
            const end = () => (socket.destroy(), resolve('stream'));
            socket.on('end', end);
            socket.on('close', end);
            socket.resume();
        });
    }

    #event(text) {
        const fields = Object.fromEntries([...text.matchAll(/^(event|id|data): (.*)$/gm)].map(([, name, value]) => [name, value]));
        if (fields.id) this.#lastId = fields.id;
        if (!fields.data) return;
        const data = JSON.parse(fields.data);
        if (fields.event === 'pulsewire.open') {
            for (const one of data.positions) this.witnesses.get(one.channel).opens(one);
            this.connected = true;
        } else if (fields.event === 'pulsewire.gap') {
            this.witnesses.get(data.channel).gap(data.offset);
        } else if (!fields.event?.startsWith('pulsewire.')) {
            this.take(data);
        }
    }
}

// One message after the other, each with a number and a key, until it is acknowledged.
async function publish(channel, number) {
    const local = crowdAddress(clients + number);
    const session = token();
    let sequence = 1;
    let key = token();
    let wire;
    let answered = () => {};
    const reopen = async () => {
        wire = await Wire.open({port, local});
        wire.onLine = (line) => {
            const one = JSON.parse(line);
            if (one.op === 'ping') wire.send({op: 'pong'}).catch(() => {});
            if (one.id === sequence + 1) answered(one);
        };
        await wire.send({op: 'connect', id: 1, version: 1, session});
    };
    for (;;) {
        await pause(publishMs);
        // What is not acknowledged yet is repeated in any case.
        if (!publishing && !unacknowledged.has(channel)) continue;
        unacknowledged.add(channel);
        try {
            if (!wire?.open) await reopen();
            const answer = new Promise((resolve) => (answered = resolve));
            await wire.send({op: 'publish', id: sequence + 1, key, channel, type: message, payload: {sequence, padding: 'soak'.repeat(20)}});
            const told = await Promise.race([answer, wire.closed, pause(answerMs)]);
            if (told?.op === 'published') {
                heads.set(channel, {epoch: told.epoch, offset: told.offset});
                sequence += 1;
                key = token();
                unacknowledged.delete(channel);
                continue;
            }
            if (told === undefined) wire.end();
        } catch {
            // the next turn opens another connection
        }
        republished += 1;
    }
}

async function until(condition, ms) {
    for (const end = Date.now() + ms; Date.now() < end; await pause(50)) if (condition()) return;
}

async function unlisted() {
    const asker = all.find((one) => one instanceof SocketClient && one.number >= listedClients && one.connected);
    const names = await asker?.membersOf(crowdChannels[0]);
    const wanted = all.filter((one) => one.number < listedClients && one.witnesses.has(crowdChannels[0]));
    return names ? wanted.filter(({name}) => !names.has(name)).length : wanted.length;
}

async function report() {
    publishing = false;
    await until(() => unacknowledged.size === 0 && all.every((one) => one.connected && one.behind().length === 0), settleMs);
    const witnesses = all.flatMap((one) => [...one.witnesses.values()]);
    const behind = all.flatMap((one) => one.behind().map((channel) => `client ${one.number} lacks the end of ${channel}`));
    const found = {
        clients: all.length,
        connected: all.filter((one) => one.connected).length,
        delivered,
        cuts,
        cutCodes: {...cutCodes},
        republished,
        unacknowledged: unacknowledged.size,
        toldGaps: witnesses.reduce((sum, one) => sum + one.toldGaps, 0),
        unlisted: await unlisted(),
        lost: [...witnesses.flatMap((one) => one.faults), ...behind],
    };
    for (const one of witnesses) {
        one.faults = [];
        one.toldGaps = 0;
    }
    for (const code of Object.keys(cutCodes)) delete cutCodes[code];
    delivered = cuts = republished = 0;
    publishing = true;
    return found;
}

process.on('message', async () => process.send(await report()));
process.on('disconnect', () => process.exit());
for (let number = 0; number < clients; ++number) {
    const one = number >= listedClients && number < listedClients + clients * shareOfStreams ? new StreamClient(number) : new SocketClient(number);
    all.push(one);
    one.live();
    // As many at once as a start of all pages at the same time would be, and no more than the backlog of a listener holds.
    if (number % 50 === 49) await pause(50);
}
crowdChannels.forEach(publish);
