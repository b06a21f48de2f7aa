/** As in utf8.ts where there is no TextEncoder, as in jsdom; of half a pair, which JSON escapes, one byte too few. */
export function utf8Bytes(text: string): number {
    return text.replace(/[\u0800-\ud7ff\ue000-\uffff]/g, '---').replace(/[^\0-\x7f]/g, '--').length;
}
