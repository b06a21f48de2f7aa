import {amount, callable, check, checkKnown, checkOptions, flag, invalid, limit, signal, type Rules} from '../base/check.js';
import type {PulsewireError} from '../base/errors.js';
import {toJson} from '../base/json.js';
import {checkType} from '../base/names.js';
import {dataOf, type Data, type Sent} from '../base/payload.js';
import {ask} from './ask.js';
import type {ClientStorage} from './client_storage.js';
import type {ChannelOptions, HistoryOptions, IterationOptions, PublishOptions} from './channel_options.js';
import {wantedEnd, type CloseReason, type GapEvent, type Member, type Position, type PresenceEvent, type SnapshotPart, type SubscribedEvent} from './events.js';
import {guarded} from './guarded.js';
import {first, Handlers} from './handlers.js';
import {Loop} from './loop.js';
import {unparsed, type AnyMessage, type Message} from './message.js';
import type {AnyMessages, RequestOptions} from './options.js';
import type {AskedEvent, Session} from './session.js';

/** A page of a channel's history. */
export interface HistoryPage<M extends object = AnyMessages> {
    readonly messages: AnyMessage<M>[];
    /** Whether there are further ones in the direction that was read. */
    readonly more: boolean;
    /**
     * `true` where messages after the offset that was asked for with `after` are not kept any more, so that the page begins
     * later than it should; missing otherwise.
     */
    readonly missed?: boolean;
    /** The newest publication of the channel. */
    readonly position: Position;
}

/** The events of channel.watch(). */
export interface ChannelEvents<M extends object = AnyMessages> {
    /** A message of any type; its payload is parsed only if it is read. */
    message: AnyMessage<M>;
    /** The stream began, for the first time, or again after a reconnect or after this connection fell behind. */
    subscribed: SubscribedEvent;
    /** Messages were missed and will not come. */
    gap: GapEvent;
    /** The list of members changed; needs {@link ChannelOptions.presence}. */
    presence: PresenceEvent;
    /** The state of the channel; needs {@link ChannelOptions.state}. */
    snapshot: SnapshotPart;
    /** The server would like to have a newer snapshot of the state. */
    snapshotWanted: undefined;
    /** A message that handlers had before: the state begins anew for somebody who came later. */
    repeated: AnyMessage<M>;
    /** The server refused the subscription; the next on() asks again. Told to onError where nobody watches it. */
    refused: PulsewireError;
}

/** The uses of a channel by parts of the application that know nothing of each other; pulsewire/list has them. @internal */
export interface Sharers {
    /** What they want together. */
    readonly presence: boolean | object;
    readonly state: boolean;
    take(message: Message): void;
    told(event: string, told: unknown): void;
    /** The subscription has ended; true when somebody hears of the error. */
    end(error: PulsewireError | undefined): boolean;
}

const position = /^Number \d+$/;
const offsetFrom1 = /^Number [1-9]\d*$/;
const moment = /^(Number|Date) (?!0$)[\d.]+$/;
const channelRules: Rules<ChannelOptions> = {
    latest: amount, since: {epoch: /^String [\w-]+$/, offset: position}, resume: flag, presence: /^(Boolean|Object)/, state: flag,
};
const publishRules: Rules<PublishOptions> = {echo: flag, transient: flag, timeoutMs: amount, signal, conflate: /^String [\w\-.:]{1,64}$/, snapshot: /^Object/, ifOffset: position};
const historyRules: Rules<HistoryOptions> = {
    limit: /^Number (?!0$)([12]?\d?\d|300)$/, before: offsetFrom1, after: position, since: moment, until: moment, signal,
};
const events: readonly (keyof ChannelEvents)[] = ['message', 'subscribed', 'gap', 'presence', 'snapshot', 'snapshotWanted', 'repeated', 'refused'];

/**
 * How long a subscription outlives its last user, in milliseconds: a component that is mounted again at once finds it as it
 * was, and one who leafs through many rooms does not come near the limit of subscriptions.
 */
const lingerMs = 100;
const timeDigits = 13;
/** From the end of the time to the payload. */
const payloadKeySize = ',"payload":'.length;
const userKeySize = ',"user":"'.length;

