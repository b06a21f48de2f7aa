import type {ErrorCode} from '../base/codes.js';
import type {HistoryPage} from '../client/channel.js';
import type {ConnectionState, GapEvent, PresenceEvent, SnapshotPart, SubscribedEvent} from '../client/events.js';
import type {ChannelOptions, HistoryOptions, PublishOptions} from '../client/channel_options.js';
import type {ConnectOptions, RequestOptions} from '../client/options.js';

/** Options without what cannot be posted to a worker, functions, signals and storages, and without tokens. */
type Posted<T> = Omit<T, 'token' | 'anonymous' | 'hosts' | 'signal' | 'onError' | 'storage' | 'WebSocket' | 'EventSource' | 'fetch'>;

/** A command that a page posts to the worker. `id` is the page's own and comes back with the answer. */
export type WorkerCommand =
    /**
     * First. The tabs of a SharedWorker that name the same `url` share one client; the options of the first count.
     * `lock` is the name of a Web Lock that this tab holds; when it is free again, the tab is gone (a port does not
     * tell). Hold it before posting this.
     */
    | {op: 'connect'; url?: string; options?: Posted<ConnectOptions>; lock?: string}
    | {op: 'subscribe'; channel: string; options?: ChannelOptions}
    | {op: 'unsubscribe'; channel: string}
    | {op: 'publish'; id: number; channel: string; type: string; payload: unknown; options?: Posted<PublishOptions>}
    | {op: 'request'; id: number; type: string; payload?: unknown; options?: Posted<RequestOptions>}
    | {op: 'history'; id: number; channel: string; options?: Posted<HistoryOptions>}
    | {op: 'reconnectNow'}
    /** Ends this port's part; the client itself is closed when no port is left. */
    | {op: 'close'};

/** An event that the worker posts to a page. */
export type WorkerEvent =
    | {op: 'state'; state: ConnectionState; session: string}
    /** `raw` is the payload's JSON text: a tab that does not look at it does not pay for it. Of bytes it is those. */
    | {op: 'message'; channel: string; type: string; offset?: number; time?: number; replayed: boolean; raw: string | Uint8Array}
    | {op: 'subscribed'; channel: string; event: SubscribedEvent}
    | {op: 'gap'; channel: string; event: GapEvent}
    | {op: 'presence'; channel: string; event: PresenceEvent}
    /** A snapshot of the channel's state or a part of it, with the option `state`: also for a tab that began with it before. */
    | {op: 'snapshot'; channel: string} & SnapshotPart
    /** The server would like to have a newer snapshot: publish it with the option `snapshot`. */
    | {op: 'snapshotWanted'; channel: string}
    | {op: 'refused'; channel: string; error: WorkerError}
    /** A publish gives a position or undefined, a request its answer, a history query a page with plain messages. */
    | {op: 'answer'; id: number; value: unknown}
    | {op: 'error'; id?: number; error: WorkerError};

/** A PulsewireError as it can be posted. */
export interface WorkerError {
    code: ErrorCode;
    message: string;
    pointer?: string;
}

/** The value of an answer to `history`. */
export type WorkerHistory = Omit<HistoryPage, 'messages'> & {messages: Omit<Extract<WorkerEvent, {op: 'message'}>, 'op'>[]};
