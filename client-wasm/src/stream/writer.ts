import {check, invalid} from '../base/check.js';
import {PulsewireError} from '../base/errors.js';
import {randomName} from '../base/random.js';
import type {Channel} from '../client/channel.js';
import {guarded} from '../client/guarded.js';
import {open, type Subscription} from '../list.js';
import {Reader} from './reader.js';
import type {Ending, Piece} from './replies.js';
import type {StreamOptions, StreamWriter} from './types.js';

/** Pieces within this time leave as one message, in milliseconds. */
const joinMs = 40;
/** Messages of one reply that may wait for their acknowledgement. */
const unacknowledgedMax = 4;
/** UTF-16 units of one message: at worst three quarters of the bytes that a server takes by default. */
const pieceUnitsMax = 8192;
/** UTF-16 units that may wait for their acknowledgement. */
const waitingUnitsMax = 1_048_576;
const reasonUnitsMax = 1000;
/** When what the server has refused for now is sent again, in milliseconds. */
const againMs = 1000;
const nameCharacters = 12;

/** A part of the text that is on its way. */
interface Sent {
    readonly from: number;
    readonly begins: boolean;
    readonly ends: boolean;
}

/** Somebody who waits until the text up to there has left. */
interface Waiting {
    readonly upTo: number;
    resolve(): void;
    reject(error: unknown): void;
}

/**
 * Writes one reply. Each message says where in the text it belongs; when the server refuses one for now, everything from there on
 * is repeated, and readers keep what they cannot place yet.
 */
export class Writer implements StreamWriter {
    readonly id: string;
    readonly stopped: AbortSignal;
    readonly #channel: Channel<any>;
    readonly #type: string;
    readonly #leaseMs: number;
    readonly #keep: number;
    readonly #shown: boolean;
    readonly #subscription: Subscription<any>;
    readonly #stop = new AbortController();
    readonly #done: Promise<void>;
    #resolve!: () => void;
    #reject!: (error: unknown) => void;
    /** The text from `#first` on, which is where the first part begins that the server may not have. */
    #text = '';
    #first = 0;
    /** The half of a character whose other half has not come. */
    #half = '';
    #sentTo = 0;
    readonly #onItsWay: Sent[] = [];
    #waiting: Waiting[] = [];
    /** It is known under which session the others see this client. */
    #ready = false;
    /** The session that the others know as the writer; undefined before the beginning was sent. */
    #writer: string | undefined;
    #ending: {readonly end: Ending; readonly reason?: string} | undefined;
    #endSent = false;
    /** Where to go on after refusals, when nothing is on its way any more. */
    #repeatFrom: number | undefined;
    #makingRoom: Promise<void> | undefined;
    #failure: unknown;
    #closed = false;
    #timer: ReturnType<typeof setTimeout> | undefined;
    #life: ReturnType<typeof setTimeout> | undefined;

