/**
 * Bytes as printable ASCII, and back: each byte is one character, or two for those from 88 on. Brotli and gzip find
 * the same repetitions in it as in the bytes themselves, which base64 hides from them: the packed module is 2 % larger
 * in this form and 30 % larger in base64.
 */
const first = 35; // '#', behind the quote
const skipped = 92; // the backslash
const base = 88;

/** Used by the build. */
export function toText(bytes: Uint8Array): string {
    const character = (value: number) => String.fromCharCode(value + first + +(value + first >= skipped));
    return Array.from(bytes, (byte) => {
        const block = Math.floor(byte / base);
        return (block ? character(base - 1 + block) : '') + character(byte % base);
    }).join('');
}

/** Used by the default entry. */
export function fromText(text: string): Uint8Array<ArrayBuffer> {
    const bytes: number[] = [];
    let block = 0;
    for (let i = 0; i < text.length; i++) {
        const code = text.charCodeAt(i);
        const value = code - first - +(code > skipped);
        if (value < base) bytes.push(block * base + value);
        block = Math.max(0, value - base + 1);
    }
    return new Uint8Array(bytes);
}
