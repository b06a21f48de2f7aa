// Payloads, and the frames in which each protocol carries them.

const words = 'the message of a person who says something of no great weight to some others who read it at once '.repeat(400);
const names = ['ada', 'grace', 'edsger', 'barbara', 'donald', 'frances'];

const entry = (i, text) => ({id: `m${100_000 + i}`, user: names[i % names.length], likes: i % 97, text});

/** JSON text of exactly `bytes` bytes: a chat message, or an array of them where it is large. */
export function payloadOf(bytes, i) {
    const entries = [];
    const textOf = () => JSON.stringify(bytes < 512 ? entries[0] : entries);
    const each = bytes < 512 ? 0 : 60;
    do entries.push(entry(i + entries.length, words.slice(0, each))); while (bytes >= 512 && textOf().length + 130 < bytes);
    const last = entries.at(-1);
    last.text += words.slice(0, Math.max(0, bytes - textOf().length));
    return textOf();
}

/** A string as a WebSocket gives it: one flat run of bytes. */
const decoder = new TextDecoder();
const encoder = new TextEncoder();
export const flat = (text) => decoder.decode(encoder.encode(text));

export const channelName = (i) => `room:${1000 + i}`;

/** One message of each protocol. */
export const lineOf = {
    pulsewire: (channel, offset, payload) =>
        `{"type":"chat.message","channel":"${channel}","offset":${offset},"time":${1_764_000_000_000 + offset},"payload":${payload}}`,
    centrifuge: (channel, offset, payload) => `{"push":{"channel":"${channel}","pub":{"data":${payload},"offset":${offset}}}}`,
    socketio: (channel, offset, payload) => `42["chat.message",${payload}]`,
};
