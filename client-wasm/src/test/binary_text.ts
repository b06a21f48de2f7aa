import {invalid} from '../base/check.js';
import {dataOf, fromBase64, toBase64} from '../base/payload.js';
import {fromUtf8} from './text_bytes.js';

const newline = 10;

/** A payload of a frame in a text message: bytes where it says so. */
export function payloadIn({binary, payload}: {binary?: boolean; payload?: any}): any {
    return binary ? fromBase64(payload as string) : payload;
}

/** A payload for the hub: JSON, or base64 behind a character that begins no JSON. */
export function forHub(value: unknown): string {
    const data = dataOf(value);
    if (data instanceof Promise) throw invalid('a Blob is read in time, which passes here only when you let it: give its arrayBuffer()');
    return typeof data === 'string' ? data : `#${toBase64(data)}`;
}

/** The frames of a binary message as lines (docs/protocol.md 2.5): over this network, payloads of bytes travel as base64. */
export function asText(message: Uint8Array): string {
    const lines: string[] = [];
    for (let begin = 0; begin < message.length; ) {
        const found = message.indexOf(newline, begin);
        const end = found < 0 ? message.length : found;
        const line = fromUtf8(message.subarray(begin, end));
        begin = end + 1;
        const [behind, count] = /"bytes":(\d+)}$/.exec(line) ?? [];
        if (behind) lines.push(`${line.slice(0, -behind.length)}"binary":true,"payload":"${toBase64(message.subarray(begin, (begin += Number(count))))}"}`);
        else lines.push(line);
    }
    return lines.join('\n');
}
