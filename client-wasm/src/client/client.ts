import {amount, callable, check, checkKnown, checkOptions, flag, positive, signal, type Rules} from '../base/check.js';
import {PulsewireError} from '../base/errors.js';
import {checkChannel} from '../base/names.js';
import {ask, requestMs} from './ask.js';
import {Channel} from './channel.js';
import type {ClientStorage, StorageWarning, UnsentMessage} from './client_storage.js';
import {isFinal, wantedEnd, type CloseReason, type ConnectionState} from './events.js';
import {Handlers, lastReporter, reporter} from './handlers.js';
import type {ChannelOptions} from './channel_options.js';
import type {AnyMessages, AnyRequests, ConnectOptions, RequestOptions} from './options.js';
import type {MakeSession, Session} from './session.js';

const rules: Rules<ConnectOptions> = {
    transport: /^String (auto|websocket|sse)$/,
    signal,
    backoffMinMs: amount,
    backoffMaxMs: amount,
    stableAfterMs: amount,
    attemptsMax: amount,
    openTimeoutMs: positive,
    commandTimeoutMs: positive,
    outboxMessagesMax: amount,
    outboxBytesMax: amount,
    requestTimeoutMs: requestMs,
    storage: /^Object/,
    onError: callable,
    debug: /^(Boolean|\w*Function)/,
    WebSocket: callable,
    EventSource: callable,
    fetch: callable,
    token: /^(String .|\w*Function)/,
    anonymous: flag,
    hosts: /^Array/,
};
const events = ['state', 'connecting', 'open', 'waiting', 'closed', 'channel', 'degraded', 'restored', 'storage'];

/** A connection to a Pulsewire server, for as long as the page lives; `R` maps request types to `{request, response}`. */
export class Client<R extends object = AnyRequests> {
    /** This object, also where it is called through a proxy: private members do not pass through one. @internal */
    readonly self: () => this;
    readonly #session: Session;
    readonly #handlers: Handlers;
    /** Those that nobody uses are let go when the application does not hold them either. */
    readonly #channels = new Map<string, Channel<any> | WeakRef<Channel<any>>>();
    readonly #storage: ClientStorage | undefined;
    readonly #requestTimeoutMs: number;
    readonly #anonymous: boolean | undefined;
    #degraded = false;

