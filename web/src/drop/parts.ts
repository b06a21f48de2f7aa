// A part of a file as a payload of bytes: eight that name the file, four that say which part it is, and the part itself.

const idBytes = 8;
const headBytes = idBytes + 4;
export const partBytes = 48 * 1024;

export const partsOf = (bytes: number): number => Math.ceil(bytes / partBytes);

/** A name for a file that nobody else draws. */
export function drawnId(): string {
    return hex(crypto.getRandomValues(new Uint8Array(idBytes)));
}

export async function part(file: Blob, id: string, index: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(await file.slice(index * partBytes, (index + 1) * partBytes).arrayBuffer());
    const all = new Uint8Array(headBytes + bytes.length);
    for (let i = 0; i < idBytes; i++) all[i] = parseInt(id.slice(2 * i, 2 * i + 2), 16);
    new DataView(all.buffer).setUint32(idBytes, index);
    all.set(bytes, headBytes);
    return all;
}

/** Reads what part() made. The bytes are a view of the message. */
export function readPart(payload: Uint8Array): {id: string; index: number; bytes: Uint8Array} {
    const index = payload.length < headBytes ? -1 : new DataView(payload.buffer, payload.byteOffset, payload.byteLength).getUint32(idBytes);
    return {id: hex(payload.subarray(0, idBytes)), index, bytes: payload.subarray(headBytes)};
}

function hex(bytes: Uint8Array): string {
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
