import type {ClientStorage} from './client_storage.js';
import type {Transport} from './events.js';

/** Message types without a declaration: every type is allowed, every payload is unknown. */
export type AnyMessages = Record<string, unknown>;

/** Requests without a declaration. Declared ones map a type to what is asked and what is answered. */
export type AnyRequests = Record<never, {request: unknown; response: unknown}>;

/** The part of a WebSocket that the SDK uses; the browser's, Node's and that of the package `ws` all fit. */
export interface WebSocketLike {
    onopen: ((event: any) => void) | null;
    onmessage: ((event: any) => void) | null;
    onclose: ((event: any) => void) | null;
    onerror: ((event: any) => void) | null;
    readonly readyState?: number;
    /** Set to 'arraybuffer': binary messages arrive as such. */
    binaryType?: string;
    /** Takes a string or a Uint8Array. */
    send(data: any): void;
    close(code?: number): void;
}
export type WebSocketConstructor = new (url: string, protocols: string) => WebSocketLike;

/** The part of an EventSource that the SDK uses. */
export interface EventSourceLike {
    onmessage: ((event: any) => void) | null;
    onerror: ((event: any) => void) | null;
    readonly readyState?: number;
    close(): void;
}
export type EventSourceConstructor = new (url: string) => EventSourceLike;

/** Why connect() asks for a token. After the last three the one that was given before is of no use any more. */
export type TokenReason = 'connect' | 'expiring' | 'expired' | 'revoked' | 'refused';

/** The argument of a function that is the option `token`. */
export interface TokenRequest {
    readonly reason: TokenReason;
    /** Aborts when the answer is not wanted any more, as after signOut() and close(). */
    readonly signal: AbortSignal;
}

/** Options of connect(). */
export interface ConnectOptions {
    /**
     * `auto` opens a WebSocket and falls back to SSE where none gets through.
     * @default 'auto'
     */
    transport?: 'auto' | Transport;
    /**
     * Who the user is: a token for the server, or a function that gets one and is called again before it expires. It
     * gives `null` where nobody is signed in. An error that it throws is told once, and the function called again after a
     * delay; one with the code `unauthorized` ends the client.
     * @default nobody
     */
    token?: string | ((request: TokenRequest) => string | null | PromiseLike<string | null>);
    /**
     * Whether the client goes on as nobody where `token` gives `null`; otherwise it ends with `unauthorized`.
     * @default false
     */
    anonymous?: boolean;
    /**
     * Other servers, as `host` or `host:port`, to which the client may go with a token when the server sends it there.
     * @default none: with a token it stays at its own
     */
    hosts?: readonly string[];
    /** Closes the client when it aborts, like close(). */
    signal?: AbortSignal;
    /**
     * First upper bound of the random delay before a reconnect, in milliseconds; it doubles with each failure.
     * @default 500
     */
    backoffMinMs?: number;
    /**
     * Largest upper bound of that delay, in milliseconds.
     * @default 20000
     */
    backoffMaxMs?: number;
    /**
     * A connection that was open for so long, in milliseconds, starts the delays from the beginning.
     * @default 10000
     */
    stableAfterMs?: number;
    /**
     * Attempts in a row after which the client gives up and is closed; 0 means never.
     * @default 0
     */
    attemptsMax?: number;
    /**
     * Time for a transport to bring the server's welcome, in milliseconds; then the next attempt is made.
     * @default 10000
     */
    openTimeoutMs?: number;
    /**
     * An open connection that leaves a command unanswered for so long, in milliseconds, is given up and replaced.
     * @default 10000
     */
    commandTimeoutMs?: number;
    /**
     * Publishes and requests that may wait for their answer; further ones are rejected with `outbox_full`.
     * @default 1000
     */
    outboxMessagesMax?: number;
    /**
     * Bytes that those may hold together; further ones are rejected with `outbox_full`.
     * @default 1048576
     */
    outboxBytesMax?: number;
    /**
     * Time for a request's answer, in milliseconds, where the request names none; then it is rejected with `timeout`.
     * @default 10000
     */
    requestTimeoutMs?: number;
    /**
     * Keeps what waits for its acknowledgement, and positions, beyond the life of the page: `browserStorage()` of
     * `pulsewire/storage`. One storage serves one client.
     * @default neither outlives the page
     */
    storage?: ClientStorage;
    /**
     * Called when a handler of the application threw or rejected, which never harms the client, and for failures of
     * which nobody else would hear: a promise that nobody waits for, a refused subscription that nobody watches, an end
     * of the client. `context` says where.
     * @default reportError for handlers (console.error where that does not exist), and console.error, once, for the rest
     */
    onError?: (error: unknown, context: string) => void;
    /**
     * Prints what travels, one line for each frame and each change of the state, to the console (`console.debug`) or to a
     * function. In a browser `localStorage.pulsewireDebug = '1'` does so for each client that does not say `false`.
     * @default false
     */
    debug?: boolean | ((line: string) => void);
    /** Replaces the environment's WebSocket: Node before version 22 has none, pass that of the package `ws`. */
    WebSocket?: WebSocketConstructor;
    /** Replaces the environment's EventSource. */
    EventSource?: EventSourceConstructor;
    /** Replaces the environment's fetch, which carries the client's half over SSE. */
    fetch?: typeof fetch;
}

/** Options of client.request(), and of request() of `pulsewire/requests`. */
export interface RequestOptions {
    /**
     * Time for the answer in milliseconds, at most 120000; then the promise is rejected with `timeout`.
     * @default requestTimeoutMs of connect(), 10000
     */
    timeoutMs?: number;
    /** Rejects with `aborted` and tells the server that the answer is no longer wanted. */
    signal?: AbortSignal;
}

/** For `pulsewire/wasm`: a compiled module, its bytes, their address, or the answer to a request for them. */
export type WasmSource = CompiledModule | ArrayBuffer | ArrayBufferView | string | URL | Response | PromiseLike<Response>;

/** A WebAssembly.Module, where the project's types know of one. */
export type CompiledModule = typeof globalThis extends {WebAssembly: {Module: {prototype: infer Module}}} ? Module : never;
