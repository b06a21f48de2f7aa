import type {PulsewireError} from '../base/errors.js';
import {toJson} from '../base/json.js';
import {checkKey, checkType} from '../base/names.js';
import type {ClientStorage} from './client_storage.js';
import type {CloseReason, GapEvent, Member, Position, PresenceEvent, SubscribedEvent} from './events.js';
import {first, Handlers} from './handlers.js';
import {Loop} from './loop.js';
import {Message} from './message.js';
import type {ChannelOptions, HistoryOptions, IterationOptions, PublishOptions} from './channel_options.js';
import type {AnyMessages} from './options.js';
import type {AskedEvent, Session} from './session.js';

/** A page of a channel's history. */
export interface HistoryPage<M extends object = AnyMessages> {
    readonly messages: Message<M[keyof M]>[];
    /** Whether there are further ones in the direction that was read. */
    readonly more: boolean;
    /** The newest publication of the channel. */
    readonly position: Position;
}

/** The events of channel.watch(). */
export interface ChannelEvents {
    /** A message of any type; its payload is parsed only if it is read. */
    message: Message;
    /** The stream began, for the first time, or again after a reconnect or after this connection fell behind. */
    subscribed: SubscribedEvent;
    /** Messages were missed and will not come. */
    gap: GapEvent;
    /** The list of members changed; needs {@link ChannelOptions.presence}. */
    presence: PresenceEvent;
    /** The server refused the subscription; the next on() asks again. */
    refused: PulsewireError;
}

/** A named, ordered stream of messages; `M` maps message types to their payloads. */
export class Channel<M extends object = AnyMessages> {
    readonly name: string;
    /** @internal */
    readonly session: Session;
    /** Answers other clients; pulsewire/requests puts it here. @internal */
    onAsked?: (event: AskedEvent) => void;
    readonly #storage: ClientStorage | undefined;
    readonly #options: ChannelOptions = {};
    readonly #handlers: Handlers;
    readonly #watchers: Handlers;
    readonly #loops = new Set<Loop<M[keyof M]>>();
    #unsubscribe: (() => void) | undefined;
    #state: 'idle' | 'subscribing' | 'subscribed' | 'refused' = 'idle';
    // Where it is, once it is somewhere.
    #epoch = '';
    #offset = 0;
    #members: readonly Member[] = [];

    /** @internal */
    constructor(name: string, session: Session, storage: ClientStorage | undefined) {
        this.name = name;
        this.session = session;
        this.#storage = storage;
        this.#handlers = new Handlers(`channel ${name}`, session.report);
        this.#watchers = new Handlers(`channel ${name}`, session.report);
    }

