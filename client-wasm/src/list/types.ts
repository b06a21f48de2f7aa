import type {Channel, ChannelEvents} from '../client/channel.js';
import type {IterationOptions} from '../client/channel_options.js';
import type {AnyMessage, Message} from '../client/message.js';
import type {AnyMessages} from '../client/options.js';

/** One part of the application's use of a channel; see open(). */
export interface Subscription<M extends object = AnyMessages> {
    readonly channel: Channel<M>;
    /** As channel.on(), for this handle. */
    on<K extends keyof M & string>(type: K, handler: (payload: M[K], message: Message<M[K]>) => void): () => void;
    on(type: '*', handler: (payload: M[keyof M], message: AnyMessage<M>) => void): () => void;
    /** As channel.watch(), for this handle; also tells a late one of what was told before it was opened. */
    watch<E extends keyof ChannelEvents>(event: E, handler: (event: ChannelEvents<M>[E]) => void): () => void;
    /** As channel.messages(), for this handle. */
    messages(options?: IterationOptions): AsyncIterableIterator<AnyMessage<M>>;
    /** Removes its handlers and ends its loops. A moment after the last user has gone the channel's subscription ends. */
    close(): void;
}

/** The messages of a channel as a store for components; both functions may be called without the object. */
export interface MessageList<M extends object = AnyMessages> {
    /** The messages, oldest first: an array that never changes, the same one until there is another message. */
    readonly getSnapshot: () => readonly AnyMessage<M>[];
    /** Calls `listener` after the list has changed. The first one subscribes; a moment after the last has gone that ends. */
    readonly subscribe: (listener: () => void) => () => void;
}
