import {fromUtf8 as fromUtf8WithoutDecoder} from '../base/utf8.plain.js';

// Environments that imitate a browser for tests, as jsdom does, may have neither TextEncoder nor TextDecoder.

/** The bytes of a text, in which JSON has no halves of surrogate pairs. */
export function toUtf8(text: string): Uint8Array {
    if (globalThis.TextEncoder) return new TextEncoder().encode(text);
    return Uint8Array.from(unescape(encodeURIComponent(text)), (letter) => letter.charCodeAt(0));
}

/** The text of whole characters. */
export function fromUtf8(bytes: Uint8Array): string {
    if (globalThis.TextDecoder) return new TextDecoder().decode(bytes);
    return fromUtf8WithoutDecoder(bytes);
}