    /** Options for the next subscription. @internal */
    configure(options: ChannelOptions | undefined): void {
        Object.assign(this.#options, options);
    }

    /** The state of the subscription. It stays `subscribed` while the client reconnects. */
    get state(): 'idle' | 'subscribing' | 'subscribed' | 'refused' {
        return this.#state;
    }

    /** The last message that was given to the handlers; as `since` it goes on from there another time. */
    get position(): Position | undefined {
        return this.#epoch ? {epoch: this.#epoch, offset: this.#offset} : undefined;
    }

    /** The sessions that show themselves in the channel; empty without {@link ChannelOptions.presence}. */
    get members(): readonly Member[] {
        return this.#members;
    }

    /**
     * Calls `handler` with each message of the type, or of every type for `'*'`, and subscribes to the channel unless
     * that is done already. Returns the function that removes the handler; the subscription stays until unsubscribe().
     */
    on<K extends keyof M & string>(type: K, handler: (payload: M[K], message: Message<M[K]>) => void): () => void;
    on(type: '*', handler: (payload: M[keyof M], message: Message<M[keyof M]>) => void): () => void;
    on(type: string, handler: (payload: any, message: Message<any>) => void): () => void {
        if (type !== '*') checkType(type);
        const remove = this.#handlers.add(type, (message: Message<any>) => handler(message.payload, message));
        this.#subscribe();
        return remove;
    }

    /** Calls `handler` with what happens to the subscription, or with each message unparsed; subscribes, like on(). */
    watch<E extends keyof ChannelEvents>(event: E, handler: (event: ChannelEvents[E]) => void): () => void {
        const [handlers, name] = event === 'message' ? [this.#handlers, first] : [this.#watchers, event];
        const remove = handlers.add(name, (told) => handler(told));
        this.#subscribe();
        return remove;
    }

    /**
     * Sends a message to the channel; subscribing is not needed for it. Resolves with its position when the server has
     * it for sure, which may be after a reconnect, and with undefined for a transient one. Repeats by itself, without a
     * second effect. Rejects with a {@link PulsewireError}.
     */
    async publish<K extends keyof M & string>(
        type: K, payload: M[K], options: PublishOptions = {},
    ): Promise<Position | undefined> {
        checkType(type);
        const {echo = true, transient = false, timeoutMs = 0, conflate, signal} = options;
        if (conflate) checkKey(conflate);
        const by = (!transient && this.#storage) || this.session;
        return by.publish({channel: this.name, type, payload: toJson(payload), echo, transient, timeoutMs, conflate, signal});
    }

    /** Reads kept messages, also of a channel that is not subscribed. */
    async history(options: HistoryOptions = {}): Promise<HistoryPage<M>> {
        const {messages, more, position} = await this.session.history(this.name, options);
        return {
            messages: messages.map(({type, offset, time, payload}) =>
                new Message(this.name, type, offset, time, true, '', 0, 0, payload as M[keyof M])),
            more,
            position,
        };
    }

    /**
     * The messages from now on, as something to loop over. The loop ends with unsubscribe(), close() or the signal, and
     * throws when the subscription is refused, the client ends by itself, or the loop is too slow.
     */
    messages(options: IterationOptions = {}): AsyncIterableIterator<Message<M[keyof M]>> {
        const loop = new Loop<M[keyof M]>(options, (ended) => this.#loops.delete(ended));
        if (!options.signal?.aborted) {
            this.#loops.add(loop);
            this.#subscribe();
        }
        return loop.iterator;
    }

    /** `for await (const message of channel)`: messages() with its defaults. */
    [Symbol.asyncIterator](): AsyncIterableIterator<Message<M[keyof M]>> {
        return this.messages();
    }

    /** Ends the subscription, its loops, and removes all handlers. */
    unsubscribe(): void {
        this.#handlers.clear();
        this.#watchers.clear();
        this.#endWith('idle');
    }

    #subscribe(): void {
        if (this.#unsubscribe) return;
        const {latest = 0, resume, presence} = this.#options;
        const since = (resume && this.#storage?.position(this.name)) || this.#options.since;
        const info = typeof presence === 'object' ? toJson(presence) : undefined;
        this.#state = 'subscribing';
        this.#epoch = since?.epoch ?? '';
        this.#offset = since?.offset ?? 0;
        this.#unsubscribe = this.session.subscribe(this, {since, latest, presence: !!presence, info});
    }

    #endWith(state: 'idle' | 'refused', error?: PulsewireError): void {
        this.#unsubscribe?.();
        this.#unsubscribe = undefined;
        this.#state = state;
        this.#members = [];
        for (const loop of this.#loops) loop.end(error);
    }

    /** @internal */
    deliver(type: string, offset: number, time: number, replayed: boolean, text: string, begin: number, end: number): void {
        const message = new Message<M[keyof M]>(this.name, type, offset, time, replayed, text, begin, end);
        if (offset) this.#moveTo(this.#epoch, offset);
        if (this.#loops.size) for (const loop of this.#loops) loop.push(message);
        this.#handlers.emit(type, message);
    }

    /** @internal */
    onSubscribed(event: SubscribedEvent): void {
        const {position} = event;
        const from = position.epoch === this.#epoch ? this.#offset + 1 : 1;
        this.#moveTo(position.epoch, position.offset);
        this.#state = 'subscribed';
        this.#tell('subscribed', event);
        if (event.recovered === false) this.#tell('gap', {from, to: position.offset, reason: event.reason!});
    }

    /** @internal */
    onGap(to: number): void {
        const from = this.#offset + 1;
        this.#moveTo(this.#epoch, to);
        this.#tell('gap', {from, to, reason: 'replaced'});
    }

    /** @internal */
    onPresence({members, joined, left}: Partial<PresenceEvent>): void {
        const session = (joined ?? left)?.session;
        const before = this.#members.find((member) => member.session === session);
        this.#members = members ?? this.#members.filter((member) => member !== before).concat(joined ?? []);
        this.#tell('presence', {members: this.#members, ...(joined && {joined}), ...(left && {left: before ?? left})});
    }

    /** @internal */
    onRefused(error: PulsewireError): void {
        this.#endWith('refused', error);
        this.#tell('refused', error);
    }

    /** @internal */
    onClosed(error: PulsewireError, {name}: CloseReason): void {
        this.#endWith('idle', name === 'client_closed' ? undefined : error);
    }

    #moveTo(epoch: string, offset: number): void {
        this.#epoch = epoch;
        this.#offset = offset;
        if (this.#options.resume) this.#storage?.moved(this.name, {epoch, offset});
    }

    #tell<E extends keyof ChannelEvents>(event: E, told: ChannelEvents[E]): void {
        this.#watchers.emit(event, told);
    }
}
