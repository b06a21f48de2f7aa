/** The calls that pulsewire.wasm exports; bridge/bridge.cpp says which strings and numbers each takes. */
export type Call =
    | 'create' | 'start' | 'stop' | 'subscribe' | 'unsubscribe' | 'publish' | 'request' | 'history' | 'cancel'
    | 'transport_opened' | 'transport_closed' | 'line' | 'timer' | 'network_online';

interface Exports extends WebAssembly.Exports, Record<Call, (...args: number[]) => number> {
    memory: WebAssembly.Memory;
    _initialize(): void;
    text_buffer(size: number): number;
    next(): number;
    texts(): number;
    message_bytes_max(): number;
}

/** The kinds of actions: `action_kind` in common/client/machine.hpp. */
export const enum Kind {
    openTransport, closeTransport, send, setTimer, stateChanged, deliver, subscribed, presence, joined, left, gap,
    refused, published, answered, failed,
}

/** Where the fields of an action lie: the first in bytes, for byte() alone, the others in words of four bytes. */
export const enum Field {
    kind = 0, via = 1, to = 2, outcome = 3, replayed = 4, localCode = 112,
    id = 2, payloadOf = 3, attempt = 4, delayMs = 5, close = 6, offset = 8, time = 10, type = 12, payload = 14,
    epoch = 16, session = 18, reason = 20, code = 22, message = 24, pointer = 26, textAt = 29, textSize = 30,
}

const payloadKey = '"payload":';
const textBytes = 1024;
/** A longer header is cut, which breaks the frame, which ends the connection. Real ones have a few hundred bytes. */
const headerBytesMax = 65_536;
const asciiMax = 127;
const questionMark = 63;

/** The machine in WebAssembly: strings go in through its text buffer, actions are read where they lie. */
export class Core {
    readonly #exports: Exports;
    #bytes!: Uint8Array;
    #words!: Uint32Array;
    #text = 0;
    #textSize = 0;
    #action = 0;
    #message = '';
    #begin = 0;
    #wall = 0;
    #now = 0;

    constructor(instance: WebAssembly.Instance) {
        this.#exports = instance.exports as Exports;
        this.#exports._initialize();
        this.#reserve(textBytes);
    }

    /** Calls the machine with some ASCII strings, some numbers and the time; what it wants done waits for next(). */
    call(call: Call, texts: readonly string[], ...numbers: number[]): number {
        const text = texts.join('');
        this.#reserve(text.length);
        this.#copy(text, 0, text.length);
        return this.#exports[call](...texts.map(({length}) => length), ...numbers, this.#time());
    }

    /**
     * Shows the machine each line of a message, of which it sees only what stands before the payload; `obey` carries
     * out what it then wants done.
     */
    receive(message: string, attempt: number, obey: () => void): void {
        const now = this.#time();
        let payload = -1;
        for (let begin = 0, end; begin < message.length; begin = end + 1) {
            end = message.indexOf('\n', begin);
            if (end < 0) end = message.length;
            if (payload < begin) {
                payload = message.indexOf(payloadKey, begin);
                if (payload < 0) payload = Infinity;
            }
            const headerEnd = payload < end ? payload + payloadKey.length : end;
            const size = Math.min(headerEnd - begin, headerBytesMax);
            this.#reserve(size);
            this.#copy(message, begin, size);
            this.#message = message;
            this.#begin = begin;
            this.#exports.line(attempt, size, end - begin, now);
            obey();
        }
        this.#message = '';
    }

    /** Goes to the next action; false when there is none. Read its fields before anything else is called. */
    next(): boolean {
        this.#action = this.#exports.next();
        this.#refresh();
        return this.#action > 0;
    }

    byte(field: Field): number {
        return this.#bytes[this.#action + field];
    }

    word(field: Field): number {
        return this.#words[this.#action / 4 + field];
    }

    /** Offsets and times, which may need more than 32 bits. */
    long(field: Field): number {
        return this.word(field) + this.word(field + 1) * 2 ** 32;
    }

    /** A part of the line that arrived. Of a message, only this and nothing else becomes a string of its own. */
    slice(field: Field): string {
        const begin = this.#begin + this.word(field);
        return this.#message.slice(begin, begin + this.word(field + 1));
    }

    /** A string of the line, without its JSON escapes; '' when it is not there. */
    string(field: Field): string {
        return JSON.parse(`"${this.slice(field)}"`) as string;
    }

    /** What stands before the payload of the line that arrived. */
    header(): string {
        return this.#message.slice(this.#begin, this.#begin + this.word(Field.payload));
    }

    /** The line to be sent, or its header. */
    text(): string {
        const begin = this.#exports.texts() + this.word(Field.textAt);
        return String.fromCharCode(...this.#bytes.subarray(begin, begin + this.word(Field.textSize)));
    }

    /** The largest message that the server takes, in bytes. */
    messageBytesMax(): number {
        return this.#exports.message_bytes_max();
    }

    /**
     * One byte for each UTF-16 unit, so that positions are those of the string. What is not ASCII can only stand in
     * text that the machine passes on by position, so a placeholder does.
     */
    #copy(from: string, begin: number, size: number): void {
        const bytes = this.#bytes;
        const text = this.#text;
        for (let i = 0; i < size; i++) {
            const unit = from.charCodeAt(begin + i);
            bytes[text + i] = unit > asciiMax ? questionMark : unit;
        }
    }

    #reserve(size: number): void {
        if (size > this.#textSize) this.#text = this.#exports.text_buffer((this.#textSize = size));
        this.#refresh();
    }

    /** Milliseconds that never go back. In Chromium Date.now() takes a third of the time of performance.now(). */
    #time(): number {
        const wall = Date.now();
        if (wall !== this.#wall) {
            this.#wall = wall;
            this.#now = performance.now();
        }
        return this.#now;
    }

    /** The memory grows now and then, which leaves views of it empty. */
    #refresh(): void {
        if (this.#bytes?.length) return;
        const {buffer} = this.#exports.memory;
        this.#bytes = new Uint8Array(buffer);
        this.#words = new Uint32Array(buffer);
    }
}
