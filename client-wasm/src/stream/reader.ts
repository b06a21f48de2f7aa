import {check, checkOptions, signal as signalRule, type Rules} from '../base/check.js';
import {PulsewireError} from '../base/errors.js';
import type {Channel} from '../client/channel.js';
import {guarded} from '../client/guarded.js';
import {open, type Subscription} from '../list.js';
import {Listeners} from '../state/state_store.js';
import type {StateStore} from '../state/types.js';
import {state} from '../state.js';
import {idRule, loaded, noReplies, replied, type Replies, type Told} from './replies.js';
import {Silence} from './silence.js';
import type {Reply, StreamReader, StreamsOptions} from './types.js';

const readRules: Rules<{signal?: AbortSignal}> = {signal: signalRule};

/** Reads the replies of a channel. */
export class Reader implements StreamReader {
    readonly #channel: Channel<any>;
    readonly #type: string;
    readonly #store: StateStore<Replies>;
    readonly #subscription: Subscription<any>;
    readonly #listeners: Listeners;
    readonly #silence: Silence;
    readonly #ended: () => void;
    /** Replies whose writers are gone, as the log has them. */
    readonly #lost = new WeakSet<Told>();
    /** What the replies were made of. */
    #told: readonly Told[] = noReplies.all;
    #shown: readonly Reply[] = [];
    /** Loops that wait for a change, or for the end. */
    #loops = new Set<() => void>();
    #closed = false;

    constructor(channel: Channel<any>, {type = 'stream', keep = 100, presence = false}: StreamsOptions, ended = () => {}) {
        this.#channel = channel.self();
        this.#type = type;
        this.#ended = ended;
        this.#listeners = new Listeners(channel);
        const store = (this.#store = state<Replies>(channel, {
            initial: noReplies,
            reduce: (replies, message) => replied(replies, message, type, keep),
            snapshot: {type: `${type}.state`, load: loaded},
        }));
        const writing = () => {
            if (!store.position) return undefined;
            const {all, now} = store.value;
            return {replies: all.filter((reply) => reply.state === 'writing' && !this.#lost.has(reply)), now};
        };
        const silence = (this.#silence = new Silence(this.#channel, writing, (reply) => {
            this.#lost.add(reply);
            this.#change();
        }));
        store.subscribe(() => {
            silence.look();
            this.#change();
        });
        const subscription = (this.#subscription = open<any>(channel, presence ? {presence: true} : {}));
        if (presence) subscription.watch('presence', ({members}) => silence.present(members));
        let begun = false;
        subscription.watch('subscribed', () => {
            if (begun) silence.connected();
            begun = true;
        });
        // The state is refused as well, and says so.
        subscription.watch('refused', () => {});
        store.ready.then(() => silence.look(), () => this.#wake());
    }

    readonly getSnapshot = (): readonly Reply[] => {
        this.#show();
        return this.#shown;
    };

    readonly subscribe = (listener: () => void): (() => void) => this.#listeners.add(listener);

    get(id: string): Reply | undefined {
        return this.getSnapshot().find((reply) => reply.id === id);
    }

    read(id: string, options: {signal?: AbortSignal} = {}): AsyncIterableIterator<string> {
        check('id', id, idRule);
        checkOptions(options, readRules);
        return this.#read(id, options.signal);
    }

    stop(id: string): Promise<void> {
        const publish = async () => {
            check('id', id, idRule);
            await this.#channel.publish(`${this.#type}.stop`, {id});
        };
        return guarded(publish(), (error) => this.#channel.session.unheard(error, `stopping the reply ${id} in channel ${this.#channel.name}`));
    }

    /** Offers a snapshot of the replies. */
    offer(): Promise<boolean> {
        return this.#store.offer();
    }

    get ready(): Promise<void> {
        return this.#store.ready;
    }

    close(): void {
        if (this.#closed) return;
        this.#show();
        this.#closed = true;
        this.#ended();
        this.#silence.close();
        this.#subscription.close();
        this.#store.close();
        this.#listeners.clear();
        this.#wake();
    }

    async *#read(id: string, signal: AbortSignal | undefined): AsyncGenerator<string, void, undefined> {
        let had: string | undefined;
        for (;;) {
            if (signal?.aborted) throw new PulsewireError('aborted', 'The signal ended the loop.', {cause: signal.reason});
            if (this.#closed) throw new PulsewireError('closed', 'The reader was closed.');
            // Before it is whole there are no replies.
            if (had === undefined) await Promise.race([this.ready, this.#changed(signal)]);
            const reply = this.get(id);
            // A writer that begins a second time, as it does not know whether the server has its beginning, writes the same again.
            const again = had !== undefined && reply?.state === 'writing' && had.startsWith(reply.text);
            if (had !== undefined && !again && !reply?.text.startsWith(had)) throw new PulsewireError('not_found', `The reply ${id} is not kept any more.`);
            if (reply && reply.text.length > (had ??= '').length) {
                const piece = reply.text.slice(had.length);
                had = reply.text;
                yield piece;
            } else if (!reply || reply.state === 'writing') {
                if (!this.#closed && !signal?.aborted) await this.#changed(signal);
            } else if (reply.state === 'failed') {
                throw reply.reason === undefined ? new PulsewireError('disconnected', `The writer of the reply ${id} is gone.`) : new PulsewireError('rejected', reply.reason || `The writer of the reply ${id} has given up.`);
            } else {
                return;
            }
        }
    }

    /** Resolves with the next change, and at the end. */
    #changed(signal: AbortSignal | undefined): Promise<void> {
        return new Promise((resolve) => {
            const go = () => {
                this.#loops.delete(go);
                signal?.removeEventListener('abort', go);
                resolve();
            };
            this.#loops.add(go);
            signal?.addEventListener('abort', go);
        });
    }

    #change(): void {
        if (!this.#show()) return;
        this.#listeners.tell();
        this.#wake();
    }

    #wake(): void {
        for (const go of this.#loops) go();
    }

    /** Makes the replies anew where something that is seen has changed; true then. A closed one stays as it is. */
    #show(): boolean {
        if (this.#closed) return false;
        const told = this.#store.value.all;
        const lost = (reply: Told) => reply.state === 'writing' && this.#lost.has(reply);
        if (told === this.#told && !told.some((reply, i) => lost(reply) && this.#shown[i]!.state === 'writing')) return false;
        this.#told = told;
        const before = new Map(this.#shown.map((reply) => [reply.id, reply]));
        const shown = told.map((reply) => {
            const next = replyOf(reply, lost(reply));
            const one = before.get(reply.id);
            return one && same(one, next) ? one : next;
        });
        if (shown.length === this.#shown.length && shown.every((reply, i) => reply === this.#shown[i])) return false;
        this.#shown = shown;
        return true;
    }
}

function replyOf({id, text, state, reason, stopping, writer, user}: Told, lost: boolean): Reply {
    return {id, text, state: lost ? 'failed' : state, ...(state === 'failed' && {reason: reason ?? ''}), stopping, writer, ...(user !== undefined && {user})};
}

function same(one: Reply, other: Reply): boolean {
    return (['text', 'state', 'reason', 'stopping', 'writer', 'user'] as const).every((field) => one[field] === other[field]);
}
