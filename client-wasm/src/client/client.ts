import {PulsewireError} from '../base/errors.js';
import {checkChannel} from '../base/names.js';
import {Channel} from './channel.js';
import type {ClientStorage, StorageWarning, UnsentMessage} from './client_storage.js';
import type {ConnectionState} from './events.js';
import {Handlers, reporter} from './handlers.js';
import type {ChannelOptions} from './channel_options.js';
import type {AnyMessages, AnyRequests, ConnectOptions, RequestOptions} from './options.js';
import type {MakeSession, Session} from './session.js';

/** A connection to a Pulsewire server, for as long as the page lives; `R` maps request types to `{request, response}`. */
export class Client<R extends object = AnyRequests> {
    readonly #session: Session;
    readonly #handlers: Handlers;
    readonly #channels = new Map<string, Channel<any>>();
    readonly #storage: ClientStorage | undefined;
    readonly #requestTimeoutMs: number;

    /** @internal */
    constructor(makeSession: MakeSession, options: ConnectOptions) {
        this.#requestTimeoutMs = options.requestTimeoutMs ?? 10_000;
        const report = reporter(options.onError);
        this.#handlers = new Handlers('the client', report);
        const session = makeSession({
            entered: (state) => {
                this.#handlers.emit(state.name, state);
                this.#handlers.emit('state', state);
            },
            report,
        });
        this.#session = session;
        this.#storage = options.storage;
        this.#storage?.start(session, {
            onClosed: (handler) => this.#handlers.add('closed', handler),
            tell: (event, told) => this.#handlers.emit(event, told),
            error: (...args) => new PulsewireError(...args),
        });
        options.signal?.addEventListener('abort', () => this.close());
        if (options.signal?.aborted) this.close();
        session.start();
    }

    /** The current state. */
    get state(): ConnectionState {
        return this.#session.state;
    }

    /**
     * The name under which the others see this client: presence lists it, requests are sent to it. The server tells it
     * when the client is open for the first time, until then it is ''. Kept across reconnects.
     */
    get session(): string {
        return this.#session.name;
    }

    /**
     * The kept messages that wait for their acknowledgement, in order, also those of earlier pages; empty without
     * {@link ConnectOptions.storage}.
     */
    get unsent(): readonly UnsentMessage[] {
        return this.#storage?.unsent ?? [];
    }

    /** Calls `handler` at each change of the state, or when the named one is entered. Returns the remover. */
    on(event: 'state', handler: (state: ConnectionState) => void): () => void;
    on<N extends ConnectionState['name']>(
        event: N, handler: (state: Extract<ConnectionState, {name: N}>) => void,
    ): () => void;
    /** A message of an earlier page, or of one that is gone, is now this client's to send; needs a storage. */
    on(event: 'restored', handler: (message: UnsentMessage) => void): () => void;
    /** The storage does not work as it should; told once for each code. */
    on(event: 'storage', handler: (warning: StorageWarning) => void): () => void;
    on(event: string, handler: (told: any) => void): () => void {
        return this.#handlers.add(event, (told) => handler(told));
    }

    /** The channel of that name, always the same object. Nothing is sent before its first handler or message. */
    channel<M extends object = AnyMessages>(name: string, options?: ChannelOptions): Channel<M> {
        checkChannel(name);
        let channel = this.#channels.get(name);
        if (!channel) this.#channels.set(name, (channel = new Channel<any>(name, this.#session, this.#storage)));
        channel.configure(options);
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
    request(
        type: string, payload: unknown = null, {timeoutMs = this.#requestTimeoutMs, signal}: RequestOptions = {},
    ): Promise<any> {
        return this.#session.request({type, payload, timeoutMs, signal});
    }

    /** Does not wait any longer before the next attempt; while open, checks that the connection still lives. */
    reconnectNow(): void {
        this.#session.reconnectNow();
    }

    /** Ends everything. What is unanswered is rejected with `closed`. */
    close(): void {
        this.#session.end({code: 1000, name: 'client_closed', message: 'close() was called.', reconnect: false});
    }
}

type RequestOf<R, K extends keyof R> = R[K] extends {request: infer P} ? P : unknown;
type ResponseOf<R, K extends keyof R> = R[K] extends {response: infer P} ? P : unknown;
