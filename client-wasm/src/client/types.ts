import type {Client} from './client.js';
import type {CloseName, ErrorCode} from '../base/codes.js';
import type {PulsewireError} from '../base/errors.js';

/** How messages travel: over a WebSocket, or over Server-Sent Events with POST for the client's half. */
export type Transport = 'websocket' | 'sse';

/** A place in a channel: the offset grows by one with each publication, the epoch changes when the log was lost. */
export interface Position {
    readonly epoch: string;
    readonly offset: number;
}

/** One session that shows itself in a channel (see {@link ChannelOptions.presence}). */
export interface Member {
    /** The session's public id, the same as that client's `client.session`. */
    readonly session: string;
    /** What it told about itself; it comes from another client, so treat it as unchecked input. */
    readonly info: unknown;
}

/** Message types without a declaration: every type is allowed, every payload is unknown. */
export type AnyMessages = Record<string, unknown>;

/** Requests without a declaration. Declared ones map a type to what is asked and what is answered. */
export type AnyRequests = Record<never, {request: unknown; response: unknown}>;

/** Why a connection, or the client, ended. */
export interface CloseReason {
    /** The close code of docs/protocol.md section 7; 0 when WebAssembly did not start. */
    readonly code: number;
    /**
     * Its name. Beside those of the protocol: `client_closed` after close(), `wasm_blocked` when a
     * Content-Security-Policy forbids WebAssembly, `wasm_failed` when it could not be loaded, `unknown` for codes of
     * a later version.
     */
    readonly name: CloseName | 'client_closed' | 'wasm_blocked' | 'wasm_failed' | 'unknown';
    /** For people: what happened, and what to do about it where something can be done. */
    readonly message: string;
    /** Whether the client comes back by itself. */
    readonly reconnect: boolean;
}

/** What the client is doing. `connecting` lasts until the server's welcome. */
export type ConnectionState =
    | {readonly name: 'connecting'; readonly attempt: number; readonly transport: Transport}
    | {readonly name: 'open'; readonly transport: Transport; readonly session: string}
    | {
          readonly name: 'waiting';
          /** Milliseconds from the state's beginning to the next attempt. */
          readonly retryInMs: number;
          /** The moment of the next attempt, comparable to Date.now(). */
          readonly retryAt: number;
          /** Attempts that failed in a row. */
          readonly attempt: number;
          readonly reason: CloseReason;
      }
    | {readonly name: 'closed'; readonly reason: CloseReason};

/** What the SDK uses of a WebSocket; the browser's, Node's and that of the package `ws` all fit. */
export interface WebSocketLike {
    onopen: ((event: any) => void) | null;
    onmessage: ((event: any) => void) | null;
    onclose: ((event: any) => void) | null;
    onerror: ((event: any) => void) | null;
    send(data: string): void;
    close(code?: number): void;
}
export type WebSocketConstructor = new (url: string, protocols: string) => WebSocketLike;

/** What the SDK uses of an EventSource. */
export interface EventSourceLike {
    onmessage: ((event: any) => void) | null;
    onerror: ((event: any) => void) | null;
    close(): void;
}
export type EventSourceConstructor = new (url: string) => EventSourceLike;

/** Options of connect(). */
export interface ConnectOptions {
    /**
     * `auto` opens a WebSocket and falls back to SSE where none gets through.
     * @default 'auto'
     */
    transport?: 'auto' | Transport;
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
     * Called when a handler of the application threw; `context` says which. The client itself is never harmed.
     * @default reportError, and console.error where that does not exist
     */
    onError?: (error: unknown, context: string) => void;
    /** Replaces the environment's WebSocket: Node before version 22 has none, pass that of the package `ws`. */
    WebSocket?: WebSocketConstructor;
    /** Replaces the environment's EventSource. */
    EventSource?: EventSourceConstructor;
    /** Replaces the environment's fetch, which carries the client's half over SSE. */
    fetch?: typeof fetch;
}

/** Options of client.channel(); they count when the channel is first subscribed. */
export interface ChannelOptions {
    /**
     * Replays so many of the newest messages first. Where `since` cannot be recovered this counts too.
     * @default 0
     */
    latest?: number;
    /** Goes on after this position, as told earlier by `channel.position`. */
    since?: Position;
    /**
     * Goes on where this tab was in the channel, also after a reload of the page; where it never was, `since` and
     * `latest` count. Needs {@link ConnectOptions.storage}.
     * @default false
     */
    resume?: boolean;
    /**
     * `true` keeps `channel.members` current; an object does the same and shows it to the others as this session's
     * info (at most 1,024 bytes of JSON).
     * @default false
     */
    presence?: boolean | object;
}

