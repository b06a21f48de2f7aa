import type {ErrorCode} from '../base/codes.js';
import type {PulsewireError} from '../base/errors.js';
import type {Position} from './events.js';
import type {Outgoing, Session} from './session.js';

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
    /** The promise that publish() returned: its position, or the error with which it failed. Need not be looked at. */
    readonly acknowledged: Promise<Position | undefined>;
    /** Gives it up, here and on the disk: `acknowledged` fails with `aborted`. If it was sent already, it may arrive. */
    withdraw(): void;
}

/** A failure of the storage. The client itself goes on in memory. */
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

/** The storage as connect() uses it; browserStorage() and customStorage() of `pulsewire/storage` make one. */
export interface ClientStorage {
    readonly unsent: readonly UnsentMessage[];
    /**
     * The session of the page before in this tab, if that one is gone and was this user's: others see the same client. Read
     * once. @internal
     */
    sessionOf(user: string | undefined): string | undefined;
    /** Called once, by connect(). @internal */
    start(session: Session, hooks: StorageHooks): void;
    /** Keeps a message, sends it, forgets it. @internal */
    publish(message: Outgoing): Promise<Position | undefined>;
    /** The client is open for this user, '' for nobody. @internal */
    opened(user: string): void;
    /** Forgets what the user leaves. @internal */
    signOut(): void;
    /** Where the user was in the channel, in this tab. @internal */
    position(channel: string): Position | undefined;
    /** @internal */
    moved(channel: string, position: Position): void;
}

/** The client as its storage uses it, apart from the session. @internal */
export interface StorageHooks {
    onClosed(handler: () => void): void;
    /** Whether somebody signs in, so that it is not known whose messages may be sent before the client is open. */
    readonly signsIn: boolean;
    tell(event: 'restored', told: UnsentMessage): void;
    tell(event: 'storage', told: StorageWarning): void;
    error(code: ErrorCode, message: string): PulsewireError;
}
