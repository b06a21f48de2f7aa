/** As in utf8.ts where there is no TextEncoder, as in jsdom; of half a pair, which JSON escapes, one byte too few. */
export function utf8Bytes(text: string): number {
    return text.replace(/[\u0800-\ud7ff\ue000-\uffff]/g, '---').replace(/[^\0-\x7f]/g, '--').length;
}

/** The text of whole characters, where nothing else may decode them. */
export function fromUtf8(bytes: Uint8Array): string {
    // By pieces, because a call takes only so many arguments.
    let letters = '';
    for (let at = 0; at < bytes.length; at += 8192) letters += String.fromCharCode(...bytes.subarray(at, at + 8192));
    return decodeURIComponent(escape(letters));
}
