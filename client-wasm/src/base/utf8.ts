/** Bytes of a text in UTF-8. */
export function utf8Bytes(text: string): number {
    return new TextEncoder().encode(text).length;
}

let decoder: TextDecoder | undefined;

/** The text of whole characters. */
export function fromUtf8(bytes: Uint8Array): string {
    return (decoder ??= new TextDecoder()).decode(bytes);
}
