import {computed, getCurrentInstance, onMounted, shallowRef, toValue, watch, type ComputedRef, type MaybeRefOrGetter, type ShallowRef} from 'vue';
import type {ConnectionState} from './client/events.js';
import type {AnyMessages} from './client/options.js';
import {
    channelStore, connectionStore, presenceStore, publishStore,
    type ChannelView, type ClientSource, type ListOptions, type PresentMember, type Publish, type PublishView, type Store,
} from './frameworks.js';

export type {ChannelView, ClientSource, FailedMessage, ListOptions, PendingMessage, PresentMember, Publish, PublishView} from './frameworks.js';

/** The members of a view, each as a ref of its own, so that they can be destructured. */
export type Refs<View> = {readonly [K in keyof View]: ComputedRef<View[K]>};

/**
 * The messages of a channel, how its subscription is, and what went wrong: the newest `latest` messages first, then those
 * that come. All components of a channel share one subscription, which ends a moment after the last has gone. The name may be
 * a ref or a getter; `undefined`: no channel yet.
 */
export function useChannel<M extends object = AnyMessages>(
    client: ClientSource, name: MaybeRefOrGetter<string | undefined>, options: MaybeRefOrGetter<ListOptions> = {},
): Refs<ChannelView<M>> {
    const view = useStore(() => channelStore<M>(client, toValue(name), toValue(options)));
    return {
        messages: computed(() => view.value.messages),
        state: computed(() => view.value.state),
        error: computed(() => view.value.error),
        gap: computed(() => view.value.gap),
    };
}

/**
 * The sessions that show themselves in a channel. With `info`, an object of up to 1,024 bytes of JSON, this one shows itself
 * for as long as the component is there.
 */
export function usePresence<Info = unknown>(
    client: ClientSource, name: MaybeRefOrGetter<string | undefined>, info?: MaybeRefOrGetter<(Info & object) | undefined>,
): Readonly<ShallowRef<readonly PresentMember<Info>[]>> {
    return useStore(() => presenceStore<Info>(client, toValue(name), toValue(info)));
}

/** The state of the connection, as `client.state`; before the component is mounted, `connecting`. */
export function useConnection(client: ClientSource): Readonly<ShallowRef<ConnectionState>> {
    return useStore(() => connectionStore(client));
}

/**
 * Publishes in a channel, and shows what waits for its acknowledgement (`pending`) and what was not published (`failed`),
 * the same to all components of the channel.
 */
export function usePublish<M extends object = AnyMessages>(
    client: ClientSource, name: MaybeRefOrGetter<string | undefined>,
): Refs<PublishView<M>> & {readonly publish: Publish<M>} {
    const store = computed(() => publishStore<M>(client, toValue(name)));
    const view = useStore(() => store.value);
    return {
        publish: (type, payload, options) => store.value.publish(type, payload, options),
        pending: computed(() => view.value.pending),
        failed: computed(() => view.value.failed),
    };
}

/** The value of the store that `make` makes now; outside of a component, of the scope. */
function useStore<T>(make: () => Store<T>): Readonly<ShallowRef<T>> {
    const value = shallowRef(make().initial) as ShallowRef<T>;
    const follow = () => watch(make, ({subscribe, getSnapshot}, _, onCleanup) => {
        const show = () => (value.value = getSnapshot());
        onCleanup(subscribe(show));
        show();
    }, {immediate: true, flush: 'sync'});
    // A component is not mounted on a server, nor where it is only set up; and it is hydrated from what the server rendered.
    if (getCurrentInstance()) onMounted(follow);
    else if (typeof document !== 'undefined') follow();
    return value;
}
