import {partBytesMax} from '../state/parts.js';
import type {Message} from '../client/message.js';

/** The bytes before a part: its number, their number, and what names the update. */
const headBytes = 12;
const nameBytes = 8;
/** An update whose parts do not all come within this time is not coming, in milliseconds; see {@link sendMsMax}. */
const collectMsMax = 120_000;
/** How long the writer of an update takes for its parts at most, in milliseconds; then it sends it anew, under another name. */
export const sendMsMax = 30_000;

/** An update in parts, for messages; one that is small is one. `name`: 8 bytes, another for each. */
export function partsOf(update: Uint8Array, name: Uint8Array): Uint8Array[] {
    const count = Math.ceil(update.length / partBytesMax);
    return Array.from({length: count}, (_, i) => {
        const piece = update.subarray(i * partBytesMax, (i + 1) * partBytesMax);
        const part = new Uint8Array(headBytes + piece.length);
        const head = new DataView(part.buffer);
        head.setUint16(0, i);
        head.setUint16(2, count);
        part.set(name, headBytes - nameBytes);
        part.set(piece, headBytes);
        return part;
    });
}

interface Collected {
    readonly pieces: Uint8Array[];
    count: number;
    /** Of the first part. */
    readonly offset: number;
    readonly time: number;
}

/** Puts the parts of updates together. */
export class PartCollector {
    readonly #updates = new Map<string, Collected>();
    #now = 0;

    /** The update, with its last part. Throws for bytes that are no part. */
    add({payload, offset, time}: Message): Uint8Array | undefined {
        const bytes = payload as Uint8Array;
        const head = new DataView(bytes.buffer, bytes.byteOffset, headBytes);
        const [index, count] = [head.getUint16(0), head.getUint16(2)];
        const name = bytes.subarray(headBytes - nameBytes, headBytes).join();
        this.#now = time!;
        this.#forget();
        let update = this.#updates.get(name);
        if (!update) this.#updates.set(name, (update = {pieces: [], count: 0, offset: offset!, time: time!}));
        if (!update.pieces[index]) update.count++;
        update.pieces[index] = bytes.subarray(headBytes);
        if (update.count < count) return undefined;
        this.#updates.delete(name);
        const whole = new Uint8Array(update.pieces.reduce((sum, {length}) => sum + length, 0));
        let at = 0;
        for (const piece of update.pieces) {
            whole.set(piece, at);
            at += piece.length;
        }
        return whole;
    }

    /** Where the first part of an update is that has not all of them yet. */
    get first(): number | undefined {
        this.#forget();
        // In the order in which they began.
        for (const {offset} of this.#updates.values()) return offset;
        return undefined;
    }

    clear(): void {
        this.#updates.clear();
    }

    #forget(): void {
        for (const [name, {time}] of this.#updates) if (this.#now - time > collectMsMax) this.#updates.delete(name);
    }
}
