import {readable, type Readable} from 'svelte/store';
import type {ConnectionState} from './client/events.js';
import type {AnyMessages} from './client/options.js';
import {
    channelStore, connectionStore, presenceStore, publishStore,
    type ChannelView, type ClientSource, type ListOptions, type PresentMember, type Publish, type PublishView, type Store,
} from './frameworks.js';

export type {ChannelView, ClientSource, FailedMessage, ListOptions, PendingMessage, PresentMember, Publish, PublishView} from './frameworks.js';

/** A store whose first value is there before anybody subscribes, so that a component can begin with it. */
export type View<T> = Readable<T>;

/**
 * The messages of a channel, how its subscription is, and what went wrong, as a store: the newest `latest` messages first,
 * then those that come. All users of a channel share one subscription, which ends a moment after the last has gone.
 * `undefined` as name: no channel yet. For a name that changes: `const chat = $derived(useChannel(client, name))`.
 */
export function useChannel<M extends object = AnyMessages>(
    client: ClientSource, name: string | undefined, options: ListOptions = {},
): View<ChannelView<M>> {
    return useStore(channelStore<M>(client, name, options));
}

/**
 * The sessions that show themselves in a channel, as a store. With `info`, an object of up to 1,024 bytes of JSON, this one
 * shows itself for as long as the store is used.
 */
export function usePresence<Info = unknown>(
    client: ClientSource, name: string | undefined, info?: Info & object,
): View<readonly PresentMember<Info>[]> {
    return useStore(presenceStore<Info>(client, name, info));
}

/** The state of the connection as a store, as `client.state`; while a page is rendered on a server, `connecting`. */
export function useConnection(client: ClientSource): View<ConnectionState> {
    return useStore(connectionStore(client));
}

/**
 * Publishes in a channel; as a store it shows what waits for its acknowledgement (`pending`) and what was not published
 * (`failed`), the same to all users of the channel.
 */
export function usePublish<M extends object = AnyMessages>(
    client: ClientSource, name: string | undefined,
): View<PublishView<M>> & {readonly publish: Publish<M>} {
    const store = publishStore<M>(client, name);
    return {...useStore(store), publish: store.publish};
}

function useStore<T>({initial, subscribe, getSnapshot}: Store<T>): View<T> {
    return readable(initial, (set) => {
        // Components also subscribe while they are rendered on a server.
        if (typeof document === 'undefined') return;
        const show = () => set(getSnapshot());
        const leave = subscribe(show);
        show();
        return leave;
    });
}
