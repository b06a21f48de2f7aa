import type {ChatRequestOptions, UIMessage} from 'ai';
import type {Channel} from '../client/channel.js';

/** What the backend needs to know for a reply. */
export interface ChatQuestion<M extends UIMessage = UIMessage> extends ChatRequestOptions {
    /** The name of the reply that is wanted: the option `id` of stream(). */
    readonly id: string;
    readonly chatId: string;
    readonly trigger: 'submit-message' | 'regenerate-message';
    /** The message that is to be generated anew. */
    readonly messageId: string | undefined;
    readonly messages: M[];
}

/** Options of chatTransport(). */
export interface ChatTransportOptions<M extends UIMessage = UIMessage> {
    /** The channel of a chat. */
    channel: (chatId: string) => Channel<any>;
    /** Brings the question to the backend, for example with fetch(), or as a message of the channel. What it throws ends the call. */
    send: (question: ChatQuestion<M>) => unknown;
    /** As of `StreamOptions`. @default 'stream' */
    type?: string;
    /** As of `StreamsOptions`. @default 100 */
    keep?: number;
    /** As of `StreamOptions`. @default false */
    presence?: boolean;
}
