/** Options of stream(). */
export interface StreamOptions {
    /**
     * The name of the reply, 1 to 64 of `A-Z a-z 0-9 _ - . :`. Use each name once: a reply that begins with the name of another
     * one of the same user takes its place.
     * @default a random one
     */
    id?: string;
    /**
     * The type of the messages that carry the replies; that of requests to stop is this with `.stop` behind it. Writers and readers of
     * a channel use the same.
     * @default 'stream'
     */
    type?: string;
    /**
     * How long readers wait for a sign of life, in milliseconds, before they show the reply as failed. A writer that has
     * nothing to write gives one after each third of it.
     * @default 30000
     */
    leaseMs?: number;
    /**
     * As of {@link StreamsOptions}. A writer that is told `state_full` offers the snapshot itself that makes room.
     * @default 100
     */
    keep?: number;
    /**
     * Whether this client shows itself in the channel while it writes, so that readers with the same option learn within
     * seconds that it is gone. The namespace has to allow presence.
     * @default false
     */
    presence?: boolean;
}

/** A reply that this client writes. */
export interface StreamWriter {
    readonly id: string;
    /**
     * Aborts when a reader asks to stop: give it to the model. Aborts as well when the reply cannot be written any more; its
     * `reason` is the error then.
     */
    readonly stopped: AbortSignal;
    /**
     * Adds a piece. Pieces of about 40 ms leave as one message. Resolves at once while the server keeps up; otherwise, as long as
     * four messages wait for their acknowledgement or there is no connection, when the piece has left: whoever awaits it is as slow as the
     * network. Rejects with `outbox_full` when a megabyte of text waits, with `closed` after the end, and with the server's
     * refusal.
     */
    write(text: string): Promise<void>;
    /**
     * Ends the reply as complete, or as cancelled where a reader has asked to stop. Resolves when the server has all of it. The
     * first of end(), cancel() and fail() counts, and the others resolve with it.
     */
    end(): Promise<void>;
    /** Ends the reply as cancelled. */
    cancel(): Promise<void>;
    /** Ends the reply as failed. Readers get the reason, at most 1,000 characters of it. */
    fail(reason?: unknown): Promise<void>;
}

/** Options of streams(). */
export interface StreamsOptions {
    /** As of {@link StreamOptions}. @default 'stream' */
    type?: string;
    /**
     * How many replies that have ended are kept; the oldest go first. All clients of a channel use the same.
     * @default 100
     */
    keep?: number;
    /** As of {@link StreamOptions}. @default false */
    presence?: boolean;
}

/** A reply as readers see it: an object that never changes. */
export interface Reply {
    readonly id: string;
    /** The text so far. */
    readonly text: string;
    /** `failed` also where nothing was heard of the writer for too long: it is `writing` again when the writer is back. */
    readonly state: 'writing' | 'complete' | 'cancelled' | 'failed';
    /** Why it failed, by the writer's word; missing where the writer is gone. */
    readonly reason?: string;
    /** Whether a reader has asked to stop. */
    readonly stopping: boolean;
    /** The writer's session, as in {@link Member.session}; by its own word. */
    readonly writer: string;
    /** The writer's user, as in {@link Message.user}: the server's word. */
    readonly user?: string;
}

/** The replies of a channel, as a store for components; getSnapshot() and subscribe() may be called without the object. */
export interface StreamReader {
    /** The replies in the order of their beginnings; the same array until something changes. */
    readonly getSnapshot: () => readonly Reply[];
    /** Calls `listener` after something has changed, of many changes in one go once. Returns the remover. */
    readonly subscribe: (listener: () => void) => () => void;
    get(id: string): Reply | undefined;
    /**
     * The text so far and then the pieces, to loop over, until the reply ends; waits for one that has not begun. Throws
     * `rejected` with the reason where it has failed, `disconnected` where the writer is gone, `not_found` where the reply is not
     * kept any more, `aborted` with the signal, and `closed` after close().
     */
    read(id: string, options?: {signal?: AbortSignal}): AsyncIterableIterator<string>;
    /** Asks the writer to stop. Resolves when the server has the request; the reply ends when the writer has heard of it. */
    stop(id: string): Promise<void>;
    /** Resolves when the replies are there. Rejects where the server refuses them, and with `closed` after close(). */
    readonly ready: Promise<void>;
    /** Ends it. The replies stay as they are. */
    close(): void;
}