    constructor(channel: Channel<any>, {id = randomName().slice(0, nameCharacters), type = 'stream', leaseMs = 30_000, keep = 100, presence = false}: StreamOptions) {
        this.id = id;
        this.stopped = this.#stop.signal;
        this.#channel = channel.self();
        this.#type = type;
        this.#leaseMs = leaseMs;
        this.#keep = keep;
        this.#shown = presence;
        this.#done = new Promise((resolve, reject) => ([this.#resolve, this.#reject] = [resolve, reject]));
        this.#done.catch(() => {});
        const subscription = (this.#subscription = open<any>(channel, presence ? {presence: {}} : {}));
        const begin = () => {
            this.#ready = true;
            this.#flush();
        };
        subscription.on(`${type}.stop`, (payload) => payload?.id === id && this.#stop.abort());
        subscription.watch('subscribed', begin);
        // Who may not read may write, and hears of nobody.
        subscription.watch('refused', begin);
        // A request to stop may be among what this client has missed; the state has it.
        subscription.watch('gap', () => void this.#withState((state) => void (state.get(id)?.stopping && this.#stop.abort())));
    }

    write(text: string): Promise<void> {
        return this.#guarded(this.#write(text));
    }

    end(): Promise<void> {
        // Where the server has refused the reply this signal is aborted too.
        return this.#finish(this.stopped.aborted ? 'cancelled' : 'complete');
    }

    cancel(): Promise<void> {
        return this.#finish('cancelled');
    }

    fail(reason?: unknown): Promise<void> {
        const text = reason === undefined ? '' : String((reason as Error)?.message ?? reason);
        return this.#finish('failed', wellFormed(text.slice(0, reasonUnitsMax)));
    }

    async #write(text: string): Promise<void> {
        check('text', text, /^String/);
        if (this.#failure) throw this.#failure;
        if (this.#ending) throw new PulsewireError('closed', `The reply ${this.id} has ended.`);
        if (this.#text.length + text.length > waitingUnitsMax) throw new PulsewireError('outbox_full', `More than ${waitingUnitsMax} characters of the reply ${this.id} wait: await write().`);
        if (!text) return;
        text = this.#half + text;
        this.#half = isUpperHalf(text, text.length - 1) ? text.slice(-1) : '';
        this.#text += wellFormed(this.#half ? text.slice(0, -1) : text);
        if (this.#unsent >= pieceUnitsMax) this.#flush();
        else if (this.#unsent) this.#timer ??= setTimeout(() => this.#flush(), joinMs);
        const upTo = this.#first + this.#text.length;
        // As long as the network keeps up nobody waits for a message, so that one carries many pieces.
        if (!this.#maySend || this.#unsent >= pieceUnitsMax) await new Promise<void>((resolve, reject) => this.#waiting.push({upTo, resolve, reject}));
    }

    #finish(end: Ending, reason?: string): Promise<void> {
        if (!this.#ending && !this.#failure) {
            this.#ending = {end, ...(reason && {reason})};
            this.#text += wellFormed(this.#half);
            this.#half = '';
            this.#flush();
        }
        return this.#guarded(this.#done);
    }

    get #unsent(): number {
        return this.#first + this.#text.length - this.#sentTo;
    }

    /** Sends what may be sent now. */
    #flush(): void {
        clearTimeout(this.#timer);
        this.#timer = undefined;
        while (this.#maySend && (this.#unsent || this.#news)) this.#send();
        this.#waiting = this.#waiting.filter(({upTo, resolve}) => upTo > this.#sentTo || void resolve());
    }

    get #maySend(): boolean {
        return this.#ready && !this.#closed && this.#repeatFrom === undefined && this.#onItsWay.length < unacknowledgedMax;
    }

    /** There is something else than text to send. */
    get #news(): boolean {
        return this.#writer !== this.#channel.session.name || (this.#ending !== undefined && !this.#endSent);
    }

    /** Sends the next part of the text; without one it is a sign of life. */
    #send(): void {
        const from = this.#sentTo;
        const at = from - this.#first;
        let text = this.#text.slice(at, at + pieceUnitsMax);
        // No character of two units is cut in two.
        if (isUpperHalf(text, text.length - 1)) text = text.slice(0, -1);
        this.#sentTo += text.length;
        const writer = this.#channel.session.name;
        const begins = this.#writer === undefined;
        const ends = this.#ending !== undefined && !this.#unsent;
        const piece: Piece = {
            id: this.id, n: from, ...(text && {text}), ...(ends && this.#ending),
            ...(begins ? {begin: {writer, leaseMs: this.#leaseMs, ...(this.#shown && {shown: true})}} : writer !== this.#writer && {writer}),
        };
        this.#writer = writer;
        this.#endSent ||= ends;
        const sent: Sent = {from, begins, ends};
        this.#onItsWay.push(sent);
        this.#live();
        this.#channel.publish(this.#type, piece).then(() => this.#answered(sent), (error) => this.#answered(sent, error));
    }

    #answered(sent: Sent, error?: PulsewireError): void {
        this.#onItsWay.splice(this.#onItsWay.indexOf(sent), 1);
        if (this.#closed) return;
        if (error && !error.temporary) return this.#fail(error);
        if (error) {
            if (this.#repeatFrom === undefined) this.#channel.session.unheard(error, `writing the reply ${this.id} in channel ${this.#channel.name}, which goes on in a moment`);
            this.#repeatFrom = Math.min(this.#repeatFrom ?? Infinity, sent.from);
            if (sent.begins) this.#writer = undefined;
            // Perhaps no reader is there whom the server could ask.
            if (error.code === 'state_full') this.#makingRoom ??= this.#withState((state) => state.offer()).finally(() => (this.#makingRoom = undefined));
        }
        const acknowledged = Math.min(this.#repeatFrom ?? this.#sentTo, ...this.#onItsWay.map(({from}) => from));
        this.#text = this.#text.slice(acknowledged - this.#first);
        this.#first = acknowledged;
        if (this.#repeatFrom === undefined) {
            if (this.#endSent && !this.#onItsWay.length) return this.#close(this.#resolve);
            if (this.#timer === undefined || this.#unsent >= pieceUnitsMax) this.#flush();
        } else if (!this.#onItsWay.length) {
            setTimeout(() => this.#repeat(), againMs);
        }
    }

    #repeat(): void {
        this.#sentTo = this.#repeatFrom!;
        this.#repeatFrom = undefined;
        this.#endSent = false;
        // Also where there was no text.
        if (this.#maySend && !this.#unsent && !this.#news) this.#send();
        this.#flush();
    }

    /** Readers need to hear of a writer that has nothing to write. */
    #live(): void {
        clearTimeout(this.#life);
        if (!this.#closed) this.#life = setTimeout(() => {
            // What is on its way already is a sign.
            if (this.#maySend && !this.#onItsWay.length) this.#send();
            else this.#live();
        }, this.#leaseMs / 3);
    }

    /** Has the state for a moment. */
    async #withState(act: (state: Reader) => unknown): Promise<void> {
        const reader = new Reader(this.#channel, {type: this.#type, keep: this.#keep});
        try {
            await reader.ready;
            await act(reader);
        } catch {
            // Who may not have the state writes on; somebody else makes room, or nobody, which is told.
        } finally {
            reader.close();
        }
    }

    #fail(error: PulsewireError): void {
        this.#failure = error;
        for (const {reject} of this.#waiting) reject(error);
        this.#waiting = [];
        this.#stop.abort(error);
        this.#close(() => this.#reject(error));
    }

    #close(settle: () => void): void {
        this.#closed = true;
        clearTimeout(this.#timer);
        clearTimeout(this.#life);
        this.#subscription.close();
        settle();
    }

    #guarded(promise: Promise<void>): Promise<void> {
        return guarded(promise, (error) => this.#channel.session.unheard(error, `writing the reply ${this.id} in channel ${this.#channel.name}`));
    }
}

/** Throws unless the lease leaves time for signs of life. */
export function checkLease(leaseMs: number): void {
    if (leaseMs < 3 * joinMs) throw invalid(`leaseMs cannot be ${leaseMs}: it has to be ${3 * joinMs} at least`);
}

function isUpperHalf(text: string, at: number): boolean {
    const unit = text.charCodeAt(at);
    return unit >= 0xd800 && unit < 0xdc00;
}

/** Halves of characters cannot travel. */
function wellFormed(text: string): string {
    return text.replace(/\p{Surrogate}/gu, '\ufffd');
}