    /** @internal */
    constructor(makeSession: MakeSession, options: ConnectOptions) {
        checkOptions(options, rules);
        const {onError, storage, signal, anonymous, requestTimeoutMs = 10_000} = options;
        this.self = () => this;
        this.#requestTimeoutMs = requestTimeoutMs;
        const report = reporter(onError);
        const unheard = lastReporter(onError);
        this.#handlers = new Handlers('the client', report);
        const close = () => this.close();
        let ended = () => {};
        const session = makeSession({
            entered: (state) => {
                const {name} = state;
                if (name === 'open') storage?.opened(session.user!);
                if (isFinal(state)) {
                    signal?.removeEventListener('abort', close);
                    ended();
                } else if (name === 'closed') {
                    this.#each(() => {});
                }
                if (name === 'closed') {
                    const {reason} = state;
                    if (!wantedEnd.test(reason.name) && !this.#handlers.hears(name) && !this.#handlers.hears('state')) {
                        unheard(new PulsewireError('closed', reason.message), 'the connection to the server');
                    }
                }
                this.#handlers.emit(name, state);
                this.#handlers.emit('state', state);
            },
            found: (message) => {
                if (!this.#handlers.hears('waiting') && !this.#handlers.hears('state')) unheard(new PulsewireError('disconnected', message), 'connecting');
            },
            offered: (name) => {
                if (this.#handlers.hears('channel')) this.#handlers.emit('channel', this.channel(name));
            },
            degraded: (is, message) => {
                this.#degraded = is;
                this.#handlers.emit('degraded', {degraded: is, message});
            },
            report,
            unheard,
            signOut: () => this.signOut() as undefined,
        });
        this.#session = session;
        this.#anonymous = anonymous;
        this.#storage = storage;
        storage?.start(session, {
            onClosed: (handler) => (ended = handler),
            signsIn: !!options.token,
            tell: (event, told) => this.#handlers.emit(event, told),
            error: (...args) => new PulsewireError(...args),
        });
        signal?.addEventListener('abort', close);
        if (signal?.aborted) close();
        session.start();
    }

    /** The current state. */
    get state(): ConnectionState {
        return this.self().#session.state;
    }

    /**
     * The name under which the others see this client: presence lists it, requests are sent to it. The server tells it
     * when the client is open for the first time, until then it is ''. Kept across reconnects.
     */
    get session(): string {
        return this.self().#session.name;
    }

    /**
     * The user who is signed in, by the server's word and as it writes names (`auth0|5` is `auth0=7C5`); undefined before the
     * client is open, and for nobody.
     */
    get user(): string | undefined {
        return this.self().#session.user || undefined;
    }

    /**
     * Whether the server, one of several, does not reach the log that they share. The connection stays; publishing and
     * subscribing wait, up to ten seconds, and nothing new comes. It ends by itself.
     */
    get degraded(): boolean {
        return this.self().#degraded;
    }

    /**
     * The kept messages that wait for their acknowledgement, in order, also those of earlier pages; empty without
     * {@link ConnectOptions.storage}.
     */
    get unsent(): readonly UnsentMessage[] {
        return this.self().#storage?.unsent ?? [];
    }

    /** Calls `handler` at each change of the state, or when the named one is entered. Returns the remover. */
    on(event: 'state', handler: (state: ConnectionState) => void): () => void;
    on<N extends ConnectionState['name']>(
        event: N, handler: (state: Extract<ConnectionState, {name: N}>) => void,
    ): () => void;
    /**
     * The server wants this client to listen to a channel, by the user's token or at a word of your backend: call the channel's
     * on(). It says so again at each connection until then.
     */
    on(event: 'channel', handler: (channel: Channel) => void): () => void;
    /** {@link degraded} has changed; `message` says why, for people. */
    on(event: 'degraded', handler: (told: {readonly degraded: boolean; readonly message: string}) => void): () => void;
    /** A message of an earlier page, or of one that is gone, is now this client's to send; needs a storage. */
    on(event: 'restored', handler: (message: UnsentMessage) => void): () => void;
    /** The storage does not work as it should; told once for each code. */
    on(event: 'storage', handler: (warning: StorageWarning) => void): () => void;
    on(event: string, handler: (told: any) => void): () => void {
        checkKnown(event, events, 'event');
        check('handler', handler, callable);
        return this.self().#handlers.add(event, (told) => handler(told));
    }

    /** The channel of that name, always the same object. Nothing is sent before its first handler or message. */
    channel<M extends object = AnyMessages>(name: string, options?: ChannelOptions): Channel<M> {
        checkChannel(name);
        const self = this.self();
        const known = self.#channels.get(name);
        let channel = known instanceof WeakRef ? known.deref() : known;
        if (!channel) {
            const made: Channel<any> = new Channel(name, self.#session, self.#storage, () => self.#channels.set(name, new WeakRef(made)));
            channel = made;
        }
        channel.configure(options);
        if (options || !known) self.#channels.set(name, options ? channel : new WeakRef(channel));
        return channel;
    }

    /**
     * Asks a handler of the server. Rejects with its refusal, with `timeout`, or with `disconnected` when the
     * connection ended before the answer came: a request is not repeated, it may have run.
     */
    request<K extends keyof R & string>(
        type: K, payload: RequestOf<R, K>, options?: RequestOptions,
    ): Promise<ResponseOf<R, K>>;
    request<Response = unknown>(
        type: [keyof R] extends [never] ? string : never, payload?: unknown, options?: RequestOptions,
    ): Promise<Response>;
    request(type: string, payload: unknown = null, options: RequestOptions = {}): Promise<any> {
        const self = this.self();
        return ask(self.#session, type, payload, options, self.#requestTimeoutMs);
    }

    /** Does not wait any longer before the next attempt; while open, checks that the connection still lives. */
    reconnectNow(): void {
        this.self().#session.reconnectNow();
    }

    /**
     * The user leaves: ends the connection, forgets the token, the user's unsent messages and positions, and is a client
     * with another session from then on. With {@link ConnectOptions.anonymous} it connects again at once and asks for a
     * token, otherwise it is `closed` until signIn(). To be called when your own server has ended its session.
     */
    signOut(): void {
        const self = this.self();
        self.#storage?.signOut();
        self.#end('signed_out', 'signOut() was called: signIn() connects again.');
        self.#each((channel) => channel.signedOut());
        if (self.#anonymous && !isFinal(self.state)) self.signIn();
    }

    /**
     * Asks for a token, where the client has ended with `signed_out` or `unauthorized` or has nobody signed in, and
     * connects with it. Channels that are still used are subscribed again.
     */
    signIn(): void {
        const self = this.self();
        const session = self.#session;
        if (isFinal(session.state)) throw new PulsewireError('closed', 'The client was closed for good: connect() again.');
        if (session.state.name !== 'closed') return session.name && !session.user ? self.signOut() : undefined;
        session.again!();
        self.#each((channel) => channel.again());
    }

    /** Of the channels that are closed with the client, some are held by nobody else. */
    #each(act: (channel: Channel<any>) => void): void {
        for (const [name, known] of this.#channels) {
            const channel = known instanceof WeakRef ? known.deref() : known;
            if (!channel) continue;
            this.#channels.set(name, channel);
            act(channel);
        }
    }

    /** Ends everything. What is unanswered is rejected with `closed`. */
    close(): void {
        this.self().#end('client_closed', 'close() was called.');
    }

    #end(name: CloseReason['name'], message: string): void {
        this.#session.end({code: 1000, name, message, reconnect: false});
    }
}

type RequestOf<R, K extends keyof R> = R[K] extends {request: infer P} ? P : unknown;
type ResponseOf<R, K extends keyof R> = R[K] extends {response: infer P} ? P : unknown;
