import type {ErrorCode} from '../base/codes.js';

/** From the clients to the server, or to them. */
export type Direction = 'up' | 'down';

/** An operation that can be permitted on a channel (docs/protocol.md 1.6). */
export type Operation = 'subscribe' | 'history' | 'publish' | 'presence' | 'show' | 'request' | 'respond' | 'snapshot';

/** Options of a namespace, with the names of the server's config file; docs/operating.md says what they do. */
export interface NamespaceOptions {
    history_count_max?: number;
    history_bytes_max?: number;
    history_age_ms?: number;
    state_bytes_max?: number;
    keyed?: boolean;
    client_publish?: boolean;
    client_requests?: boolean;
    other_types?: boolean;
    presence?: boolean;
    /** `memory`: restart() loses the log, also one that keeps logs. @default 'auto', which is 'disk' */
    durability?: 'auto' | 'memory' | 'disk';
    slow_consumer?: 'disconnect' | 'drop_oldest' | 'latest_per_key';
    allow?: {anonymous?: readonly Operation[]; users?: readonly Operation[]; owner?: readonly Operation[]};
    /** The schema of each message type, in place. */
    types?: Schemas;
}

/** JSON Schemas by message type (docs/schemas.md). */
export type Schemas = Readonly<Record<string, object | boolean>>;

/** A command that `authorize` decides about. */
export interface AuthorizedCommand {
    readonly operations: readonly Operation[];
    readonly channel: string;
    /** The client's public name, as presence shows it. */
    readonly session: string;
    /** Missing for somebody unknown. */
    readonly user?: string;
    /** Of a publish or a request. */
    readonly type?: string;
}

/** A request to the server, for its handler. */
export interface ServerRequest {
    readonly session: string;
    readonly user?: string;
}

/** Answers with what it returns. Its PulsewireError with `rejected` is passed on; anything else becomes `handler_failed`. */
export type ServerHandler = (payload: any, from: ServerRequest) => unknown;

/** A publish of a client, for `onPublish`. */
export interface ClientPublish {
    readonly channel: string;
    readonly type: string;
    readonly payload: any;
    readonly session: string;
    readonly user?: string;
}

/**
 * Decides at once about a publish that the namespace and the token permit. Nothing: it goes on; `false`: it is acknowledged
 * and nobody gets it; an object: it goes on with that type or payload. Its PulsewireError with `rejected` is told to the
 * publisher; anything else becomes `handler_failed`.
 */
export type PublishHandler = (publish: ClientPublish) => void | false | {type?: string; payload?: unknown};

/** Options of testServer(). */
export interface TestServerOptions {
    /** By name, the part of a channel before its first `:`. They begin with the options of `defaultNamespace`. */
    namespaces?: Readonly<Record<string, NamespaceOptions>>;
    /** @default as the server's own */
    defaultNamespace?: NamespaceOptions;
    /** Schemas for every namespace that has no `types` of its own. */
    types?: Schemas;
    /**
     * Limits of the server by their names in its config file, such as `ping_ms`, `recovery_max` or `queue_bytes_max`.
     * @default as the server's own
     */
    limits?: Readonly<Record<string, number>>;
    /**
     * As a server that verifies tokens: it takes those of {@link TestServer.token}, and a namespace permits nothing by itself
     * unless it says so in `allow`.
     * @default false
     */
    tokens?: boolean;
    /**
     * Whether clients without a token are let in, where there are tokens.
     * @default false
     */
    anonymous?: boolean;
    /**
     * Decides about each command on a channel that the namespace and the token permit: `false` or a sentence, which the
     * client is told, refuses it with `forbidden`.
     */
    authorize?: (command: AuthorizedCommand) => boolean | string | PromiseLike<boolean | string>;
    /** Decides about the publishes of clients, as the handlers of a C++ program do; each publish is shown once. */
    onPublish?: PublishHandler;
    /** Handlers of requests to the server, by type; {@link TestServer.handle} adds others. */
    handlers?: Readonly<Record<string, ServerHandler>>;
    /**
     * The source of all that is random: epochs, and the jitter of delays; with `virtualTime` everything, so that the same test
     * takes the same course. A whole number below 2^32.
     * @default 1
     */
    seed?: number;
    /**
     * Time passes only in {@link TestServer.advance}: until close() the timers, clocks and random numbers of this thread are
     * the server's. Not together with fake timers of a test tool, which serve as well. Several servers share it, with the first one's seed.
     * @default false
     */
    virtualTime?: boolean;
}

/** Whom a token of {@link TestServer.token} shows. */
export interface TokenOptions {
    user: string;
    /** Operations by patterns of channels, as in a real token. */
    allow?: Readonly<Record<string, readonly Operation[]>>;
    /** Shown to the members of a channel beside the user. */
    info?: unknown;
    /** Channels that the user's clients are asked to subscribe to. */
    subscribe?: readonly string[];
    /** @default 3600000 */
    expiresInMs?: number;
}

/** Options of TestServer.publish(). */
export interface ServerPublishOptions {
    key?: string;
    conflate?: string;
    transient?: boolean;
    /** Who has published it, by the server's word. */
    user?: string;
}

/** Options of TestServer.refuse(). */
export interface RefuseOptions {
    /** How many commands are refused; `Infinity`: until refuse() with 0 takes it back. @default 1 */
    times?: number;
    /** What the client is told. */
    message?: string;
}

export type RefusedOperation = Exclude<Operation, 'show' | 'respond' | 'snapshot'>;
export type RefusalCode = ErrorCode;
