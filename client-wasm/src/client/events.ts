import type {CloseName} from '../base/codes.js';

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
    /** The info that it shows about itself; it comes from another client, so treat it as unchecked input. */
    readonly info: unknown;
    /** Its user: the server's word, see {@link Message.user}; missing where nobody has signed in. */
    readonly user?: string;
    /** The info in the token of that user; the server's word as well. */
    readonly userInfo?: unknown;
}

/** Why a connection, or the client, ended. */
export interface CloseReason {
    /** The close code of docs/protocol.md section 7; 0 when WebAssembly did not start, or there was no token. */
    readonly code: number;
    /**
     * Its name. Beside those of the protocol: `client_closed` after close(), `signed_out` after signOut(), `token_failed`
     * when the option `token` threw, `wasm_blocked` when a
     * Content-Security-Policy forbids WebAssembly, `wasm_failed` when it could not be loaded, `unknown` for codes of
     * a later version.
     */
    readonly name: CloseName | 'client_closed' | 'signed_out' | 'token_failed' | 'wasm_blocked' | 'wasm_failed' | 'unknown';
    /** For people: what happened, and what to do about it where something can be done. */
    readonly message: string;
    /** Whether the client comes back by itself. */
    readonly reconnect: boolean;
    /**
     * Found out by an ordinary request when no transport opened, so it may come with the attempt after that. `refused`:
     * see `status`. `unreachable`: the server or the network is away. `no_answer`: perhaps other tabs hold the six
     * connections that browsers open to one server. `policy`: the page's Content-Security-Policy.
     */
    readonly problem?: 'refused' | 'origin_refused' | 'not_pulsewire' | 'mixed_content' | 'policy' | 'websocket_blocked' | 'unreachable' | 'no_answer';
    /** The status of that request's answer. */
    readonly status?: number;
}

/** The ends that the application asked for. @internal */
export const wantedEnd = /^(client_closed|signed_out)$/;

/** Whether the client is closed for good: signIn() does not open it again. @internal */
export function isFinal(state: ConnectionState): boolean {
    return state.name === 'closed' && !/^(signed_out|unauthorized)$/.test(state.reason.name);
}

/** The states of a client. `connecting` lasts until the server's welcome. */
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

/** A channel's stream began, for the first time, or again after a reconnect or after this connection fell behind. */
export interface SubscribedEvent {
    /** Messages after this position follow. */
    readonly position: Position;
    /** Whether everything since the last position arrives; undefined when there was none. */
    readonly recovered: boolean | undefined;
    /** Why not. */
    readonly reason?: 'expired' | 'epoch_changed' | 'limit' | 'forbidden' | 'compacted';
}

/** Messages were missed and will not come: read them with history(), or load the state anew. Told once for each. */
export interface GapEvent {
    /** Offset of the first missed message; 1 when the log was replaced by another (`epoch_changed`). */
    readonly from: number;
    /** Offset of the last missed message; smaller than `from` when none of the new log was missed. */
    readonly to: number;
    /**
     * `replaced`: this connection was too slow for all of them, so the server sent newer ones in their place; such a gap
     * may be ignored where only the latest counts. `compacted`: a snapshot has taken their place, with
     * {@link ChannelOptions.state}. The others: see {@link SubscribedEvent.reason}.
     */
    readonly reason: 'replaced' | 'expired' | 'epoch_changed' | 'limit' | 'forbidden' | 'compacted';
}

/** A snapshot, or a part of it: only the last one has an offset, up to which the snapshot covers everything. */
export interface SnapshotPart {
    readonly type: string;
    /** From 1. */
    readonly part: number;
    readonly parts: number;
    /** 0 but for the last part. */
    readonly offset: number;
    readonly payload: unknown;
}

/** The list of members changed; `joined` and `left` say by whom, both missing for the first list. */
export interface PresenceEvent {
    readonly members: readonly Member[];
    readonly joined?: Member;
    readonly left?: Member;
}
