import {amount, checkOptions, positive, type Rules} from './base/check.js';
import type {Channel} from './client/channel.js';
import type {ChannelOptions} from './client/channel_options.js';
import type {AnyMessages} from './client/options.js';
import {Lists} from './list/message_list.js';
import {Sharing} from './list/sharing.js';
import type {MessageList, Subscription} from './list/types.js';

export type {MessageList, Subscription} from './list/types.js';

/** Options of list(). */
export interface ListOptions {
    /**
     * How many of the newest messages the list begins with, at most 300.
     * @default 100
     */
    latest?: number;
    /**
     * How many messages it keeps; the oldest go first.
     * @default 1000
     */
    max?: number;
}

const rules: Rules<ListOptions> = {latest: amount, max: positive};

/**
 * Uses a channel on behalf of one part of the application, for example a component: with options and handlers of its own,
 * which close() ends without touching those of others. All share one subscription; where there is one already, `latest`
 * and `since` are read from the channel's history. A moment after the last one has closed the subscription ends.
 */
export function open<M extends object = AnyMessages>(channel: Channel<M>, options: ChannelOptions = {}): Subscription<M> {
    const handle = sharingOf(channel).sharing.add(options);
    return {
        channel,
        on: (type: string, handler: any) => handle.on(type, handler),
        watch: (event: string, handler: any) => handle.watch(event, handler),
        messages: (how) => handle.messages(how) as AsyncIterableIterator<any>,
        close: () => handle.close(),
    };
}

/**
 * The newest messages of a channel, then those that come, as a store for components:
 * `useSyncExternalStore(chat.subscribe, chat.getSnapshot)`. The same object for the same channel and options; one that
 * comes late finds what is there. Messages without an offset, such as typing hints, are not in it. An offset is in the list
 * once: when the server has lost its log, the list begins anew.
 */
export function list<M extends object = AnyMessages>(channel: Channel<M>, options: ListOptions = {}): MessageList<M> {
    checkOptions(options, rules);
    const {latest = 100, max = 1000} = options;
    return sharingOf(channel).lists.get(latest, max) as unknown as MessageList<M>;
}

const known = new WeakMap<Channel<any>, {sharing: Sharing; lists: Lists}>();

function sharingOf(channel: Channel<any>): {sharing: Sharing; lists: Lists} {
    const self = channel.self();
    let one = known.get(self);
    if (!one) {
        const sharing = new Sharing(self);
        known.set(self, (one = {sharing, lists: new Lists(sharing)}));
    }
    return one;
}