/** A named, ordered stream of messages; `M` maps message types to their payloads. */
export class Channel<M extends object = AnyMessages> {
    readonly name: string;
    /** @internal */
    readonly session: Session;
    /** Answers other clients; pulsewire/requests puts it here. @internal */
    onAsked?: (event: AskedEvent) => void;
    /** Those that share the subscription; pulsewire/list puts them here. @internal */
    sharers: Sharers | undefined;
    /** This object, also where a method is called through a proxy, as private members do not pass through one. @internal */
    readonly self: () => this;
    readonly #storage: ClientStorage | undefined;
    readonly #ended: () => void;
    readonly #options: ChannelOptions = {};
    readonly #handlers: Handlers;
    readonly #watchers: Handlers;
    readonly #loops = new Set<Loop>();
    /** The handlers and loops that there are, by their removers. */
    readonly #users = new Set<() => void>();
    /** The `latest` of the next one who subscribes, in vain, as the stream has begun for others. */
    #late: unknown;
    #lingering: ReturnType<typeof setTimeout> | undefined;
    #unsubscribe: (() => void) | undefined;
    /** How the subscription asks for presence: false, true, or the JSON text that is shown. */
    #presence: string | boolean = false;
    #state: 'idle' | 'subscribing' | 'subscribed' | 'refused' = 'idle';
    // Where it is, once it is somewhere.
    #epoch = '';
    #offset = 0;
    /** What handlers have of this log, which a state that begins anew brings again; less than 0: nothing. */
    #had = -1;
    /** The user whose place that is. */
    #user: string | undefined;
    #members: readonly Member[] = [];

    /** `ended` is called when nobody uses it any more. @internal */
    constructor(name: string, session: Session, storage: ClientStorage | undefined, ended: () => void) {
        this.name = name;
        this.session = session;
        this.self = () => this;
        this.#storage = storage;
        this.#ended = ended;
        this.#handlers = new Handlers(`channel ${name}`, session.report);
        this.#watchers = new Handlers(`channel ${name}`, session.report);
    }

