import type {Position} from '../client/events.js';
import type {AnyMessage} from '../client/message.js';

/** Options of state(). */
export interface StateOptions<S, M extends object> {
    /** The state before the first message. It is used again, so it has to stay as it is. */
    initial: S;
    /**
     * Makes the next state of a message: a new one, or the same where nothing changes. It gets every kept message of the
     * channel, in order, once, and each client has to come to the same. A message for which it throws is left out, and the
     * error told to {@link ConnectOptions.onError}.
     */
    reduce: (state: S, message: AnyMessage<M>) => S;
    /**
     * Lets this client offer snapshots when the server wants one.
     * @default it offers none, and takes those of others as the state
     */
    snapshot?: StateSnapshot<S>;
    /**
     * Goes on from a state that was kept, for example in IndexedDB, if the server still has everything after it.
     * @default it begins with the newest snapshot
     */
    from?: {readonly value: S; readonly position: Position};
}

/** How a state becomes a message and comes back. */
export interface StateSnapshot<S> {
    /** The message type of the snapshots, such as `board.state`. */
    type: string;
    /**
     * Gives what JSON can carry, or bytes.
     * @default the state itself
     */
    save?: (state: S) => unknown;
    /**
     * Takes what save() gave. It comes from another client, so treat it as unchecked input; what it throws is told to
     * {@link ConnectOptions.onError}.
     * @default the state itself
     */
    load?: (saved: any) => S;
}

/** The state of a channel, as a store for components; getSnapshot() and subscribe() may be called without the object. */
export interface StateStore<S> {
    /** The state; `initial` until it is there. */
    readonly value: S;
    /** The same, for `useSyncExternalStore`. */
    readonly getSnapshot: () => S;
    /** Calls `listener` after the state has changed, of many messages in one go once. Returns the remover. */
    readonly subscribe: (listener: () => void) => () => void;
    /** Resolves when the state is there, whole. Rejects where the server refuses it, and with `closed` after close(). */
    readonly ready: Promise<void>;
    /** The offset of the last message that is in the state. */
    readonly offset: number;
    /** Where to go on from, with {@link StateOptions.from}; undefined until the state is whole. */
    readonly position: Position | undefined;
    /**
     * Offers a snapshot, which covers what is in the state now; clients do so by themselves when the server wants one. False:
     * there is nothing to cover, the connection is away, or somebody's snapshot covers as much. Rejects where the server
     * refuses it.
     */
    offer(): Promise<boolean>;
    /** Ends it. The state stays as it is. */
    close(): void;
}

/** Options of map(). */
export interface MapOptions {
    /**
     * The type of the messages that change it; that of its snapshots is this with `.state` behind it. All clients of a channel
     * use the same.
     * @default 'map'
     */
    type?: string;
}

/** Options of keyed(). */
export interface KeyedOptions {
    /**
     * The type of the messages that this client sends; it takes those of all types.
     * @default 'value'
     */
    type?: string;
}

/** Values by key that all clients of a channel share; getSnapshot() and subscribe() may be called without the object. */
export interface SharedMap<T> {
    /** The value of the key, with what this client has set and the server has not confirmed yet. Do not change it: set another one. */
    get(key: string): T | undefined;
    has(key: string): boolean;
    readonly size: number;
    entries(): IterableIterator<[string, T]>;
    /** All values by key: a map that never changes, the same one until a value does. */
    readonly getSnapshot: () => ReadonlyMap<string, T>;
    /** Calls `listener` after something has changed, of many changes in one go once. Returns the remover. */
    readonly subscribe: (listener: () => void) => () => void;
    /**
     * Sets the value, whatever it was: here at once, and for the others when the server has it, which resolves. Where the
     * server refuses it, as with `state_full`, it is undone and rejects.
     */
    set(key: string, value: T): Promise<void>;
    /** The same: the key is no more. */
    delete(key: string): Promise<void>;
    /**
     * Sets what `change` makes of the value, if nobody has changed it meanwhile; otherwise `change` is called again, with the
     * newer one. Where it gives undefined the key is deleted, and where it gives the same value nothing is sent. Resolves with
     * the value that was set. Rejects as set() does, with what `change` throws, and with `disconnected` where it cannot be
     * known any more whether it had effect.
     */
    update(key: string, change: (value: T | undefined) => T | undefined): Promise<T | undefined>;
    /** As of {@link StateStore}. */
    readonly ready: Promise<void>;
    readonly offset: number;
    offer(): Promise<boolean>;
    /** Ends it. What was not confirmed is still sent. */
    close(): void;
}
