import type {Position} from '../client/events.js';

/** A message as it is kept until it is acknowledged. */
export interface StoredMessage {
    /** Unique, and the same each time that the message is sent (docs/protocol.md 4.9). */
    readonly key: string;
    readonly channel: string;
    readonly type: string;
    /** JSON text, or the base64 of bytes. */
    readonly payload: string;
    /** Whether the payload is bytes. */
    readonly binary?: boolean;
    readonly echo: boolean;
    /** As given to publish(); 0 is none. */
    readonly timeoutMs: number;
    /** As given to publish(); missing where it is the type. */
    readonly conflate?: string | undefined;
    /** The user who published it, by the server's word; missing where nobody had signed in. It is sent for no other. */
    readonly user?: string;
    /** When it was published, in milliseconds since 1970. Ascends within one client, so it is the order as well. */
    readonly at: number;
    /** When it was first handed to a connection; missing while the server cannot have it. */
    readonly sentAt?: number;
}

/** A position as it is kept. */
export interface StoredPosition extends Position {
    /** The user who was there, as in a message; no other goes on from there. */
    readonly user?: string;
}

/**
 * Where messages and positions outlive the page. customStorage() makes a storage of it. Calls take effect in the order in
 * which they are made, whenever their promises resolve.
 */
export interface Store {
    /**
     * Called once, before anything else. `scope` names the server, whose messages are no other server's. `owner` names
     * this client, to which its messages belong until it is gone. Messages without a living owner become this one's:
     * they are given to `adopt`, in any order; those that are there now before the promise resolves, others whenever
     * their owner goes. Where one process at a time uses the store, all are given at once.
     */
    open(scope: string, owner: string, adopt: (messages: readonly StoredMessage[]) => void): Promise<void>;
    /** Keeps messages, or replaces those of the same key; resolves when they are safe. */
    put(messages: readonly StoredMessage[]): Promise<void>;
    /** Forgets messages; also those that are not there. */
    remove(keys: readonly string[]): Promise<void>;
    /** The position that was saved for the channel, in this scope; may be asked before open() has resolved. */
    position(channel: string): StoredPosition | undefined;
    /** Saves these and leaves the others; done when it returns, as the page may be about to end. */
    savePositions(positions: ReadonlyMap<string, StoredPosition>): void;
    /** Forgets all positions and the session that was left: the user has signed out. Done when it returns. */
    forget?(): void;
    /** The text that the last client left for the next one, if there is one; forgotten with this call. */
    takeSession?(): string | undefined;
    /** The page ends: its successor may go on with this session, a text of at most 200 characters. Done when it returns. */
    leaveSession?(session: string): void;
    /**
     * The page ends before put() could be called or resolve for these messages: a later client gets them from open(), with
     * those that it finds there. Done when it returns.
     */
    leaveMessages?(messages: readonly StoredMessage[]): void;
    /** The client has ended: what it leaves is without an owner. */
    close(): void;
}

/** Options of every storage. */
export interface KeeperOptions {
    /**
     * A message that is older, in milliseconds, is not sent after a reload any more: it fails with `timeout`.
     * @default 86400000
     */
    maxAgeMs?: number;
    /**
     * A message that was sent so long before a reload, in milliseconds, without an answer is not sent again, as the
     * server would not know it any more: it fails with `disconnected`. At most the server's `idempotency_ms`.
     * @default 300000
     */
    repeatWithinMs?: number;
}
