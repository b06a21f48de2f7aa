import {PulsewireError} from '../base/errors.js';
import {dataOf, type Data} from '../base/payload.js';
import {randomName} from '../base/random.js';
import type {Channel} from '../client/channel.js';
import type {ChannelOptions} from '../client/channel_options.js';
import type {Position, SnapshotPart, SubscribedEvent} from '../client/events.js';
import type {Message} from '../client/message.js';
import {open, type Subscription} from '../list.js';
import {cut, join} from './parts.js';

/** What is made of a channel's snapshot and of the publications after it. */
export interface Fold {
    /** The type of its snapshots; undefined: it offers none. */
    readonly type: string | undefined;
    /** The state begins anew, from nothing; what was there is shown until whole() is called. */
    begin(): void;
    /** Takes the snapshot with which it begins. What it throws ends the beginning. */
    load(saved: unknown): void;
    /** Takes the next publication. Throws nothing. */
    take(message: Message): void;
    /** Everything that was there when it began has been taken. */
    whole(): void;
    /** The state after the last publication that was taken. */
    save(): unknown;
    /** Up to which offset everything is in that, where the last ones are not; 0 and less: nothing. */
    covers?(): number | undefined;
    /** What there is belongs to a user who has left. */
    clear(): void;
}

/** How long a state that has missed something waits before it begins anew, in milliseconds. */
export const againMs = 1000;

/** The state of a channel as it travels: a snapshot and everything after it, without a gap, again after each loss. */
export class StateStream {
    /** Resolves when the state is whole for the first time; rejects when it cannot be had. */
    readonly ready: Promise<void>;
    readonly subscription: Subscription<any>;
    readonly #channel: Channel<any>;
    readonly #fold: Fold;
    #became!: () => void;
    #failed!: (error: unknown) => void;
    #epoch = '';
    /** Of the last publication that was taken. */
    #offset = 0;
    /** Nothing more is missing than what comes. */
    #whole = false;
    /** The message after which it is whole; undefined as long as that is not known. */
    #target: number | undefined;
    /** Counts the beginnings, so that an answer to an earlier one is none to this. */
    #beginnings = 0;
    #parts: unknown[] = [];
    #offering: Promise<boolean> | undefined;
    #again: ReturnType<typeof setTimeout> | undefined;
    #closed = false;

