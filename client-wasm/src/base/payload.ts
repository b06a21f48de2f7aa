import {toJson} from './json.js';

/** What travels of a payload: its JSON text, or its bytes (docs/protocol.md 2.5). */
export type Data = string | Uint8Array<ArrayBuffer>;

/**
 * What is sent for a value: of bytes a copy, as the caller's may change before they are sent again; of a Blob its bytes when
 * they are read; of everything else its JSON text. Throws as toJson() does.
 */
export function dataOf(value: any): Data | Promise<Data> {
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
    if (value instanceof ArrayBuffer) return new Uint8Array(value).slice();
    if (globalThis.Blob && value instanceof Blob) return value.arrayBuffer().then((bytes) => new Uint8Array(bytes));
    return toJson(value);
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

const partBytes = 0x2000;
