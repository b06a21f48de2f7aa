// Healthy round trips at a fixed interval, in a process that does nothing else: pings, acknowledged publishes, and one
// question a second to another client. Answers each message of its parent with what it measured since the last one.

import {randomBytes} from 'node:crypto';
import {setTimeout as pause} from 'node:timers/promises';

import {deviceChannel, probeAddress} from './places.mjs';
import {Wire} from './wire.mjs';

const {port} = JSON.parse(process.argv[2]);
const probes = 8;
const intervalMs = 50;
const questionMs = 1_000;
const answerMs = 5_000;
// The healthy device takes its time, so that questions of others pile up before it.
const thoughtMs = 500;

let trips = [];
let lags = [];
let cuts = 0;
let refused = 0;
let answered = 0;
let unanswered = {};
const asked = new Set();

// A member that comes back as long as the process lives. `opened(wire)` runs after each welcome.
async function member(number, onFrame, opened) {
    const session = randomBytes(16).toString('base64url');
    for (;;) {
        try {
            const wire = await Wire.open({port, local: probeAddress(number)});
            wire.onLine = (line) => {
                const one = JSON.parse(line);
                if (one.op === 'ping') wire.send({op: 'pong'}).catch(() => {});
                else if (one.op === 'welcome') opened(wire, one.session);
                else onFrame(one, wire);
            };
            await wire.send({op: 'connect', id: 1, version: 1, session});
            await wire.closed;
        } catch {
            // refused: counted below like a cut
        }
        cuts += 1;
        await pause(200);
    }
}

function probe(number) {
    let wire;
    let id = 1;
    const open = new Map();
    asked.add(open);
    member(number, (one) => {
        const begun = open.get(one.id);
        if (begun === undefined) return;
        open.delete(one.id);
        trips.push(performance.now() - begun);
        if (one.op === 'error') refused += 1;
    }, (welcomed) => (wire = welcomed));
    let due = performance.now() + (number * intervalMs) / probes;
    const turn = () => {
        const now = performance.now();
        lags.push(Math.max(0, now - due));
        due = Math.max(due + intervalMs, now);
        if (wire?.open) {
            id += 1;
            open.set(id, now);
            const command = id % 2 === 0 ? {op: 'ping', id} : {op: 'publish', id, channel: `probe:${number}`, type: 'probe', payload: id};
            wire.send(command).catch(() => {});
        } else {
            open.clear();
        }
        setTimeout(turn, due - performance.now());
    };
    setTimeout(turn, due - performance.now());
}

function question() {
    let device;
    let asker;
    let id = 1;
    const open = new Map();
    const end = (one, how) => {
        if (!open.delete(one)) return;
        if (how === 'response') answered += 1;
        else unanswered[how] = (unanswered[how] ?? 0) + 1;
    };
    member(probes, (one, wire) => {
        if (one.op !== 'request') return;
        setTimeout(() => wire.send({op: 'respond', request: one.request, payload: 'here'}).catch(() => {}), thoughtMs);
    }, (wire, name) => {
        device = name;
        wire.send({op: 'subscribe', id: 2, channel: deviceChannel, payload: {device: true}});
    });
    member(probes + 1, (one) => end(one.id, one.op === 'error' ? one.code : one.op), (wire) => {
        asker = wire;
        wire.send({op: 'subscribe', id: 1_000_000, channel: deviceChannel});
    });
    setInterval(() => {
        if (!asker?.open || !device) return;
        id += 1;
        const own = id;
        open.set(own, true);
        setTimeout(() => end(own, 'silence'), 2 * answerMs);
        asker.send({op: 'request', id, channel: deviceChannel, to: device, type: 'soak', timeout_ms: answerMs, payload: 0}).catch(() => {});
    }, questionMs);
}

// Round trips that are not over yet count as long as they are until now.
function report() {
    const now = performance.now();
    const waiting = [...asked].flatMap((open) => [...open.values()].map((begun) => now - begun).filter((ms) => ms > 1_000));
    const found = {trips: [...trips, ...waiting], lags, cuts, refused, answered, unanswered};
    trips = [];
    lags = [];
    cuts = refused = answered = 0;
    unanswered = {};
    return found;
}

process.on('message', () => process.send(report()));
process.on('disconnect', () => process.exit());
for (let number = 0; number < probes; ++number) probe(number);
question();
