import {invalid} from './check.js';
import {kindOf, toJson} from './json.js';

/** A payload as it travels: JSON text, or bytes (docs/protocol.md 2.5). */
export type Data = string | Uint8Array<ArrayBuffer>;

/** The values that may be given where others get the payload `P`: everything that is bytes where that is. */
export type Sent<P> = P extends Uint8Array ? P | ArrayBuffer | ArrayBufferView | Blob : P;

const partBytes = 0x2000;

/**
 * The data of a value: of bytes a copy, as the caller's may change before they are sent again; of a Blob its bytes, when they are
 * read; of everything else its JSON text. Throws as toJson() does.
 */
export function dataOf(value: any): Data | Promise<Data> {
    const kind = kindOf(value);
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
    if (kind === 'ArrayBuffer') return new Uint8Array(value).slice();
    if (kind !== 'Blob' && kind !== 'File') return toJson(value);
    return value.arrayBuffer().then((bytes: ArrayBuffer) => new Uint8Array(bytes), (error: unknown) => {
        throw invalid(`the ${kind} cannot be read: ${error}`);
    });
}

/** Base64 with padding, for what carries text alone. */
export function toBase64(bytes: Uint8Array): string {
    let text = '';
    // In parts, as a call takes only so many arguments.
    for (let at = 0; at < bytes.length; at += partBytes) text += String.fromCharCode(...bytes.subarray(at, at + partBytes));
    return btoa(text);
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(atob(text), (unit) => unit.charCodeAt(0));
}
