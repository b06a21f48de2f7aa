// The page of one client, in a frame of the benchmark's page: sends it messages and times what it does with them.

import {channelName, flat, lineOf, payloadOf} from './frames.js';
import {seen, subjects} from './subjects.js';

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
async function roundOf({protocol, socket, offsets}, one, count, part, payloads) {
    globalThis.gc?.();
    let sum = 0;
    for (let sent = -part; sent < count; sent += part) {
        const frames = framesFor(protocol, one, part, offsets, payloads);
        const sizes = frames.map((_, i) => Math.min(one.batch, part - i * one.batch));
        const took = await timed(socket, frames, sizes);
        if (sent >= 0) sum += took;
    }
    return sum * 1e6 / count;
}

try {
    const query = new URLSearchParams(location.search);
    const one = JSON.parse(query.get('one'));
    const {protocol, open} = subjects[query.get('name')];
    const count = messagesIn(one);
    const payloads = Array.from({length: 64}, (_, i) => payloadOf(one.bytes, i));
    const frameBytes = lineOf.pulsewire(channelName(0), 1000, payloads[0]).length;
    const part = Math.max(one.batch, Math.min(count, 2 ** Math.floor(Math.log2(partBytes / frameBytes))));
    const client = {protocol, socket: await open(one.subscriptions, one.batch), offsets: []};
    parent.clientOpened({frameBytes, round: () => roundOf(client, one, count, part, payloads)});
} catch (error) {
    parent.clientFailed(error);
}