    /** `from`: `fold` has this state already. */
    constructor(channel: Channel<any>, fold: Fold, options: ChannelOptions = {}, from?: Position) {
        this.#channel = channel.self();
        this.#fold = fold;
        this.ready = new Promise((resolve, reject) => ([this.#became, this.#failed] = [resolve, reject]));
        // Need not be looked at.
        this.ready.catch(() => {});
        if (from) ({epoch: this.#epoch, offset: this.#offset} = from);
        const subscription = (this.subscription = open<any>(channel, {...options, state: true, ...(from && {since: from})}));
        const take = (message: Message) => this.#take(message);
        subscription.watch('message', take);
        subscription.watch('repeated', take);
        subscription.watch('subscribed', (event) => this.#subscribed(event));
        subscription.watch('snapshot', (part) => this.#part(part));
        subscription.watch('snapshotWanted', () => void this.offer().catch((error) => this.#channel.session.unheard(error, `offering the state of channel ${channel.name}`)));
        // The server has left out what a slow connection did not take; other gaps come with a new beginning.
        subscription.watch('gap', ({reason}) => {
            if (reason === 'replaced') this.#again ??= setTimeout(() => this.restart(), againMs);
        });
        subscription.watch('refused', (error) => this.#failed(error));
        (subscription.watch as (event: string, handler: () => void) => void)('signedOut', () => this.#clear());
    }

    /** The offset of the last publication that is in the state. */
    get offset(): number {
        return this.#offset;
    }

    get whole(): boolean {
        return this.#whole;
    }

    get position(): Position | undefined {
        return this.#epoch ? {epoch: this.#epoch, offset: this.#offset} : undefined;
    }

    /** Begins anew from the newest snapshot. */
    restart(): void {
        clearTimeout(this.#again);
        this.#again = undefined;
        if (!this.#closed) this.#channel.share({state: true});
    }

    /**
     * Offers the state as a snapshot. False: there is nothing that a snapshot would cover, or somebody's newer one is there.
     * Rejects where the server refuses it.
     */
    offer(): Promise<boolean> {
        return (this.#offering ??= this.#offer().finally(() => (this.#offering = undefined)));
    }

    close(): void {
        this.#closed = true;
        clearTimeout(this.#again);
        this.subscription.close();
        this.#failed(new PulsewireError('closed', 'The state was closed.'));
    }

    #subscribed({position, recovered}: SubscribedEvent): void {
        const {epoch} = position;
        this.#epoch = epoch;
        if (recovered !== true) {
            this.#offset = 0;
            this.#whole = false;
            this.#fold.begin();
        }
        if (!this.#whole) void this.#findTarget(++this.#beginnings);
    }

    /** The newest message of the channel; the answer comes after what the server had to send before it. */
    async #findTarget(beginning: number): Promise<void> {
        this.#target = undefined;
        let target: number | undefined;
        try {
            const {messages: [newest]} = await this.#channel.session.history(this.#channel.name, {limit: 1});
            // Of a snapshot nothing more comes than what has come.
            target = newest && newest.covers === undefined ? newest.offset : 0;
        } catch (error: any) {
            if (!error.temporary) return this.#failed(error);
            await new Promise((resolve) => setTimeout(resolve, againMs));
        }
        if (beginning !== this.#beginnings || this.#closed) return;
        if (target === undefined) return this.#findTarget(beginning);
        this.#target = target;
        this.#check();
    }

    #check(): void {
        if (this.#whole || this.#target === undefined || this.#offset < this.#target) return;
        this.#whole = true;
        this.#fold.whole();
        this.#became();
    }

    #part({part, parts, offset, payload}: SnapshotPart): void {
        if (part === 1) this.#parts = [];
        this.#parts.push(payload);
        if (part < parts) return;
        const all = this.#parts;
        this.#parts = [];
        // Somebody else has begun anew.
        if (this.#whole || this.#offset) return;
        try {
            this.#fold.load(join(all));
            this.#offset = offset;
        } catch (error) {
            const failure = new PulsewireError('invalid_payload', `The snapshot of channel ${this.#channel.name} cannot be read: ${error}`, {cause: error});
            this.#failed(failure);
            this.#channel.session.report(failure, `the state of channel ${this.#channel.name}`);
            // What comes after it is no state by itself.
            this.#beginnings++;
            this.#target = undefined;
        }
    }

    #take(message: Message): void {
        if (!message.offset) return;
        this.#offset = message.offset;
        this.#fold.take(message);
        this.#check();
    }

    #clear(): void {
        this.#epoch = '';
        this.#offset = 0;
        this.#whole = false;
        this.#beginnings++;
        this.#target = undefined;
        this.#parts = [];
        this.#fold.clear();
    }

    async #offer(): Promise<boolean> {
        const {type} = this.#fold;
        const covers = this.#fold.covers?.() ?? this.#offset;
        const epoch = this.#epoch;
        const {session, name} = this.#channel;
        if (!type || !this.#whole || covers < 1 || session.state.name !== 'open') return false;
        const parts = cut(dataOf(this.#fold.save()) as Data);
        const id = randomName();
        for (const [i, payload] of parts.entries()) {
            const more = `"snapshot":${JSON.stringify({covers, epoch, ...(parts.length > 1 && {id, part: i + 1, parts: parts.length})})}`;
            try {
                // Offsets of another log are others.
                if (epoch !== this.#epoch) return false;
                await session.publish({channel: name, type, payload, echo: true, transient: false, timeoutMs: 0, signal: undefined, more});
            } catch (error: any) {
                // Somebody was faster; or the log has been lost since, and the one that there is has not come so far.
                if (/^(stale_snapshot|invalid_frame)$/.test(error.code)) return false;
                throw error;
            }
        }
        return true;
    }
}
