import {PLATFORM_ID, computed, effect, inject, signal, untracked, type Signal} from '@angular/core';
import type {ConnectionState} from './client/events.js';
import type {AnyMessages} from './client/options.js';
import {
    channelStore, connectionStore, presenceStore, publishStore,
    type ChannelView, type ClientSource, type ListOptions, type PresentMember, type Publish, type PublishView, type Store,
} from './frameworks.js';

export type {ChannelView, ClientSource, FailedMessage, ListOptions, PendingMessage, PresentMember, Publish, PublishView} from './frameworks.js';

/** The members of a view, each as a signal. */
export type Signals<View> = {readonly [K in keyof View]: Signal<View[K]>};
/** A value, or a signal or another function that gives it. */
export type MaybeSignal<T> = T | (() => T);

/**
 * The messages of a channel, how its subscription is, and what went wrong: the newest `latest` messages first, then those
 * that come. All components of a channel share one subscription, which ends a moment after the last has gone. The name may be
 * a signal; `undefined`: no channel yet. Needs an injection context, as all functions here.
 */
export function useChannel<M extends object = AnyMessages>(
    client: ClientSource, name: MaybeSignal<string | undefined>, options: MaybeSignal<ListOptions> = {},
): Signals<ChannelView<M>> {
    const view = useStore(() => channelStore<M>(client, valueOf(name), valueOf(options)));
    return {
        messages: computed(() => view().messages),
        state: computed(() => view().state),
        error: computed(() => view().error),
        gap: computed(() => view().gap),
    };
}

/**
 * The sessions that show themselves in a channel. With `info`, an object of up to 1,024 bytes of JSON, this one shows itself
 * for as long as the component is there.
 */
export function usePresence<Info = unknown>(
    client: ClientSource, name: MaybeSignal<string | undefined>, info?: MaybeSignal<(Info & object) | undefined>,
): Signal<readonly PresentMember<Info>[]> {
    return useStore(() => presenceStore<Info>(client, valueOf(name), valueOf(info)));
}

/** The state of the connection, as `client.state`; while a page is rendered on a server, `connecting`. */
export function useConnection(client: ClientSource): Signal<ConnectionState> {
    return useStore(() => connectionStore(client));
}

/**
 * Publishes in a channel, and shows what waits for its acknowledgement (`pending`) and what was not published (`failed`),
 * the same to all components of the channel.
 */
export function usePublish<M extends object = AnyMessages>(
    client: ClientSource, name: MaybeSignal<string | undefined>,
): Signals<PublishView<M>> & {readonly publish: Publish<M>} {
    const store = computed(() => publishStore<M>(client, valueOf(name)));
    const view = useStore(store);
    return {
        publish: (type, payload, options) => untracked(store).publish(type, payload, options),
        pending: computed(() => view().pending),
        failed: computed(() => view().failed),
    };
}

function valueOf<T>(value: MaybeSignal<T>): T {
    return typeof value === 'function' ? (value as () => T)() : value;
}

/** The value of the store that `make` makes now, in a browser. Inputs are not there before the effect runs. */
function useStore<T>(make: () => Store<T>): Signal<T> {
    const store = computed(make);
    const value = signal<T | undefined>(undefined);
    // Effects also run where pages are rendered on a server.
    if (inject(PLATFORM_ID) !== 'server') {
        effect((onCleanup) => {
            const {subscribe, getSnapshot} = store();
            untracked(() => {
                const show = () => value.set(getSnapshot());
                onCleanup(subscribe(show));
                show();
            });
        });
    }
    return computed(() => value() ?? store().initial);
}
