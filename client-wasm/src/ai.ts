import type {ChatRequestOptions, ChatTransport, UIMessage, UIMessageChunk} from 'ai';
import {callable, check, checkOptions, flag, type Rules} from './base/check.js';
import {checkType} from './base/names.js';
import type {Channel} from './client/channel.js';
import {ChannelTransport} from './ai/transport.js';
import type {StreamWriter} from './stream/types.js';

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
    /** As of `StreamOptions`. @default false */
    presence?: boolean;
}

const rules: Rules<ChatTransportOptions<any>> = {channel: callable, send: callable, type: /^String/, presence: flag};

/**
 * The transport of `useChat()` and `Chat` of the AI SDK over replies that grow: a reload, another tab and another device go on
 * with the reply that is being written, and `stop()` reaches its writer from each of them, also after `resumeStream()`.
 */
export function chatTransport<M extends UIMessage = UIMessage>(options: ChatTransportOptions<M>): ChatTransport<M> {
    checkOptions(options, rules);
    for (const option of ['channel', 'send'] as const) check(option, options[option], callable);
    checkType(`${options.type ?? 'stream'}.state`);
    return new ChannelTransport(options);
}

/**
 * Writes the parts of a UI message stream, as `toUIMessageStream()` gives them, and ends the reply. Resolves when the server has
 * all of it. What the stream throws ends the reply as failed, without telling readers why, and rejects.
 */
export async function writeChat(reply: StreamWriter, parts: ReadableStream<UIMessageChunk>): Promise<void> {
    const reader = parts.getReader();
    try {
        for (let part; !(part = await reader.read()).done; ) await reply.write(`${JSON.stringify(part.value)}\n`);
    } catch (error) {
        await Promise.allSettled([reader.cancel(error), reply.fail()]);
        throw error;
    }
    await reply.end();
}
