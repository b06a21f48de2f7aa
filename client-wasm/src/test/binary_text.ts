import {toBase64} from '../base/payload.js';
import {fromUtf8} from './text_bytes.js';

const newline = 10;

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
