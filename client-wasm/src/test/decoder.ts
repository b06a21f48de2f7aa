import {fromUtf8} from './text_bytes.js';

/** Finds the messages in the bytes that arrive. */
export interface Decoder {
    add(bytes: Uint8Array): string[];
}

/** Bytes that came without the rest of their message. */
class Buffer {
    #bytes = new Uint8Array(0);

    get bytes(): Uint8Array {
        return this.#bytes;
    }

    add(more: Uint8Array): void {
        const both = new Uint8Array(this.#bytes.length + more.length);
        both.set(this.#bytes);
        both.set(more, this.#bytes.length);
        this.#bytes = both;
    }

    take(size: number): Uint8Array {
        const taken = this.#bytes.subarray(0, size);
        this.#bytes = this.#bytes.subarray(size);
        return taken;
    }
}

/** The server's frames are whole text messages, without a mask (RFC 6455, 5.2). */
export class FrameDecoder implements Decoder {
    readonly #buffer = new Buffer();
    add(bytes: Uint8Array): string[] {
        this.#buffer.add(bytes);
        const messages: string[] = [];
        for (let size; (size = this.#next()) !== undefined; ) messages.push(fromUtf8(this.#buffer.take(size)));
        return messages;
    }

    /** Takes the next header off and returns the size of what follows; undefined until all of it is there. */
    #next(): number | undefined {
        const {bytes} = this.#buffer;
        if (bytes.length < 2) return undefined;
        const short = bytes[1]!;
        const headerSize = short < 126 ? 2 : short === 126 ? 4 : 10;
        if (bytes.length < headerSize) return undefined;
        const size = short < 126 ? short : bytes.subarray(2, headerSize).reduce((sum, byte) => sum * 256 + byte, 0);
        if (bytes.length < headerSize + size) return undefined;
        this.#buffer.take(headerSize);
        return size;
    }
}

/** Whole events, each with its lines (docs/protocol.md 8.4). */
export class EventDecoder implements Decoder {
    readonly #buffer = new Buffer();

    add(bytes: Uint8Array): string[] {
        this.#buffer.add(bytes);
        const end = endOf(this.#buffer.bytes);
        return fromUtf8(this.#buffer.take(end)).split('\n\n').slice(0, -1);
    }
}

/** The data of events of the default type, which have one data line for each frame (8.1). */
export class FrameEventDecoder extends EventDecoder {
    override add(bytes: Uint8Array): string[] {
        return super.add(bytes).map((event) => event.replace(/^data: ?/gm, ''));
    }
}

const newline = 10;

/** Where the last whole event ends: after two newlines. */
function endOf(bytes: Uint8Array): number {
    for (let end = bytes.length; end >= 2; end--) if (bytes[end - 1] === newline && bytes[end - 2] === newline) return end;
    return 0;
}