    /** Options for the next subscription; presence also for this one. `latest` is looked at when it counts. @internal */
    configure(options: ChannelOptions = {}): void {
        checkOptions(typeof options === 'object' && options ? {...options, latest: undefined} : options, channelRules);
        Object.assign(this.#options, options);
        this.#late = this.#epoch && this.#users.size && options.latest;
        this.settle();
    }

    /** The state of the subscription. It stays `subscribed` while the client reconnects. */
    get state(): 'idle' | 'subscribing' | 'subscribed' | 'refused' {
        return this.self().#state;
    }

    /** The last message that was given to the handlers; as `since` it goes on from there another time. */
    get position(): Position | undefined {
        const self = this.self();
        return self.#epoch ? {epoch: self.#epoch, offset: self.#offset} : undefined;
    }

    /** The sessions that show themselves in the channel; empty without {@link ChannelOptions.presence}. */
    get members(): readonly Member[] {
        return this.self().#members;
    }

    /**
     * Calls `handler` with each message of the type, or of every type for `'*'`, and subscribes to the channel unless
     * that is done already. Returns the function that removes the handler; a moment after the last one has gone the
     * subscription ends. An error that the handler throws, or rejects with, goes to {@link ConnectOptions.onError}.
     */
    on<K extends keyof M & string>(type: K, handler: (payload: M[K], message: Message<M[K]>) => void): () => void;
    on(type: '*', handler: (payload: M[keyof M], message: AnyMessage<M>) => void): () => void;
    on(type: string, handler: (payload: any, message: any) => unknown): () => void {
        if (type !== '*') checkType(type);
        check('handler', handler, callable);
        const self = this.self();
        return self.#use(self.#handlers.add(type, (message: Message) => handler(message.payload, message)));
    }

    /** Calls `handler` with what happens to the subscription, or with each message unparsed; subscribes, like on(). */
    watch<E extends keyof ChannelEvents>(event: E, handler: (event: ChannelEvents<M>[E]) => void): () => void {
        checkKnown(event, events, 'event');
        check('handler', handler, callable);
        const self = this.self();
        const [handlers, name] = event === 'message' ? [self.#handlers, first] : [self.#watchers, event];
        return self.#use(handlers.add(name, (told) => handler(told)));
    }

    /**
     * Sends a message to the channel; subscribing is not needed for it. Resolves with its position when the server has
     * it for sure, which may be after a reconnect, and with undefined for a transient one. Repeats by itself, without a
     * second effect. Bytes (an ArrayBuffer, a view, a Blob) travel as such, and arrive as a Uint8Array. Rejects with a {@link PulsewireError}, which goes to {@link ConnectOptions.onError} where nobody
     * waits for the promise.
     */
    publish<K extends keyof M & string>(
        type: K, payload: Sent<M[K]>, options: PublishOptions = {},
    ): Promise<Position | undefined> {
        const self = this.self();
        const {name, session} = self;
        const storage = self.#storage;
        const published = async () => {
            checkType(type);
            checkOptions(options, publishRules);
            const {echo = true, transient = false, timeoutMs = 0, conflate, snapshot, ifOffset, signal} = options;
            let data = dataOf(payload);
            // Others keep the order in which they were published; a Blob comes when it is read.
            if (data instanceof Promise) data = await data;
            const more = snapshot ? `"snapshot":${toJson(snapshot)}` : ifOffset === undefined ? '' : `"if_offset":${ifOffset}${self.#epoch && `,"epoch":"${self.#epoch}"`}`;
            // What is not taken now is not right later.
            return ((!transient && !more && storage) || session).publish({
                channel: name, type, payload: data, echo, transient, timeoutMs: timeoutMs === Infinity ? 0 : limit(timeoutMs), conflate, signal, more,
            });
        };
        return guarded(published(), (error) => {
            // Nobody misses a hint that no connection takes.
            if (!options.transient || error.code !== 'disconnected') session.unheard(error, `publishing ${type} in channel ${name}`);
        });
    }

    /** Reads kept messages, also of a channel that is not subscribed. */
    history(options: HistoryOptions = {}): Promise<HistoryPage<M>> {
        const self = this.self();
        const read = async () => {
            checkOptions(options, historyRules);
            const {before, after, since, until} = options;
            if ([before, after, since, until].filter((from) => from !== undefined).length > 1) throw invalid('only one of before, after, since and until can be');
            return self.read(options);
        };
        return guarded(read(), (error) => self.session.unheard(error, `reading the history of channel ${self.name}`));
    }

    /**
     * The messages from now on, as something to loop over. The loop ends with unsubscribe(), close() or the signal, and
     * throws when the subscription is refused, the client ends by itself, or the loop is too slow.
     */
    messages(options: IterationOptions = {}): AsyncIterableIterator<AnyMessage<M>> {
        const self = this.self();
        let leave: () => void;
        let over = false;
        const loop = new Loop(options, () => {
            over = true;
            leave?.();
        });
        if (!over) {
            self.#loops.add(loop);
            leave = self.#use(() => self.#loops.delete(loop));
            // A client that is closed ends it at once.
            if (over) leave();
        }
        return loop.iterator as AsyncIterableIterator<any>;
    }

    /** `for await (const message of channel)`: messages() with its defaults. */
    [Symbol.asyncIterator](): AsyncIterableIterator<AnyMessage<M>> {
        return this.messages();
    }

    /** Ends the subscription, its loops, and removes all handlers; those of `pulsewire/list` are not touched. */
    unsubscribe(): void {
        const self = this.self();
        self.#handlers.clear();
        self.#watchers.clear();
        self.#users.clear();
        if (!self.sharers) return self.#end('idle') as unknown as void;
        for (const loop of self.#loops) loop.end();
    }

    /** Asks another client of the channel; for pulsewire/requests. @internal */
    ask(to: string, type: string, payload: unknown, options: RequestOptions, timeoutMs: number): Promise<any> {
        return ask(this.self().session, type, payload, options, timeoutMs, {channel: this.name, to});
    }

    /** For what pulsewire/requests answers. @internal */
    data(value: unknown): Data | Promise<Data> {
        return dataOf(value);
    }

    #use(remove: () => void): () => void {
        if (this.#late) this.session.unheard(invalid('latest is too late: see pulsewire/list'), `channel ${this.name}`);
        this.#late = 0;
        this.#users.add(remove);
        try {
            this.share(this.#options);
        } catch (error) {
            this.#users.delete(remove);
            remove();
            throw error;
        }
        return () => {
            remove();
            this.#users.delete(remove);
            this.leave();
        };
    }

    /** Subscribes for another user; true when others did before, so that it has missed what came to them. @internal */
    share(options: ChannelOptions): boolean {
        checkOptions(options, channelRules);
        clearTimeout(this.#lingering);
        if (options.resume) this.#options.resume = true;
        // The state comes first, also where the stream has begun.
        const anew = options.state && options !== this.#options;
        if (this.#unsubscribe && !anew) return this.settle(), true;
        this.#anew(options, !!this.#unsubscribe);
        return false;
    }

    /** A moment after the last user has gone the subscription ends. @internal */
    leave(): void {
        clearTimeout(this.#lingering);
        this.#lingering = setTimeout(() => {
            if (this.#users.size || this.sharers) this.settle();
            else if (this.#unsubscribe) this.#end('idle');
        }, lingerMs);
    }

    /** Subscribes anew where presence is wanted in another way than before, once it is known from where on. @internal */
    settle(): void {
        if (this.#unsubscribe && this.#epoch && this.#wanted() !== this.#presence) this.#anew({since: this.position!});
    }

    #anew(options: ChannelOptions, again?: boolean): void {
        this.#unsubscribe?.();
        this.#unsubscribe = undefined;
        this.#members = [];
        this.#subscribe(options, again);
    }

    /** The client begins anew; what is still used is subscribed again. @internal */
    again(): void {
        if (this.#users.size || this.sharers) this.#subscribe(this.#options, true);
    }

    /** The next user inherits nothing of what this one had here. @internal */
    signedOut(): void {
        this.#epoch = '';
        this.sharers?.told('signedOut', undefined);
    }

    #wanted(): string | boolean {
        const presence = this.sharers?.presence || this.#options.presence || false;
        return typeof presence === 'object' ? toJson(presence) : presence;
    }

    /** `again`: from where the channel was, if that was the same user. */
    #subscribe({latest = 0, resume, since}: ChannelOptions, again?: boolean): void {
        const {session} = this;
        const state = this.#options.state || this.sharers?.state;
        const presence = (this.#presence = this.#wanted());
        this.#state = 'subscribing';
        const begin = () => {
            // Another user inherits nothing. Without a name nobody came.
            if (again && session.name && this.#user !== session.user) this.signedOut();
            const from = (resume && this.#storage?.position(this.name)) || (again ? this.position : since);
            this.#epoch = from?.epoch ?? '';
            this.#offset = from?.offset ?? 0;
            return session.subscribe(this, {
                since: !state ? from : again ? undefined : since, latest: limit(latest), presence: !!presence, info: typeof presence === 'string' ? presence : undefined,
                ...(state && {state}),
            });
        };
        const unsubscribe = (again || resume) && session.whenKnown ? session.whenKnown(begin) : begin();
        // A session that is closed has ended it already.
        if (this.state === 'subscribing') this.#unsubscribe = unsubscribe;
    }

    /** @internal */
    async read(options: HistoryOptions): Promise<HistoryPage<any>> {
        const page = await this.session.history(this.name, options);
        return {...page, messages: page.messages.map((message) => ({...message, channel: this.name, replayed: true}) as AnyMessage<any>)};
    }

    /** `error`: the failure, if it is one; false where nobody heard of it. */
    #end(state: 'idle' | 'refused', error?: PulsewireError): boolean {
        clearTimeout(this.#lingering);
        this.#unsubscribe?.();
        this.#unsubscribe = undefined;
        this.#state = state;
        this.#members = [];
        const heard = this.#loops.size > 0 || this.#watchers.hears('refused');
        for (const loop of this.#loops) loop.end(error);
        if (!this.#users.size) this.#ended();
        return this.sharers?.end(error) || heard;
    }

    /** @internal */
    deliver(
        type: string, offset: number, time: number, replayed: boolean, text: string, begin: number, end: number, user = '',
        bytes?: Uint8Array, conflate = '',
    ): void {
        if (offset) this.#moveTo(this.#epoch, offset);
        const lazy = this.#loops.size || this.#handlers.watched || this.sharers;
        if (!lazy && !this.#handlers.hears(type)) return;
        const raw = bytes ? '' : text.slice(begin, end);
        // Where the text is a whole line, its 13 digits stand before ',"payload":', and perhaps the user between them.
        if (begin) {
            let timeEnd = begin - payloadKeySize;
            if (text[timeEnd - 1] === '"') {
                const at = text.lastIndexOf('"', timeEnd - 2) + 1;
                user = text.slice(at, timeEnd - 1);
                timeEnd = at - userKeySize;
            }
            for (let at = timeEnd - timeDigits; at < timeEnd; at++) time = time * 10 + text.charCodeAt(at) - 48;
        }
        const message: Message = lazy && !bytes
            ? unparsed(this.name, type, offset, time, replayed, raw, user, conflate)
            : {type, channel: this.name, offset: offset || undefined, time: time || undefined, replayed, payload: bytes ?? JSON.parse(raw), raw, ...(user && {user}), ...(conflate && {conflate})};
        this.pass(message);
    }

    /** Gives a message to whoever wants it; pulsewire/schema stands in its way. @internal */
    pass(message: Message): void {
        if (message.offset! <= this.#had) return this.#tell('repeated', message as AnyMessage<any>);
        if (this.#loops.size) for (const loop of this.#loops) loop.push(message);
        this.#handlers.emit(message.type, message);
        this.sharers?.take(message);
    }

    /** @internal */
    onSubscribed(event: SubscribedEvent): void {
        const {position, reason = 'epoch_changed'} = event;
        // Where nothing was missed the log has another name, and is the same (docs/protocol.md 4.27).
        const other = position.epoch !== this.#epoch && !event.recovered;
        const from = other ? 1 : this.#offset + 1;
        // Without one it is nowhere yet.
        const lost = event.recovered === false || (other && this.#epoch);
        this.#had = other ? -1 : Math.max(this.#had, this.#offset);
        this.#moveTo(position.epoch, position.offset);
        this.#state = 'subscribed';
        this.#user = this.session.user;
        this.#tell('subscribed', event);
        // What a snapshot replaces is known when that is there.
        if (lost && reason !== 'compacted') this.#tell('gap', {from, to: position.offset, reason});
        this.settle();
    }

    /** @internal */
    onGap(to: number): void {
        const from = this.#offset + 1;
        this.#moveTo(this.#epoch, to);
        this.#tell('gap', {from, to, reason: 'replaced'});
    }

    /** @internal */
    onSnapshot(part: SnapshotPart): void {
        const {offset} = part;
        const from = this.#had + 1;
        if (offset) this.#moveTo(this.#epoch, offset);
        if (from && offset >= from) this.#tell('gap', {from, to: offset, reason: 'compacted'});
        this.#tell('snapshot', part);
    }

    /** @internal */
    onSnapshotWanted(): void {
        this.#tell('snapshotWanted', undefined);
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
        if (!this.#end('refused', error)) this.session.unheard(error, `subscribing to channel ${this.name}`);
        this.#tell('refused', error);
    }

    /** @internal */
    onClosed(error: PulsewireError, {name}: CloseReason): void {
        this.#end('idle', wantedEnd.test(name) ? undefined : error);
    }

    #moveTo(epoch: string, offset: number): void {
        this.#epoch = epoch;
        this.#offset = offset;
        if (this.#options.resume) this.#storage?.moved(this.name, {epoch, offset: Math.max(offset, this.#had)});
    }

    #tell<E extends keyof ChannelEvents>(event: E, told: ChannelEvents[E]): void {
        this.#watchers.emit(event, told);
        this.sharers?.told(event, told);
    }
}
