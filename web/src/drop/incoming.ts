// A file that arrives: its parts may come again, as after a reload of the sender's page, and are counted once.

import type {DropOffer} from '../messages.ts';
import {partBytes, partsOf} from './parts.ts';

export class Incoming {
    readonly offer: DropOffer;
    readonly #parts: (Uint8Array<ArrayBuffer> | undefined)[];
    #arrived = 0;

    constructor(offer: DropOffer) {
        this.offer = offer;
        this.#parts = new Array(partsOf(offer.bytes)).fill(undefined);
    }

    /** True when it is one more. Parts that cannot belong to the file are ignored: anybody may write to the channel. */
    add(index: number, bytes: Uint8Array): boolean {
        const size = Math.min(partBytes, this.offer.bytes - index * partBytes);
        if (index < 0 || index >= this.#parts.length || this.#parts[index] || bytes.length !== size) return false;
        this.#parts[index] = bytes.slice();
        this.#arrived++;
        return true;
    }

    /** From 0 to 1. */
    get share(): number {
        return this.#parts.length ? this.#arrived / this.#parts.length : 1;
    }

    /** The whole file, when it is. */
    get file(): Blob | undefined {
        // Of a kind that no browser shows or runs: whoever offered it could have said any.
        return this.share === 1 ? new Blob(this.#parts as Uint8Array<ArrayBuffer>[], {type: 'application/octet-stream'}) : undefined;
    }
}
