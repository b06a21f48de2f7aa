import type {Position} from './events.js';

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
    /**
     * Begins with the newest snapshot of the channel's state and everything after it, where its namespace keeps state;
     * `pulsewire/state` asks for this and takes the snapshot. Handlers get the publications after it.
     * @default false
     */
    state?: boolean;
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
     * The thing of which this message is the latest, for channels that give slow subscribers only that: 1 to 64 of
     * `A-Z a-z 0-9 _ - . :`.
     * @default the message's type
     */
    conflate?: string;
    /**
     * Only if the newest message of its key (`conflate`, or the type) has this offset, 0: if there is none; otherwise it rejects
     * with `conflict`. For namespaces that are `keyed`; `pulsewire/state` has keyed().
     */
    ifOffset?: number;
    /** The message is the state of the channel up to an offset, or a part of it; `pulsewire/state` sends such. */
    snapshot?: SnapshotOf;
    /** Rejects with `aborted` and withdraws the message if it was not sent yet. */
    signal?: AbortSignal;
}

/** What a snapshot covers (docs/protocol.md 4.29). */
export interface SnapshotOf {
    /** It is the state after the publication of this offset, and of all before. */
    readonly covers: number;
    /** Names the parts that belong together, where there are some: 1 to 64 of `A-Z a-z 0-9 _ - . :`. */
    readonly id?: string;
    /** From 1. */
    readonly part?: number;
    readonly parts?: number;
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
