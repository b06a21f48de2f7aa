export {PulsewireError} from './base/errors.js';
export type {Channel, ChannelEvents, HistoryPage} from './client/channel.js';
export type {Client} from './client/client.js';
export type {CloseName, ErrorCode} from './base/codes.js';
export type {AnyMessage, Message} from './client/message.js';
export type * from './client/channel_options.js';
export type * from './client/client_storage.js';
export type * from './client/events.js';
export type * from './client/options.js';
