import {fromBase64} from '../base/payload.js';
import {fromUtf8} from '../base/utf8.js';
import {type ByteField, Call, Field, type HalfField} from './numbers.js';

interface Exports extends WebAssembly.Exports, Record<Call, (...args: number[]) => number> {
    /** `moved`: of one in JavaScript, whether it has grown since that was last read (coreFrom() in build_options.mjs). */
    memory: WebAssembly.Memory & {readonly moved?: boolean};
    _initialize(): void;
}

/**
 * Delivers messages to the subscription `to`; the JSON text of the payload is that part of `text`, or it is `bytes`. Offset and time
 * are 0 where there are none; a publication's time and user may be left where they are, before its payload.
 */
export interface Deliverer {
    deliver(
        to: number, type: string, offset: number, time: number, replayed: boolean, text: string, begin: number, end: number,
        user?: string, bytes?: Uint8Array, conflate?: string,
    ): void;
}

/**
 * How publications look (docs/protocol.md 4.4), up to the offset and from there on; nothing looks at a string as quickly as
 * what engines compile of patterns, and of short ones it is little code, which leaves the cache to others.
 */
const publicationHead = /{"type":"[^"]+","channel":"[!#-~]+","offset":/y;
const publicationTail = /\d+,"time":\d{13}(,"user":"[^"]+")?,"(payload":|bytes":\d+}$)/y;
/** How a header ends whose payload is bytes: with this and their number. */
const bytesKey = ',"bytes":';
const typeAt = 9; // behind {"type":"
const channelKey = '","channel":"';
const offsetKey = '","offset":';
const payloadKey = '"payload":';
const base64Key = `,"binary":true,${payloadKey}`;
const newline = 10;
/** Where a channel's name ends when it is written from its end. */
const nameEnd = 256;
const textBytes = 1024;
/** A longer header is cut, which breaks the frame, which ends the connection. Real ones have a few hundred bytes. */
const headerBytesMax = 65_536;
/** No line begins like this. */
const noHead = '\n';
const asciiMax = 127;
const quote = 34;
const zero = 48;
const questionMark = 63;

/** The machine in WebAssembly: strings go in through its text buffer, actions are read where they lie. */
export class Core {
    /** The attempt on which a publication came since the machine was told the time; 0: none. */
    heard: number;
    readonly #exports: Exports;
    #bytes!: Uint8Array;
    #words!: Uint32Array;
    #text = 0;
    #textSize = 0;
    #action = 0;
    /** Whether the machine was told something of which it may want something done. */
    #told = false;
    #line = '';
    /** The payload of the line, where it is bytes. */
    #payload: Uint8Array | undefined;
    #now = 0;
    /** The last publication up to its offset, its type, and where its channel's name begins in the text buffer. */
    #head = noHead;
    #type = '';
    #name = 0;

    constructor(instance: {readonly exports: WebAssembly.Exports}) {
        this.heard = 0;
        this.#exports = instance.exports as Exports;
        this.#exports._initialize();
        this.#reserve(textBytes);
    }

    /** Calls the machine with some ASCII strings, some numbers and the time; what it wants done waits for next(). */
    call(call: Call, texts: readonly string[], ...numbers: number[]): number {
        const text = texts.join('');
        this.#write(text, text.length);
        this.#told = true;
        const now = this.#time();
        // Of no channel: this says no more than that something arrived.
        if (this.heard) this.#exports[Call.publication](this.heard, 0, 0, 0, 0, now);
        this.heard = 0;
        return this.#exports[call](...texts.map(({length}) => length), ...numbers, now);
    }

