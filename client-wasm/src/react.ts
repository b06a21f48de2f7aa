import {useMemo, useSyncExternalStore} from 'react';
import type {ConnectionState} from './client/events.js';
import type {AnyMessages} from './client/options.js';
import {
    channelStore, connectionStore, presenceStore, publishStore,
    type ChannelView, type ClientSource, type ListOptions, type PresentMember, type Publish, type PublishView, type Store,
} from './frameworks.js';

export type {ChannelView, ClientSource, FailedMessage, ListOptions, PendingMessage, PresentMember, Publish, PublishView} from './frameworks.js';

/**
 * The messages of a channel, how its subscription is, and what went wrong: the newest `latest` messages first, then those
 * that come. All components of a channel share one subscription, which ends a moment after the last has gone. `undefined`
 * as name: no channel yet.
 */
export function useChannel<M extends object = AnyMessages>(
    client: ClientSource, name: string | undefined, options: ListOptions = {},
): ChannelView<M> {
    // The name of an option that does not exist has to get through, so that it is refused.
    const key = JSON.stringify(options);
    return useStore(useMemo(() => channelStore<M>(client, name, options), [client, name, key]));
}

/**
 * The sessions that show themselves in a channel. With `info`, an object of up to 1,024 bytes of JSON, this one shows itself
 * for as long as the component is there; a new object with the same content changes nothing.
 */
export function usePresence<Info = unknown>(
    client: ClientSource, name: string | undefined, info?: Info & object,
): readonly PresentMember<Info>[] {
    const key = JSON.stringify(info);
    return useStore(useMemo(() => presenceStore<Info>(client, name, info), [client, name, key]));
}

/** The state of the connection, as `client.state`; while a page is rendered on a server, `connecting`. */
export function useConnection(client: ClientSource): ConnectionState {
    return useStore(useMemo(() => connectionStore(client), [client]));
}

/**
 * Publishes in a channel, and shows what waits for its acknowledgement (`pending`) and what was not published (`failed`),
 * the same to all components of the channel. `publish` is the same function for as long as client and name are.
 */
export function usePublish<M extends object = AnyMessages>(
    client: ClientSource, name: string | undefined,
): {readonly publish: Publish<M>; readonly pending: PublishView<M>['pending']; readonly failed: PublishView<M>['failed']} {
    const store = useMemo(() => publishStore<M>(client, name), [client, name]);
    const view = useStore(store);
    return useMemo(() => ({
        publish: store.publish,
        pending: view.pending,
        // Read here only where the component reads it.
        get failed() {
            return view.failed;
        },
    }), [store, view]);
}

function useStore<T>({subscribe, getSnapshot, initial}: Store<T>): T {
    return useSyncExternalStore(subscribe, getSnapshot, () => initial);
}
