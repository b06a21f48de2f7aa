import {invalid} from '../base/check.js';
import type {Data} from '../base/payload.js';
import {utf8Bytes} from '../base/utf8.js';

/** The most of a state that one message carries, in bytes: half of what a server takes by default. */
export const partBytesMax = 32_768;
/** Parts of one snapshot (docs/protocol.md 4.29). */
const partsMax = 1024;

/**
 * A state as the payloads of messages: itself where it is small; otherwise its bytes, or its JSON text, in parts, each of which
 * is bytes or a JSON string. Throws `invalid_argument` for one that is larger than all parts together.
 */
export function cut(state: Data): Data[] {
    const parts: Data[] = [];
    if (typeof state !== 'string') {
        for (let at = 0; at < state.length || !parts.length; at += partBytesMax) parts.push(state.slice(at, at + partBytesMax));
    } else if (utf8Bytes(state) <= partBytesMax) {
        parts.push(state);
    } else {
        for (let at = 0; at < state.length; ) {
            let part;
            let size = partBytesMax;
            do {
                // No character of two units is cut in two.
                if (isUpperHalf(state.charCodeAt(at + size - 1))) size--;
                part = JSON.stringify(state.slice(at, at + size));
            } while (utf8Bytes(part) > partBytesMax && (size = size >> 1));
            parts.push(part);
            at += size;
        }
    }
    if (parts.length > partsMax) throw invalid(`the state has ${parts.length} parts of ${partBytesMax} bytes, more than ${partsMax}`);
    return parts;
}

function isUpperHalf(unit: number): boolean {
    return unit >= 0xd800 && unit < 0xdc00;
}

/** The state whose parts these are. Throws where they are no state. */
export function join(parts: readonly unknown[]): unknown {
    if (parts.length === 1) return parts[0];
    // Those of the server (docs/protocol.md 4.32).
    if (parts.every(Array.isArray)) return parts.flat();
    if (parts.every((part) => typeof part === 'string')) return JSON.parse(parts.join(''));
    if (!parts.every((part) => part instanceof Uint8Array)) throw new Error('the parts of the snapshot are neither texts nor bytes');
    const state = new Uint8Array(parts.reduce((sum, {length}) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
        state.set(part, at);
        at += part.length;
    }
    return state;
}