    /**
     * Shows the machine each line of a message, of which it sees only what stands before the payload; `obey` carries
     * out what it then wants done.
     */
    receive(message: string, attempt: number, obey: () => void, to: Deliverer): void {
        let now = 0;
        for (let begin = 0, end; begin < message.length; begin = end + 1) {
            end = message.indexOf('\n', begin);
            if (end < 0) end = message.length;
            if (!this.#publication(message, begin, end, attempt, to)) {
                const line = message.slice(begin, end);
                const payload = line.indexOf(payloadKey) + 1;
                const size = Math.min(payload ? payload + payloadKey.length - 1 : line.length, headerBytesMax);
                this.#write(line, size);
                this.#line = line;
                this.#told = true;
                this.heard = 0;
                this.#exports[Call.line](attempt, size, line.length, (now ||= this.#time()));
            }
            if (this.#told) obey();
        }
        this.#line = '';
    }

    /** The same for a binary message (docs/protocol.md 2.5). A payload that is most of it is a view of it. */
    receiveBinary(message: ArrayBuffer, attempt: number, obey: () => void, to: Deliverer): void {
        const all = new Uint8Array(message);
        for (let begin = 0; begin < all.length; ) {
            const found = all.indexOf(newline, begin);
            const end = found < 0 ? all.length : found;
            const line = fromUtf8(all.subarray(begin, end));
            begin = end + 1;
            // From the end, where a pattern would look at each comma before. Within a payload a brace follows, so it is no number.
            const key = line.lastIndexOf(bytesKey);
            const behind = +line.slice(key + bytesKey.length, -1);
            if (key > 0 && behind >= 0) {
                const bytes = all.subarray(begin, (begin += behind));
                // A copy, where whoever keeps or transfers it would have much of what belongs to others.
                this.#payload = 2 * bytes.length < all.length ? bytes.slice() : bytes;
            }
            this.receive(line, attempt, obey, to);
            this.#payload = undefined;
        }
    }

    /** Takes the line if it is the next publication of a subscription; false: line() is to see it. */
    #publication(message: string, begin: number, end: number, attempt: number, to: Deliverer): boolean {
        if (message.slice(begin, begin + this.#head.length) !== this.#head && !this.#remember(message, begin)) return false;
        let at = (publicationTail.lastIndex = begin + this.#head.length);
        if (!publicationTail.test(message)) return false;
        let payload = publicationTail.lastIndex;
        const bytes = this.#payload;
        // Where it would begin if it stood in the line.
        if (bytes) payload = message.lastIndexOf(',') + payloadKey.length + 1;
        else if (payload + 2 > end) return false;
        let offset = 0;
        // The comma is less than a digit.
        for (let digit; (digit = message.charCodeAt(at) - zero) >= 0; at++) offset = offset * 10 + digit;
        const size = end - begin + (bytes ? bytes.length : 0);
        const taken = this.#exports[Call.publication](attempt, this.#name, nameEnd - this.#name, offset, size, this.#now);
        if (!taken) return false;
        this.heard = attempt;
        to.deliver(Math.abs(taken), this.#type, offset, 0, taken < 0, message, payload, end - 1, undefined, bytes);
        return true;
    }

    /** Reads a publication up to its offset: the next one often begins in the same way. False: it is none. */
    #remember(message: string, begin: number): boolean {
        publicationHead.lastIndex = begin;
        if (!publicationHead.test(message)) return false;
        let at = publicationHead.lastIndex;
        this.#head = message.slice(begin, at);
        at -= offsetKey.length;
        let name = nameEnd;
        for (let unit; name && (unit = message.charCodeAt(at - 1)) !== quote; at--) this.#bytes[this.#text + --name] = unit;
        this.#name = name;
        const type = message.slice(begin + typeAt, at - channelKey.length);
        // A string that is used again is looked up faster.
        if (type !== this.#type) this.#type = type;
        return true;
    }

    /** Goes to the next action; false when there is none. Read its fields before anything else is called. */
    next(): boolean {
        if (!this.#told) return false;
        this.#action = this.#exports[Call.next]();
        this.#refresh();
        return (this.#told = this.#action > 0);
    }

    byte(field: ByteField): number {
        return this.#bytes[this.#action + field]!;
    }

    /** Of a HalfField this is the word whose upper half it is. */
    word(field: Field | HalfField): number {
        return this.#words[this.#action / 4 + field]!;
    }

    /** Offsets and times, which may need more than 32 bits. */
    long(field: Field): number {
        return this.word(field) + this.word(field + 1) * 2 ** 32;
    }

    /** A part of the line that arrived. Of a message, only this and nothing else becomes a string of its own. */
    slice(field: Field): string {
        const begin = this.word(field);
        return this.#line.slice(begin, begin + this.word(field + 1));
    }

    /** The payload where it is bytes, as such or as base64; undefined where it is JSON or not there. */
    bytes(): Uint8Array | undefined {
        if (this.#payload) return this.#payload;
        const text = this.slice(Field.payload);
        return text[0] === '"' && this.header().endsWith(base64Key) ? fromBase64(JSON.parse(text)) : undefined;
    }

    /** A string of the line, without its JSON escapes; '' when it is not there. */
    string(field: Field): string {
        return JSON.parse(`"${this.slice(field)}"`) as string;
    }

    /** The part of the arrived line before its payload. */
    header(): string {
        return this.#line.slice(0, this.word(Field.payload));
    }

    /** The line to be sent, or its header. */
    text(): string {
        const begin = this.#exports[Call.texts]() + this.word(Field.textAt);
        return String.fromCharCode(...this.#bytes.subarray(begin, begin + this.word(Field.textSize)));
    }

    /** The largest message that the server takes, in bytes. */
    messageBytesMax(): number {
        return this.#exports[Call.messageBytesMax]();
    }

    /**
     * One byte for each UTF-16 unit, so that positions are those of the string. What is not ASCII can only stand in
     * text that the machine passes on by position, so a placeholder does.
     */
    #write(text: string, size: number): void {
        this.#reserve(size);
        this.#head = noHead;
        const bytes = this.#bytes;
        const at = this.#text;
        for (let i = 0; i < size; i++) {
            const unit = text.charCodeAt(i);
            bytes[at + i] = unit > asciiMax ? questionMark : unit;
        }
    }

    #reserve(size: number): void {
        if (size > this.#textSize) this.#text = this.#exports[Call.textBuffer]((this.#textSize = size));
        this.#refresh();
    }

    /** Milliseconds that never go back. */
    #time(): number {
        return (this.#now = performance.now());
    }

    /**
     * The memory grows now and then, which gives it another buffer: views of the one before are empty, or in JavaScript
     * stale. The buffer itself is not asked for: WebAssembly takes 50 ns to give it.
     */
    #refresh(): void {
        if (this.#bytes?.length && !this.#exports.memory.moved) return;
        const {buffer} = this.#exports.memory;
        this.#bytes = new Uint8Array(buffer);
        this.#words = new Uint32Array(buffer);
    }
}