/** Options of channel.publish(). */
export interface PublishOptions {
    /**
     * `false` keeps the message from this client's own handlers.
     * @default true
     */
    echo?: boolean;
    /**
     * `true` sends without keeping: no offset, no history, lost for whoever is not connected. Right for typing hints.
     * @default false
     */
    transient?: boolean;
    /**
     * Rejects with `timeout` when not acknowledged within so many milliseconds; 0 waits as long as it takes.
     * @default 0
     */
    timeoutMs?: number;
    /**
     * What this message is the latest of, for channels that give slow subscribers only the latest: 1 to 64 of
     * `A-Z a-z 0-9 _ - . :`.
     * @default the message's type
     */
    conflate?: string;
    /** Rejects with `aborted` and withdraws the message if it was not sent yet. */
    signal?: AbortSignal;
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

/** Options of channel.history(). At most one of `before`, `after`, `since` and `until`. */
export interface HistoryOptions {
    /**
     * Messages of one answer, 1 to 300.
     * @default 100
     */
    limit?: number;
    /** Reads backwards, new to old, from the message before this offset. Without it, from the newest. */
    before?: number;
    /** Reads forwards, old to new, from the message after this offset. */
    after?: number;
    /** Reads forwards from the first message at this time (the server's clock) or later: a Date, or milliseconds since 1970. */
    since?: Date | number;
    /** Reads backwards from the last message before this time. */
    until?: Date | number;
    /** Rejects with `aborted`. */
    signal?: AbortSignal;
}

/** Options of channel.messages(). */
export interface IterationOptions {
    /** Ends the loop. */
    signal?: AbortSignal;
    /**
     * Messages that wait for the loop; one more ends it with the error `overloaded`, so that nothing is lost silently.
     * @default 1000
     */
    capacity?: number;
}

/** A channel's stream began, for the first time, or again after a reconnect or after this connection fell behind. */
export interface SubscribedEvent {
    /** Messages after this position follow. */
    readonly position: Position;
    /** Whether everything since the last position arrives; undefined when there was none. */
    readonly recovered: boolean | undefined;
    /** Why not. */
    readonly reason?: 'expired' | 'epoch_changed' | 'limit';
}

/** Messages were missed and will not come: read them with history(), or load the state anew. Told once for each. */
export interface GapEvent {
    /** Offset of the first missed message; 1 when the log was replaced by another (`epoch_changed`). */
    readonly from: number;
    /** Offset of the last missed message; smaller than `from` when none of the new log was missed. */
    readonly to: number;
    /**
     * `replaced`: this connection was too slow for all of them, so the server sent newer ones in their place; such a gap
     * may be ignored where only the latest counts. The others: see {@link SubscribedEvent.reason}.
     */
    readonly reason: 'replaced' | 'expired' | 'epoch_changed' | 'limit';
}

/** Who is in the channel changed; `joined` and `left` say by whom, both missing for the first list. */
export interface PresenceEvent {
    readonly members: readonly Member[];
    readonly joined?: Member;
    readonly left?: Member;
}

/** For `pulsewire/wasm`: a compiled module, its bytes, their address, or the answer to a request for them. */
export type WasmSource = CompiledModule | ArrayBuffer | ArrayBufferView | string | URL | Response | PromiseLike<Response>;

/** A WebAssembly.Module, where the project's types know of one. */
export type CompiledModule = typeof globalThis extends {WebAssembly: {Module: {prototype: infer Module}}} ? Module : never;

/** A kept message that waits for its acknowledgement. */
export interface UnsentMessage {
    /** Names it for the server (docs/protocol.md 4.9), also after a reload. */
    readonly key: string;
    readonly channel: string;
    readonly type: string;
    readonly payload: unknown;
    /** When it was published, in milliseconds since 1970 by this machine's clock. */
    readonly at: number;
    /** Whether another page published it: one that stood in this tab before, or one that is gone. */
    readonly restored: boolean;
    /** What publish() returned: its position, or the error with which it failed. Need not be looked at. */
    readonly acknowledged: Promise<Position | undefined>;
    /** Gives it up, here and on the disk: `acknowledged` fails with `aborted`. If it was sent already, it may arrive. */
    withdraw(): void;
}

/** What a storage cannot do. The client itself goes on in memory. */
export interface StorageWarning {
    /**
     * `unavailable`: nothing is kept on this page, as in some private windows, or where Web Locks or IndexedDB are
     * missing. `failed`: something could not be kept or read, as when the disk is full.
     */
    readonly code: 'unavailable' | 'failed';
    /** For people. */
    readonly message: string;
    readonly cause: unknown;
}

/** What connect() wants of a storage; browserStorage() and customStorage() of `pulsewire/storage` make one. */
export interface ClientStorage {
    readonly unsent: readonly UnsentMessage[];
    /** That of the page before in this tab, if that one is gone: others see the same client. Read once. @internal */
    readonly session: string | undefined;
    /** Called once, by connect(). @internal */
    start(client: Client<any>, hooks: StorageHooks): void;
    /** Keeps a message, sends it, forgets it. @internal */
    publish(message: Outgoing): Promise<Position | undefined>;
    /** Where this tab was in the channel. @internal */
    position(channel: string): Position | undefined;
    /** @internal */
    moved(channel: string, position: Position): void;
}

/** What a storage wants of its client. @internal */
export interface StorageHooks {
    /** Names the server. */
    readonly url: string;
    /** Messages and bytes that may wait. */
    readonly outboxMax: readonly number[];
    publish(message: Outgoing): Promise<Position | undefined>;
    tell(event: 'restored', told: UnsentMessage): void;
    tell(event: 'storage', told: StorageWarning): void;
    error(code: ErrorCode, message: string): PulsewireError;
}

/** A message to be published. @internal */
export interface Outgoing {
    readonly channel: string;
    readonly type: string;
    /** JSON text. */
    readonly payload: string;
    readonly echo: boolean;
    readonly transient: boolean;
    readonly timeoutMs: number;
    readonly signal: AbortSignal | undefined;
    /** Its key (docs/protocol.md 4.9) where it has one already. */
    readonly key?: string;
    /** What it is the latest of (docs/protocol.md 4.17), where it says so. */
    readonly conflate?: string | undefined;
    /** Called each time that it is handed to a transport. */
    sent?(): void;
}
