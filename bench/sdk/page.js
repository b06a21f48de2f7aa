// The benchmark that runs in the page: rounds in which every client gets the same messages in turn, so that what else
// the machine does hits all alike. Posts its result.

import {channelName, flat, lineOf, payloadOf} from './frames.js';
import {measureSockets} from './sockets.js';
import {measureStorm} from './storm.js';
import {seen, subjects} from './subjects.js';

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

/**
 * Messages of one timed round: so many that the clock's 5 µs do not count. They come in parts that fit into the second
 * cache, where what a browser has just received is.
 */
const messagesIn = ({bytes}) => (bytes <= 1024 ? 2048 : 256);
const partBytes = 256 * 1024;

function framesFor(protocol, {bytes, batch, spread}, count, offsets, payloads) {
    const frames = [];
    for (let sent = 0; sent < count; ) {
        const lines = [];
        for (let i = 0; i < batch && sent < count; i++, sent++) {
            const channel = sent % spread;
            offsets[channel] = (offsets[channel] ?? 0) + 1;
            lines.push(lineOf[protocol](channelName(channel), offsets[channel], payloads[sent % payloads.length]));
        }
        frames.push({data: flat(lines.join('\n'))});
    }
    return frames;
}

/** Milliseconds for the frames of one part; `sizes` are how many messages each has. */
async function timed(socket, frames, sizes) {
    const begin = performance.now();
    let wanted = seen.messages;
    for (let i = 0; i < frames.length; i++) {
        socket.onmessage(frames[i]);
        wanted += sizes[i];
        // A message is a task of its own in a page: what the client does in microtasks belongs to it.
        for (let turn = 0; seen.messages < wanted; turn++) {
            if (turn > 1000) throw new Error(`${wanted - seen.messages} messages did not arrive`);
            await undefined;
        }
        await undefined;
    }
    return performance.now() - begin;
}

/**
 * Nanoseconds per message. Every round begins with a full collection, so that nobody pays for the garbage of another, and
 * with a part that does not count: such a collection throws compiled code away as well, which it does not do that often
 * in a page.
 */
async function roundOf(subject, one, count, part, payloads) {
    globalThis.gc?.();
    let sum = 0;
    for (let sent = -part; sent < count; sent += part) {
        const frames = framesFor(subject.protocol, one, part, subject.offsets, payloads);
        const sizes = frames.map((_, i) => Math.min(one.batch, part - i * one.batch));
        const took = await timed(subject.socket, frames, sizes);
        if (sent >= 0) sum += took;
    }
    return sum * 1e6 / count;
}

async function runCase(one) {
    const count = messagesIn(one);
    const payloads = Array.from({length: 64}, (_, i) => payloadOf(one.bytes, i));
    const frameBytes = lineOf.pulsewire(channelName(0), 1000, payloads[0]).length;
    const part = Math.max(one.batch, Math.min(count, 2 ** Math.floor(Math.log2(partBytes / frameBytes))));
    const running = [];
    for (const [name, {protocol, open, alone}] of Object.entries(subjects)) {
        if (options.only && !options.only.some((part) => name.startsWith(part))) continue;
        if (alone && (one.batch > 1 || one.subscriptions > 1)) continue;
        running.push({name, protocol, socket: await open(one.subscriptions, one.batch), offsets: [], nanoseconds: []});
    }
    for (let round = -options.warmup; round < options.rounds; round++) {
        for (const subject of running) {
            const took = await roundOf(subject, one, count, part, payloads);
            if (round >= 0) subject.nanoseconds.push(took);
        }
        running.push(running.shift());
    }
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
