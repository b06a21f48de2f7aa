import type {Channel} from '../client/channel.js';
import type {Member} from '../client/events.js';
import type {Told} from './replies.js';

/** How long a writer may be missing in the channel's presence, in milliseconds: the news of it may come after its beginning. */
const absentMs = 2000;

/** The replies that are written and not known to be lost, and the log's clock; undefined as long as they are not whole. */
export type Writing = () => {readonly replies: readonly Told[]; readonly now: number} | undefined;

/**
 * Finds writers that are gone: those of which nothing was heard for their lease, or that have left the channel. Nothing is
 * said of one before the server has answered, so that a connection that is dead itself ends nobody; and what was missed
 * while this client was away is not counted.
 */
export class Silence {
    readonly #channel: Channel<any>;
    readonly #writing: Writing;
    readonly #lost: (reply: Told) => void;
    /** When the message came that made it so; in milliseconds of this client's clock. */
    readonly #heard = new WeakMap<Told, number>();
    /** Since when writers, by their sessions, are missing. */
    readonly #missing = new Map<string, number>();
    #members: readonly Member[] | undefined;
    #connectedAt = -Infinity;
    #timer: ReturnType<typeof setTimeout> | undefined;
    #dueAt = Infinity;
    #closed = false;

    constructor(channel: Channel<any>, writing: Writing, lost: (reply: Told) => void) {
        this.#channel = channel;
        this.#writing = writing;
        this.#lost = lost;
    }

    /** The stream has begun again. */
    connected(): void {
        this.#connectedAt = performance.now();
    }

    present(members: readonly Member[]): void {
        this.#members = members;
        this.look();
    }

    /** Something was heard. */
    look(): void {
        const writing = this.#writing();
        if (!writing || this.#closed) return;
        const nowMs = performance.now();
        for (const reply of writing.replies) {
            // Who comes late waits for the next sign of life at least.
            if (!this.#heard.has(reply)) this.#heard.set(reply, nowMs - Math.min(writing.now - reply.at, (reply.leaseMs * 2) / 3));
        }
        const absent = (writer: string) => this.#members && !this.#members.some(({session}) => session === writer);
        const writers = new Set(writing.replies.filter(({shown, writer}) => shown && absent(writer)).map(({writer}) => writer));
        for (const writer of this.#missing.keys()) if (!writers.has(writer)) this.#missing.delete(writer);
        for (const writer of writers) if (!this.#missing.has(writer)) this.#missing.set(writer, nowMs);
        const dueAt = Math.min(...writing.replies.map((reply) => this.#dueOf(reply)));
        // One that is too early looks again.
        if (dueAt < this.#dueAt) this.#wake(dueAt, nowMs);
    }

    close(): void {
        this.#closed = true;
        clearTimeout(this.#timer);
    }

    #wake(dueAt: number, nowMs: number): void {
        clearTimeout(this.#timer);
        this.#dueAt = dueAt;
        this.#timer = setTimeout(() => void this.#check(), Math.max(1, dueAt - nowMs));
    }

    #dueOf(reply: Told): number {
        const heard = Math.max(this.#heard.get(reply)!, this.#connectedAt);
        const missing = reply.shown ? this.#missing.get(reply.writer) : undefined;
        return Math.min(heard + reply.leaseMs, missing === undefined ? Infinity : Math.max(missing, heard) + absentMs);
    }

    async #check(): Promise<void> {
        const {session, name} = this.#channel;
        const overdue = () => {
            const nowMs = performance.now();
            return (this.#writing()?.replies ?? []).filter((reply) => this.#heard.has(reply) && this.#dueOf(reply) <= nowMs);
        };
        if (overdue().length) {
            // The answer comes after what the server had to send before it.
            const before = this.#connectedAt;
            const answered = await session.history(name, {limit: 1}).then(() => session.state.name === 'open', () => false);
            if (this.#closed) return;
            if (!answered) this.connected();
            else if (before === this.#connectedAt) for (const reply of overdue()) this.#lost(reply);
        }
        this.#dueAt = Infinity;
        this.look();
    }
}
