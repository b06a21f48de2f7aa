import type {Decoder} from './decoder.js';
import type {Hub} from './hub.js';
import type {Direction} from './options.js';
import type {Pipe} from './pipe.js';
import type {Trace} from './trace.js';
import {toUtf8} from './text_bytes.js';

/** Bytes that the systems of both sides hold for a connection that is not read; beyond: they wait in the server. */
const heldBytesMax = 64 * 1024;
/** All of them, for a client that is gone. */
const allBytes = 2 ** 32 - 1;
const closeAbnormal = 1006;

/** How a connection begins, and what its bytes are. */
export interface Opening {
    readonly name: 'websocket' | 'sse' | 'events';
    readonly decoder: Decoder;
    /** Names an event stream of the SDK for POST; empty for the others. */
    readonly secret: string;
    /** At the server. Returns the status of the answer that refuses it; 0: it is open. */
    open(hub: Hub, connection: number): number;
}

/** The needs of a connection on its path. */
export interface Line {
    readonly network: {
        readonly hub: Hub;
        readonly trace: Trace;
        /** A connection has reached the server. */
        opened(connection: number): void;
    };
    /** A way for one direction; it is to be ended. */
    pipe<T>(direction: Direction, deliver: (what: T) => void): Pipe<T>;
}

/** The client's end. After `ended` nothing more is called; its code is a close code, or below 1000 the status of a refusal. */
export interface ClientEnd {
    opened(): void;
    received(message: string): void;
    ended(code: number): void;
}

/** One connection between a client and the hub, over a path. */
export class Connection {
    readonly number: number;
    readonly #hub: Hub;
    readonly #trace: Trace;
    readonly #client: ClientEnd;
    /** Neither end knows it any more. */
    readonly #forget: () => void;
    readonly #decoder: Decoder;
    readonly #up: Pipe<() => void>;
    readonly #down: Pipe<Uint8Array | number | 'open'>;
    /** POSTs that wait for their answer. */
    #taken: (() => void)[] = [];
    #heldBytes = 0;
    #opened = false;
    #clientEnded = false;
    #serverEnded = false;

    constructor(number: number, path: Line, opening: Opening, client: ClientEnd, forget: () => void) {
        this.number = number;
        this.#hub = path.network.hub;
        this.#trace = path.network.trace;
        this.#forget = forget;
        this.#client = client;
        this.#decoder = opening.decoder;
        this.#up = path.pipe('up', (arrive) => arrive());
        this.#down = path.pipe('down', (what) => this.#arrived(what));
        this.#trace.note(number, '○', opening.name);
        this.#send(() => {
            const status = opening.open(this.#hub, number);
            if (status) return this.#refuse(status);
            this.#down.push('open');
            if (opening.secret) this.#down.push(toUtf8(`data: {"op":"stream","connection":"${opening.secret}"}\n\n`));
            this.#opened = true;
            this.pump();
            path.network.opened(number);
        });
    }

    /** The client sends a message. */
    send(message: string): void {
        this.#note('→', message);
        this.#send(() => this.#hub.receive(this.number, message));
    }

    /** A POST has brought a message; `done` is called when the server has carried it out. */
    take(message: string, done: () => void): void {
        this.#note('→', message);
        this.#hub.receive(this.number, message);
        this.#taken.push(done);
        this.answerPosts();
    }

    /** The client closes it. */
    close(): void {
        if (this.#clientEnded) return;
        this.#clientEnded = true;
        this.#trace.note(this.number, '×', 'by the client');
        this.#send(() => this.#end());
    }

    /** It breaks, at both ends. */
    cut(): void {
        this.#end();
        this.lose();
    }

    /** It breaks at the client's end alone: the server does not notice before its heartbeat. */
    lose(): void {
        this.#up.end();
        this.#down.end();
        this.#endClient(closeAbnormal);
    }

    /** Something waits for it in the hub. */
    pump(): void {
        if (!this.#opened || this.#serverEnded) return;
        // Those of a client that is gone go nowhere.
        const room = this.#clientEnded ? allBytes : heldBytesMax - this.#heldBytes;
        const bytes = this.#hub.pull(this.number, room);
        if (bytes.length) {
            this.#heldBytes += bytes.length;
            this.#down.push(bytes);
        }
        const code = this.#hub.ended(this.number);
        if (!code) return this.answerPosts();
        this.#down.push(code);
        this.#end();
    }

    /** Answers the POSTs of which all is carried out. */
    answerPosts(): void {
        if (this.#taken.length && this.#hub.hasReadAll(this.number)) for (const done of this.#taken.splice(0)) done();
    }

    #send(arrive: () => void): void {
        this.#up.push(() => {
            if (this.#serverEnded) return;
            arrive();
        });
    }

    #note(sign: '→' | '←', message: string): void {
        for (const line of message.split('\n')) if (line) this.#trace.note(this.number, sign, line);
    }

    #arrived(what: Uint8Array | number | 'open'): void {
        if (this.#clientEnded) return;
        if (typeof what === 'number') return this.#endClient(what);
        if (what === 'open') return this.#client.opened();
        this.#heldBytes = Math.max(0, this.#heldBytes - what.length);
        for (const message of this.#decoder.add(what)) {
            this.#note('←', message);
            this.#client.received(message);
        }
        this.pump();
    }

    /** The hub has never had it. */
    #refuse(status: number): void {
        this.#serverEnded = true;
        this.#up.end();
        this.#down.push(status);
    }

    #end(): void {
        if (this.#serverEnded) return;
        this.#serverEnded = true;
        this.#up.end();
        this.#hub.closed(this.number);
        if (this.#clientEnded) this.#over();
    }

    #endClient(code: number): void {
        if (this.#clientEnded) return;
        this.#clientEnded = true;
        this.#trace.note(this.number, '×', String(code));
        if (this.#serverEnded) this.#over();
        void Promise.resolve().then(() => this.#client.ended(code));
    }

    #over(): void {
        this.#down.end();
        this.#forget();
    }
}
