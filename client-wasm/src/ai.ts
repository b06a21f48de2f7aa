import type {ChatTransport, UIMessage, UIMessageChunk} from 'ai';
import {ChannelTransport} from './ai/transport.js';
import type {ChatTransportOptions} from './ai/types.js';
import {callable, check, checkOptions, flag, positive, type Rules} from './base/check.js';
import {checkType} from './base/names.js';
import type {StreamWriter} from './stream/types.js';

export type {ChatQuestion, ChatTransportOptions} from './ai/types.js';

const rules: Rules<ChatTransportOptions<any>> = {channel: callable, send: callable, type: /^String/, keep: positive, presence: flag};

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
