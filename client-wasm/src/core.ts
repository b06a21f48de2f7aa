/** The calls that pulsewire.wasm exports, by the letters that spare a download their names; bridge/bridge.cpp says what each takes. */
export const enum Call {
    create = 'a', start = 'b', stop = 'c', subscribe = 'd', unsubscribe = 'e', publish = 'f', request = 'g', history = 'h',
    cancel = 'i', transportOpened = 'j', transportClosed = 'k', line = 'l', timer = 'm', networkOnline = 'n', publication = 'o',
    messageBytesMax = 'p', textBuffer = 'q', next = 'r', texts = 's',
}

interface Exports extends WebAssembly.Exports, Record<Call, (...args: number[]) => number> {
    memory: WebAssembly.Memory;
    _initialize(): void;
}

/** The kinds of actions: `action_kind` in common/client/machine.hpp. */
export const enum Kind {
    openTransport, closeTransport, send, setTimer, stateChanged, deliver, subscribed, presence, joined, left, gap,
    asked, refused, published, answered, failed,
}

/** Where the fields of an action lie: the first in words of four bytes, the others in bytes, for byte() alone. */
export const enum Field {
    offset = 0, time = 2, type = 4, payload = 6, epoch = 8, session = 10, reason = 12, code = 14, message = 16, pointer = 18,
    close = 21, id = 22, payloadOf = 23, attempt = 24, delayMs = 25, textAt = 26, textSize = 27,
    kind = 80, via = 81, to = 82, outcome = 83, replayed = 84, localCode = 85,
}

/**
 * Who delivers messages: to the subscription `to`; the JSON text of the payload is that part of `text`. Offset and time
 * are 0 where there are none.
 */
export interface Deliverer {
    deliver(
        to: number, type: string, offset: number, time: number, replayed: boolean, text: string, begin: number, end: number,
    ): void;
}

/** How publications look (docs/protocol.md 4.4); nothing looks at a string as quickly as what engines compile of patterns. */
const publication = /{"type":"[^"]+","channel":"[!#-~]+","offset":\d{1,15},"time":\d{13},"payload":/y;
const typeAt = 9; // behind {"type":"
const channelKey = '","channel":"';
const offsetKey = '","offset":';
const timeKey = ',"time":';
const timeDigits = 13;
const payloadKey = '"payload":';
/** Where a channel's name ends when it is written from its end. */
const nameEnd = 256;
const textBytes = 1024;
/** A longer header is cut, which breaks the frame, which ends the connection. Real ones have a few hundred bytes. */
const headerBytesMax = 65_536;
const asciiMax = 127;
const quote = 34;
const zero = 48;
const questionMark = 63;

/** The machine in WebAssembly: strings go in through its text buffer, actions are read where they lie. */
export class Core {
    readonly #exports: Exports;
    #bytes!: Uint8Array;
    #words!: Uint32Array;
    #text = 0;
    #textSize = 0;
    #action = 0;
    /** Whether the machine was told something of which it may want something done. */
    #told = false;
    #line = '';
    #wall = 0;
    #now = 0;
    /** Of the last message. */
    #type = '';

    constructor(instance: WebAssembly.Instance) {
        this.#exports = instance.exports as Exports;
        this.#exports._initialize();
        this.#reserve(textBytes);
    }

    /** Calls the machine with some ASCII strings, some numbers and the time; what it wants done waits for next(). */
    call(call: Call, texts: readonly string[], ...numbers: number[]): number {
        const text = texts.join('');
        this.#write(text, text.length);
        this.#told = true;
        return this.#exports[call](...texts.map(({length}) => length), ...numbers, this.#time());
    }

    /**
     * Shows the machine each line of a message, of which it sees only what stands before the payload; `obey` carries
     * out what it then wants done.
     */
    receive(message: string, attempt: number, obey: () => void, to: Deliverer): void {
        const now = this.#time();
        for (let begin = 0, end; begin < message.length; begin = end + 1) {
            end = message.indexOf('\n', begin);
            if (end < 0) end = message.length;
            if (this.#publication(message, begin, end, attempt, now, to)) continue;
            const line = message.slice(begin, end);
            const payload = line.indexOf(payloadKey) + 1;
            const size = Math.min(payload ? payload + payloadKey.length - 1 : line.length, headerBytesMax);
            this.#write(line, size);
            this.#line = line;
            this.#told = true;
            this.#exports[Call.line](attempt, size, line.length, now);
            obey();
        }
        this.#line = '';
    }

    /** Takes the line if it is the next publication of a subscription; false: line() is to see it. */
    #publication(message: string, begin: number, end: number, attempt: number, now: number, to: Deliverer): boolean {
        publication.lastIndex = begin;
        if (!publication.test(message)) return false;
        const payload = publication.lastIndex;
        const timeEnd = payload - payloadKey.length - 1;
        let time = 0;
        for (let at = timeEnd - timeDigits; at < timeEnd; at++) time = time * 10 + message.charCodeAt(at) - zero;
        let at = timeEnd - timeDigits - timeKey.length;
        let offset = 0;
        for (let factor = 1, digit; (digit = message.charCodeAt(at - 1) - zero) >= 0 && digit < 10; factor *= 10, at--) offset += digit * factor;
        at -= offsetKey.length;
        const bytes = this.#bytes;
        const text = this.#text;
        let name = nameEnd;
        for (let unit; name && (unit = message.charCodeAt(at - 1)) !== quote; at--) bytes[text + --name] = unit;
        const taken = payload + 2 > end ? 0 : this.#exports[Call.publication](attempt, name, nameEnd - name, offset, now);
        if (!taken) return false;
        // Most are of the type of the one before; a string that is used again is looked up faster.
        const last = this.#type;
        const typeEnd = at - channelKey.length;
        let left = typeEnd - begin - typeAt;
        if (left === last.length) while (left && message.charCodeAt(begin + typeAt + left - 1) === last.charCodeAt(left - 1)) left--;
        const type = left ? (this.#type = message.slice(begin + typeAt, typeEnd)) : last;
        to.deliver(Math.abs(taken), type, offset, time, taken < 0, message, payload, end - 1);
        return true;
    }

    /** Goes to the next action; false when there is none. Read its fields before anything else is called. */
    next(): boolean {
        if (!this.#told) return false;
        this.#action = this.#exports[Call.next]();
        this.#refresh();
        return (this.#told = this.#action > 0);
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
        const begin = this.word(field);
        return this.#line.slice(begin, begin + this.word(field + 1));
    }

    /** A string of the line, without its JSON escapes; '' when it is not there. */
    string(field: Field): string {
        return JSON.parse(`"${this.slice(field)}"`) as string;
    }

    /** What stands before the payload of the line that arrived. */
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
