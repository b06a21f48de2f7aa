import type {PulsewireError} from '../base/errors.js';
import type {Data} from '../base/payload.js';
import type {CloseReason, ConnectionState, Position, PresenceEvent, SnapshotPart, SubscribedEvent} from './events.js';
import type {ReportError} from './handlers.js';
import type {HistoryOptions} from './channel_options.js';

/**
 * A session with a server, as the client and its channels use it. The one of core/ is the state machine in WebAssembly;
 * nothing here says so, because a session may as well live in another tab, or in a test. All that passes through, except
 * the options' signals, is plain data.
 */
export interface Session {
    /** The session's public name, told by the server and kept across reconnects; '' until the client is open for the first time. */
    readonly name: string;
    /** The user of the connection that was open last, by the server's word; '' where that is nobody. */
    readonly user?: string;
    /** The proof to the server of who the session is (docs/protocol.md 4.2). Shown to nobody else. */
    secret: string;
    readonly state: ConnectionState;
    /** Names the server, for a storage. */
    readonly url: string;
    /** The number of publishes and requests, and of their bytes, that may wait for their answers. */
    readonly outboxMax: readonly number[];
    /** Takes the failures of handlers, and of frames that cannot be read. */
    readonly report: ReportError;
    /** Takes the failures that the application could have heard of, and did not listen to. */
    readonly unheard: ReportError;
    /** Connects. Calls that come earlier wait for it, and for the time that it takes. */
    start(): void;
    /** Does not wait any longer before the next attempt; while open, checks that the connection still lives. */
    reconnectNow(): void;
    /** Ends everything, for a reason that is not the server's. */
    end(reason: CloseReason): void;
    /** Begins anew, as another client, after an end that allows it. */
    again?(): void;
    /** Resolves with the position of a kept message, with undefined for a transient one. */
    publish(message: Outgoing): Promise<Position | undefined>;
    /** Resolves with the answer. */
    request(question: Question): Promise<unknown>;
    history(channel: string, options: HistoryOptions): Promise<HistoryAnswer>;
    /**
     * Calls `begin` when it is known who the user is, which is at once where nobody signs in, and where there is nobody to wait
     * for any more. Returns the function that ends what was begun.
     */
    whenKnown?(begin: () => () => void): () => void;
    /** Returns the function that ends the subscription. */
    subscribe(receiver: Receiver, wanted: Subscription): () => void;
    /**
     * Sends the line that answers another client (docs/protocol.md 4.19), unless that transport is gone; with a payload it
     * is the line up to that.
     */
    respond(attempt: number, line: string, payload?: Data): void;
}

/** Makes a client's session; throws `invalid_argument` for options that cannot work. */
export type MakeSession = (owner: SessionOwner) => Session;

/** The client, as its session uses it. */
export interface SessionOwner {
    /** The session has entered this state. */
    entered(state: ConnectionState): void;
    /** The token says that the user has gone, or that there is one now. */
    readonly signOut: () => undefined;
    /** The server asks for a subscription to the channel of this name. */
    readonly offered: (channel: string) => void;
    /** The server does not reach its broker, and why; or does again. */
    readonly degraded: (is: boolean, message: string) => void;
    /** It was found out why no connection opens. */
    readonly found: (message: string) => void;
    readonly report: ReportError;
    readonly unheard: ReportError;
}

/** A message to be published. @internal */
export interface Outgoing {
    readonly channel: string;
    readonly type: string;
    readonly payload: Data;
    readonly echo: boolean;
    readonly transient: boolean;
    readonly timeoutMs: number;
    readonly signal: AbortSignal | undefined;
    /** Its key (docs/protocol.md 4.9) where it has one already. */
    readonly key?: string;
    /** The key of which it is the latest (docs/protocol.md 4.17), where it has one. */
    readonly conflate?: string | undefined;
    /** Further members of the command, as JSON text. */
    readonly more?: string | undefined;
    /** Called each time that it is handed to a transport. */
    sent?(): void;
}

/** A request to the server or, with a channel and a session of it, to that client. */
export interface Question {
    readonly type: string;
    readonly payload: Data;
    readonly timeoutMs: number;
    readonly signal: AbortSignal | undefined;
    readonly channel?: string;
    readonly to?: string;
}

/** A page of history as it arrives. */
export interface HistoryAnswer {
    readonly messages: readonly HistoryEntry[];
    readonly more: boolean;
    readonly missed?: boolean;
    readonly position: Position;
}

export interface HistoryEntry {
    readonly type: string;
    readonly offset: number;
    readonly time: number;
    readonly payload: unknown;
    /** The JSON text of the payload, as it arrived; '' of bytes. */
    readonly raw: string;
    /** Of a snapshot: up to which offset. */
    readonly covers?: number;
}

/** From where on the messages of a channel are wanted, and whether its members are. */
export interface Subscription {
    /** Goes on after this position; without it, from now. */
    readonly since: Position | undefined;
    readonly latest: number;
    readonly presence: boolean;
    /** JSON text that is shown to the others. */
    readonly info: string | undefined;
    /** Begins with the newest snapshot where there is no position, or one before what that covers. */
    readonly state?: boolean | undefined;
}

/** Takes what happens to a subscription. */
export interface Receiver {
    /** The channel's. */
    readonly name: string;
    /**
     * A message; offset and time are 0 where there are none, the JSON text of the payload is that part of `text`, unless it
     * is `bytes`. The arguments are positional because this is called for each message: an object for each would be felt.
     */
    deliver(
        type: string, offset: number, time: number, replayed: boolean, text: string, begin: number, end: number, user?: string,
        bytes?: Uint8Array, conflate?: string,
    ): void;
    onSubscribed(event: SubscribedEvent): void;
    /** Publications up to this offset do not come: newer ones have taken their place (docs/protocol.md 5.4). */
    onGap(to: number): void;
    /** The whole list of members, or the one who joined, or who left. */
    onPresence(change: Partial<PresenceEvent>): void;
    onAsked?(event: AskedEvent): void;
    /** The state of the channel, in parts. A first one begins anew. */
    onSnapshot?(part: SnapshotPart): void;
    /** The server would like to have a newer snapshot. */
    onSnapshotWanted?(): void;
    /** Nothing more comes after it. */
    onRefused(error: PulsewireError): void;
    /** The session ended, and the subscription with it. */
    onClosed(error: PulsewireError, reason: CloseReason): void;
}

/** Another client of the channel asks (docs/protocol.md 4.18). */
export interface AskedEvent {
    /** The transport that the answer has to take, and the number of the request on it. */
    readonly attempt: number;
    readonly request: number;
    /** Empty: the answer to that number is not wanted any more. */
    readonly type: string;
    /** The session of the one who asks. */
    readonly session: string;
    /** Who that is, by the server's word; '' for nobody. */
    readonly user?: string;
    readonly payload: unknown;
}
