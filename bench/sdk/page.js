// The benchmark's page: rounds in which every client gets the same messages in turn, so that what else the machine does
// hits all alike. Posts its result.

import {measureSockets} from './sockets.js';
import {measureStorm} from './storm.js';
import {subjects} from './subjects.js';

const options = await (await fetch('/options')).json();
const cases = [];
for (const bytes of [64, 128, 1024, 16384]) {
    for (const batch of [1, 16, 64]) cases.push({bytes, batch, subscriptions: 1, spread: 1});
    if (bytes === 128) {
        cases.push({bytes, batch: 1, subscriptions: 1000, spread: 1});
        cases.push({bytes, batch: 1, subscriptions: 1000, spread: 1000});
        cases.push({bytes, batch: 16, subscriptions: 1000, spread: 1000});
    }
}

/** Opens a client in a frame of its own: in a page, too, it would be alone, and no other would have shaped its compiled code. */
async function openClient(name, one) {
    const frame = document.createElement('iframe');
    frame.src = `/client?${new URLSearchParams({name, one: JSON.stringify(one)})}`;
    const client = await new Promise((resolve, reject) => {
        Object.assign(globalThis, {clientOpened: resolve, clientFailed: reject});
        document.body.append(frame);
    });
    return {...client, name, frame, nanoseconds: []};
}

async function runCase(one) {
    const running = [];
    for (const [name, {alone}] of Object.entries(subjects)) {
        if (options.only && !options.only.some((part) => name.startsWith(part))) continue;
        if (alone && (one.batch > 1 || one.subscriptions > 1)) continue;
        running.push(await openClient(name, one));
    }
    for (let round = -options.warmup; round < options.rounds; round++) {
        for (const client of running) {
            const took = await client.round();
            if (round >= 0) client.nanoseconds.push(took);
        }
        running.push(running.shift());
    }
    const {frameBytes} = running[0];
    for (const {frame} of running) frame.remove();
    return {...one, frameBytes, subjects: Object.fromEntries(running.map(({name, nanoseconds}) => [name, nanoseconds]))};
}

async function post(path, value) {
    const {ok} = await fetch(path, {method: 'POST', body: JSON.stringify(value)});
    if (!ok) throw new Error(`${path} failed`);
}

try {
    const results = [];
    for (const one of cases) {
        if (options.cases && !options.cases.includes(`${one.bytes}x${one.batch}${one.subscriptions > 1 ? `/${one.spread}of${one.subscriptions}` : ''}`)) continue;
        results.push(await runCase(one));
        await post('/progress', {bytes: one.bytes, batch: one.batch, subscriptions: one.subscriptions, spread: one.spread});
    }
    await post('/result', {results, start: await measureStart(), storm: options.storm && await measureStorm(options.storm), sockets: options.sockets && await measureSockets(options.sockets, (what) => post('/sockets', what)), crossOriginIsolated, userAgent: navigator.userAgent});
} catch (error) {
    await post('/result', {error: `${error.stack ?? error}`});
}

/** How long the module takes to compile and to start, and the memory of a client. */
async function measureStart() {
    const bytes = await (await fetch('/pulsewire.wasm')).arrayBuffer();
    const instantiate = [];
    const memory = [];
    for (let i = 0; i < 31; i++) {
        const begin = performance.now();
        const module = await WebAssembly.compile(bytes.slice());
        const instance = await WebAssembly.instantiate(module, {});
        instance.exports._initialize();
        instantiate.push(performance.now() - begin);
        memory.push(instance.exports.memory.buffer.byteLength);
    }
    return {firstMs: instantiate[0], instantiateMs: instantiate, memoryBytes: memory[0]};
}
