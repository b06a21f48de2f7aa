import type {ChatTransport, UIMessage, UIMessageChunk} from 'ai';
import {randomName} from '../base/random.js';
import type {Channel} from '../client/channel.js';
import {Reader} from '../stream/reader.js';
import type {StreamReader} from '../stream/types.js';
import type {ChatTransportOptions} from './types.js';

type SendOptions<M extends UIMessage> = Parameters<ChatTransport<M>['sendMessages']>[0];
type ReconnectOptions<M extends UIMessage> = Parameters<ChatTransport<M>['reconnectToStream']>[0] & {abortSignal?: AbortSignal};

const nameCharacters = 12;
/** How long a reply that is to be stopped may take to begin, in milliseconds. */
const beginMsMax = 60_000;

export class ChannelTransport<M extends UIMessage> implements ChatTransport<M> {
    /** A stream of reconnectToStream() has the reply from its beginning. */
    readonly resumeStreamIsReplay = true;
    readonly #options: ChatTransportOptions<M>;
    /** The newest call for each chat. */
    readonly #newest = new WeakMap<Channel<any>, object>();

    constructor(options: ChatTransportOptions<M>) {
        this.#options = options;
    }

    async sendMessages({abortSignal, ...question}: SendOptions<M>): Promise<ReadableStream<UIMessageChunk>> {
        const id = randomName().slice(0, nameCharacters);
        abortSignal?.throwIfAborted();
        const [reader, mine] = this.#open(question.chatId);
        try {
            const parts = this.#partsOf(reader, mine, id, abortSignal);
            await this.#options.send({...question, id});
            return parts;
        } catch (error) {
            reader.close();
            throw error;
        }
    }

    async reconnectToStream({chatId, abortSignal}: ReconnectOptions<M>): Promise<ReadableStream<UIMessageChunk> | null> {
        abortSignal?.throwIfAborted();
        const [reader, mine] = this.#open(chatId);
        try {
            await reader.ready;
            abortSignal?.throwIfAborted();
            const reply = [...reader.getSnapshot()].reverse().find(({state}) => state === 'writing');
            if (reply) return this.#partsOf(reader, mine, reply.id, abortSignal);
        } catch (error) {
            reader.close();
            throw error;
        }
        reader.close();
        return null;
    }

    /** A reader of the chat, and whether the call that has opened it is still the newest one. */
    #open(chatId: string): [StreamReader, () => boolean] {
        const {channel, type, keep, presence} = this.#options;
        const self = channel(chatId).self();
        const call = {};
        this.#newest.set(self, call);
        const reader = new Reader(self, {...(type !== undefined && {type}), ...(keep !== undefined && {keep}), ...(presence !== undefined && {presence})});
        return [reader, () => this.#newest.get(self) === call];
    }

    /** Each line of the reply is a part. */
    #partsOf(reader: StreamReader, mine: () => boolean, id: string, abortSignal: AbortSignal | undefined): ReadableStream<UIMessageChunk> {
        const pieces = reader.read(id);
        const leave = () => {
            abortSignal?.removeEventListener('abort', abort);
            reader.close();
        };
        let controller: ReadableStreamDefaultController<UIMessageChunk>;
        const abort = async () => {
            controller.error(abortSignal!.reason);
            // Whoever resumes a second time aborts the first stream, and has begun the next one now.
            await undefined;
            if (mine()) await stop(reader, id);
            leave();
        };
        let rest = '';
        const stream = new ReadableStream<UIMessageChunk>({
            start: (made) => void (controller = made),
            pull: async () => {
                try {
                    for (let parts = 0; !parts; ) {
                        const piece = await pieces.next();
                        if (abortSignal?.aborted) return;
                        if (piece.done) {
                            controller.close();
                            return leave();
                        }
                        const lines = (rest + piece.value).split('\n');
                        rest = lines.pop()!;
                        for (const line of lines) controller.enqueue(JSON.parse(line));
                        parts = lines.length;
                    }
                } catch (error) {
                    if (abortSignal?.aborted) return;
                    controller.error(error);
                    leave();
                }
            },
            cancel: leave,
        });
        abortSignal?.addEventListener('abort', abort);
        return stream;
    }
}

/** Asks the writer to stop, as soon as there is one. */
async function stop(reader: StreamReader, id: string): Promise<void> {
    let remove: (() => void) | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
        const look = () => void (reader.get(id) && resolve());
        remove = reader.subscribe(look);
        timer = setTimeout(resolve, beginMsMax);
        look();
    });
    remove!();
    clearTimeout(timer);
    // The client tells what it cannot send.
    if (reader.get(id)?.state === 'writing') await reader.stop(id).catch(() => {});
}
