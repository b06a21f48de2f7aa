// The part that the entries for frameworks share: stores over pulsewire/list that know no framework.

export {channelStore, type ChannelView} from './frameworks/channel_store.js';
export {publishStore, type FailedMessage, type PendingMessage, type Publish, type PublishView} from './frameworks/outbox.js';
export {connectionStore, presenceStore, type PresentMember} from './frameworks/presence_store.js';
export type {ClientSource, Store} from './frameworks/store.js';
export type {ListOptions} from './list.js';
