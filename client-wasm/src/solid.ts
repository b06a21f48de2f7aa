import {createEffect, createMemo, createSignal, onCleanup, type Accessor} from 'solid-js';
import type {ConnectionState} from './client/events.js';
import type {AnyMessages} from './client/options.js';
import {
    channelStore, connectionStore, presenceStore, publishStore,
    type ChannelView, type ClientSource, type ListOptions, type PresentMember, type Publish, type PublishView, type Store,
} from './frameworks.js';

export type {ChannelView, ClientSource, FailedMessage, ListOptions, PendingMessage, PresentMember, Publish, PublishView} from './frameworks.js';

/** The members of a view, each as an accessor. */
export type Accessors<View> = {readonly [K in keyof View]: Accessor<View[K]>};
/** A value, or an accessor of it. */
export type MaybeAccessor<T> = T | Accessor<T>;

/**
 * The messages of a channel, how its subscription is, and what went wrong: the newest `latest` messages first, then those
 * that come. All components of a channel share one subscription, which ends a moment after the last has gone. The name may be
 * an accessor; `undefined`: no channel yet.
 */
export function useChannel<M extends object = AnyMessages>(
    client: ClientSource, name: MaybeAccessor<string | undefined>, options: MaybeAccessor<ListOptions> = {},
): Accessors<ChannelView<M>> {
    const view = useStore(() => channelStore<M>(client, valueOf(name), valueOf(options)));
    return {
        messages: () => view().messages,
        state: () => view().state,
        error: () => view().error,
        gap: () => view().gap,
    };
}

/**
 * The sessions that show themselves in a channel. With `info`, an object of up to 1,024 bytes of JSON, this one shows itself
 * for as long as the component is there.
 */
export function usePresence<Info = unknown>(
    client: ClientSource, name: MaybeAccessor<string | undefined>, info?: MaybeAccessor<(Info & object) | undefined>,
): Accessor<readonly PresentMember<Info>[]> {
    return useStore(() => presenceStore<Info>(client, valueOf(name), valueOf(info)));
}

/** The state of the connection, as `client.state`; before the component is there, `connecting`. */
export function useConnection(client: ClientSource): Accessor<ConnectionState> {
    return useStore(() => connectionStore(client));
}

/**
 * Publishes in a channel, and shows what waits for its acknowledgement (`pending`) and what was not published (`failed`),
 * the same to all components of the channel.
 */
export function usePublish<M extends object = AnyMessages>(
    client: ClientSource, name: MaybeAccessor<string | undefined>,
): Accessors<PublishView<M>> & {readonly publish: Publish<M>} {
    const store = createMemo(() => publishStore<M>(client, valueOf(name)));
    const view = useStore(store);
    return {
        publish: (type, payload, options) => store().publish(type, payload, options),
        pending: () => view().pending,
        failed: () => view().failed,
    };
}

function valueOf<T>(value: MaybeAccessor<T>): T {
    return typeof value === 'function' ? (value as Accessor<T>)() : value;
}

/** The value of the store that `make` makes now. Effects do not run on a server, and run here after the hydration. */
function useStore<T>(make: () => Store<T>): Accessor<T> {
    const store = createMemo(make);
    const [value, setValue] = createSignal(store().initial);
    createEffect(() => {
        const {subscribe, getSnapshot} = store();
        const show = () => void setValue(getSnapshot);
        onCleanup(subscribe(show));
        show();
    });
    return value;
}
