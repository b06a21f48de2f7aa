import {callable, check, checkKnown, invalid} from '../base/check.js';
import type {PulsewireError} from '../base/errors.js';
import {checkType} from '../base/names.js';
import type {Channel} from '../client/channel.js';
import type {ChannelOptions, IterationOptions} from '../client/channel_options.js';
import type {Position} from '../client/events.js';
import {first, Handlers} from '../client/handlers.js';
import {Loop} from '../client/loop.js';
import type {Message} from '../client/message.js';

// `signedOut` is for pulsewire/state alone.
const events = ['message', 'subscribed', 'gap', 'presence', 'snapshot', 'snapshotWanted', 'repeated', 'refused', 'signedOut'];
/** Messages that the history gives at once. */
const pageMax = 300;

/** The sharing of a channel among its handles, as one of them sees it. */
export interface SharedChannel {
    /** Whether somebody here wants to see who is in the channel, or shows itself. */
    readonly presence: boolean | object;
    remove(handle: Handle): void;
}

export class Handle {
    readonly options: ChannelOptions;
    readonly watchers: Handlers;
    readonly #channel: Channel<any>;
    readonly #sharing: SharedChannel;
    readonly #handlers: Handlers;
    readonly #loops = new Set<Loop>();
    #open = true;
    /** Messages that wait until older ones have come from the history. */
    #waiting: Message[] | undefined;
    /** Messages up to this offset came from the history. */
    #seen = 0;

    constructor(channel: Channel<any>, sharing: SharedChannel, options: ChannelOptions) {
        this.#channel = channel;
        this.#sharing = sharing;
        this.options = {...options};
        this.#handlers = new Handlers(`channel ${channel.name}`, channel.session.report);
        this.watchers = new Handlers(`channel ${channel.name}`, channel.session.report);
    }

    on(type: string, handler: (payload: any, message: any) => unknown): () => void {
        this.#check(handler);
        if (type !== '*') checkType(type);
        return this.#handlers.add(type, (message: Message) => handler(message.payload, message));
    }

    watch(event: string, handler: (told: any) => unknown): () => void {
        this.#check(handler);
        checkKnown(event, events, 'event');
        const told = (what: unknown) => handler(what);
        return event === 'message' ? this.#handlers.add(first, told) : this.watchers.add(event, told);
    }

    messages(options: IterationOptions = {}): AsyncIterableIterator<Message> {
        this.#check(() => {});
        const loop = new Loop(options, () => this.#loops.delete(loop));
        if (!options.signal?.aborted) this.#loops.add(loop);
        return loop.iterator;
    }

    close(): void {
        if (!this.#open) return;
        this.#open = false;
        this.#handlers.clear();
        this.watchers.clear();
        this.end(undefined);
        this.#sharing.remove(this);
    }

    take(message: Message): void {
        if (this.#waiting) this.#waiting.push(message);
        else if (!(message.offset! <= this.#seen)) this.#give(message);
    }

    /** The log was replaced by another, whose offsets begin anew. */
    forget(): void {
        this.#seen = 0;
    }

    /** Ends its loops; true when somebody hears of the error. */
    end(error: PulsewireError | undefined): boolean {
        const heard = this.#loops.size > 0 || this.watchers.hears('refused');
        for (const loop of this.#loops) loop.end(error);
        return heard;
    }

    /** Reads what others of the channel had before this one was opened; what comes meanwhile waits. */
    async catchUp(): Promise<void> {
        const {latest = 0, since} = this.options;
        const waiting: Message[] = (this.#waiting = []);
        const channel = this.#channel;
        try {
            // Its handlers are not there yet.
            await undefined;
            if (since) await this.#replay(since);
            else if (latest) this.#giveAll((await channel.history({limit: Math.min(Math.ceil(latest), pageMax)})).messages.reverse());
            if (channel.state === 'subscribed') {
                this.watchers.emit('subscribed', {position: channel.position, recovered: undefined});
                if (this.#sharing.presence) this.watchers.emit('presence', {members: channel.members});
            }
        } catch (error) {
            if (this.#open) channel.session.unheard(error, `reading the history of channel ${channel.name}`);
        }
        this.#waiting = undefined;
        for (const message of waiting) this.take(message);
    }

    async #replay({epoch, offset}: Position): Promise<void> {
        for (let more = true; more && this.#open; ) {
            const page = await this.#channel.history({after: offset, limit: pageMax});
            const same = page.position.epoch === epoch;
            // Another log is read from its beginning.
            if (!same && offset) {
                this.watchers.emit('gap', {from: 1, to: 0, reason: 'epoch_changed'});
                ({epoch} = page.position);
                offset = 0;
                continue;
            }
            const to = (page.messages[0]?.offset ?? page.position.offset + 1) - 1;
            if (to > offset) this.watchers.emit('gap', {from: offset + 1, to, reason: 'expired'});
            this.#giveAll(page.messages);
            offset = page.messages.at(-1)?.offset ?? offset;
            more = page.more && page.messages.length > 0;
        }
    }

    #giveAll(messages: readonly Message[]): void {
        // A snapshot of the channel's state is no message of it.
        for (const message of messages) if (!('covers' in message)) this.#give(message);
        this.#seen = messages.at(-1)?.offset ?? this.#seen;
    }

    #give(message: Message): void {
        for (const loop of this.#loops) loop.push(message);
        this.#handlers.emit(message.type, message);
    }

    #check(handler: unknown): void {
        if (!this.#open) throw invalid('this handle was closed: open another one');
        check('handler', handler, callable);
    }
}
