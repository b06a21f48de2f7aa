export {PulsewireError} from './errors.js';
export type {Channel, ChannelEvents, HistoryPage} from './channel.js';
export type {Client} from './client.js';
export type {CloseName, ErrorCode} from './codes.js';
export type {Message} from './message.js';
export type * from './types.js';
