// The entry pulsewire/ai, with the real AI SDK and a scripted model on a real hub.

import assert from 'node:assert/strict';
import {test} from 'node:test';
import {AbstractChat, convertToModelMessages, simulateReadableStream, streamText, type ChatState, type UIMessage} from 'ai';
import {MockLanguageModelV3} from 'ai/test';
import type {TestServer} from '../src/test.js';
import {chatTransport, writeChat, type ChatQuestion, type ChatTransportOptions} from '../src/ai.js';
import {stream, streams} from '../src/stream.js';
import {clientOf, outcomeOf, stateServer} from './state_server.js';

const usage = {inputTokens: {total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0}, outputTokens: {total: 1, text: 1, reasoning: 0}};

/** A model that says these words, each after `chunkDelayInMs`. */
function modelOf(words: readonly string[], chunkDelayInMs = 100, failing?: Error) {
    return new MockLanguageModelV3({
        doStream: async ({abortSignal}) => {
            const chunks: any[] = [
                {type: 'stream-start', warnings: []}, {type: 'text-start', id: '0'}, ...words.map((delta) => ({type: 'text-delta', id: '0', delta})),
                ...(failing ? [{type: 'error', error: failing}] : [{type: 'text-end', id: '0'}, {type: 'finish', finishReason: {unified: 'stop', raw: 'stop'}, usage}]),
            ];
            const source = simulateReadableStream({chunks, chunkDelayInMs});
            const cut = new TransformStream({start: (made) => abortSignal?.addEventListener('abort', () => made.error(abortSignal.reason))});
            void source.pipeTo(cut.writable).catch(() => {});
            return {stream: cut.readable};
        },
    });
}

class Chat extends AbstractChat<UIMessage> {
    constructor(id: string, transport: ReturnType<typeof chatTransport>) {
        const state: ChatState<UIMessage> = {
            status: 'ready', error: undefined, messages: [],
            pushMessage: (message) => void (state.messages = [...state.messages, message]),
            popMessage: () => void (state.messages = state.messages.slice(0, -1)),
            replaceMessage: (at, message) => void (state.messages = state.messages.map((one, i) => (i === at ? structuredClone(message) : one))),
            snapshot: (thing) => structuredClone(thing),
        };
        super({id, transport, state});
    }

    get answer(): string {
        const message = this.messages.at(-1);
        return message?.role === 'assistant' ? message.parts.map((part) => (part.type === 'text' ? part.text : '')).join('') : '';
    }
}

/** A backend that answers with the model, and what became of its answers. */
function backendOn(server: TestServer, model: MockLanguageModelV3) {
    const {client, errors} = clientOf(server);
    const questions: ChatQuestion[] = [];
    const ends: Promise<unknown>[] = [];
    const answer = async (question: ChatQuestion) => {
        questions.push(question);
        const reply = stream(client.channel(`board:${question.chatId}`), {id: question.id});
        const result = streamText({model, messages: await convertToModelMessages(question.messages), abortSignal: reply.stopped, onError: () => {}});
        const end = writeChat(reply, result.toUIMessageStream());
        end.catch(() => {});
        ends.push(end);
    };
    return {client, errors, questions, ends, answer};
}

function chatOn(server: TestServer, send: ChatTransportOptions['send']) {
    const {client, errors} = clientOf(server);
    return {client, errors, chat: new Chat('1', chatTransport({channel: (id) => client.channel(`board:${id}`), send}))};
}

const words = Array.from({length: 30}, (_, n) => `word${n} `);
const whole = words.join('');

test('a question is answered part by part', async () => {
    const server = await stateServer();
    const backend = backendOn(server, modelOf(words));
    const {chat, errors} = chatOn(server, backend.answer);
    const sent = chat.sendMessage({text: 'Tell me'}, {body: {tone: 'kind'}});
    await server.advance(1500);
    assert.equal(chat.status, 'streaming');
    assert.ok(whole.startsWith(chat.answer) && chat.answer.length > 20 && chat.answer !== whole, chat.answer);
    await server.advance(3000);
    await sent;
    assert.deepEqual([chat.status, chat.answer, errors, backend.errors], ['ready', whole, [], []]);
    const [{id, body, trigger, chatId, messages}] = backend.questions as [ChatQuestion];
    assert.deepEqual([body, trigger, chatId, messages.length], [{tone: 'kind'}, 'submit-message', '1', 1]);
    const replies = streams(backend.client.channel('board:1'));
    await server.settled();
    assert.equal(replies.get(id)!.state, 'complete');
});

test('another tab goes on with the reply that is being written; a reload and a cut change nothing', async () => {
    const server = await stateServer();
    const backend = backendOn(server, modelOf(words));
    const first = chatOn(server, backend.answer);
    void first.chat.sendMessage({text: 'Tell me'});
    await server.advance(1000);
    // The page is reloaded.
    first.client.close();
    const second = chatOn(server, backend.answer);
    second.chat.messages = first.chat.messages.slice(0, 1);
    const resumed = second.chat.resumeStream();
    await server.advance(500);
    const early = second.chat.answer;
    assert.ok(early.length > 20 && whole.startsWith(early), early);
    server.cut(second.client);
    server.cut(backend.client);
    await server.advance(10_000);
    await resumed;
    assert.deepEqual([second.chat.answer, second.chat.messages.length, second.chat.status], [whole, 2, 'ready']);
    const nothing = second.chat.resumeStream();
    await server.settled();
    assert.deepEqual([await outcomeOf(nothing), second.chat.status], [undefined, 'ready']);
});

test('stop() stops the model: where the question was asked, and after resumeStream()', async () => {
    for (const stopper of [0, 1] as const) {
        const server = await stateServer();
        const backend = backendOn(server, modelOf(words));
        const chats = [chatOn(server, backend.answer), chatOn(server, backend.answer)] as const;
        const sent = chats[0].chat.sendMessage({text: 'Tell me'});
        await server.advance(1000);
        const resumed = chats[1].chat.resumeStream();
        await server.advance(500);
        const stopped = chats[stopper].chat.stop();
        await server.advance(1000);
        await Promise.all([sent, resumed, stopped, ...backend.ends]);
        for (const {chat, errors} of chats) {
            assert.ok(chat.answer.length > 20 && chat.answer.length < whole.length && whole.startsWith(chat.answer), chat.answer);
            assert.deepEqual([chat.status, errors], ['ready', []]);
        }
        const replies = streams(backend.client.channel('board:1'));
        await server.settled();
        assert.deepEqual(replies.getSnapshot().map(({state}) => state), ['cancelled']);
        server.close();
    }
});

test('stop() before the reply has begun stops it when it begins', async () => {
    const server = await stateServer();
    const backend = backendOn(server, modelOf(words));
    const {chat} = chatOn(server, async (question) => {
        await new Promise((resolve) => setTimeout(resolve, 2000));
        await backend.answer(question as ChatQuestion);
    });
    const sent = chat.sendMessage({text: 'Tell me'});
    await server.advance(100);
    void chat.stop();
    await server.advance(5000);
    await sent;
    await Promise.all(backend.ends);
    const replies = streams(backend.client.channel('board:1'));
    await server.settled();
    assert.deepEqual([chat.status, replies.getSnapshot().map(({state}) => state)], ['ready', ['cancelled']]);
});

test('who resumes twice, as components do that are mounted twice, does not stop the writer', async () => {
    const server = await stateServer();
    const backend = backendOn(server, modelOf(words));
    void chatOn(server, backend.answer).chat.sendMessage({text: 'Tell me'});
    await server.advance(500);
    const {chat} = chatOn(server, backend.answer);
    void chat.resumeStream();
    await server.advance(300);
    void chat.resumeStream();
    await server.advance(10_000);
    await Promise.all(backend.ends);
    assert.deepEqual([chat.answer, chat.status], [whole, 'ready']);
});

test('failures: of the backend’s door, of the model, and of its stream', async () => {
    const server = await stateServer();
    const refused = chatOn(server, () => {
        throw new Error('no such door');
    });
    void refused.chat.sendMessage({text: 'Tell me'});
    await server.advance(100);
    assert.deepEqual([refused.chat.status, refused.chat.error?.message], ['error', 'no such door']);
    const failing = backendOn(server, modelOf(['a', 'b'], 10, new Error('secret of the model')));
    const second = chatOn(server, failing.answer);
    void second.chat.sendMessage({text: 'Tell me'});
    await server.advance(1000);
    assert.deepEqual([second.chat.status, second.chat.error?.message.includes('secret')], ['error', false]);
    const {client} = clientOf(server);
    const third = chatOn(server, ({id}) => {
        const parts = new ReadableStream({start: (made) => (made.enqueue({type: 'start'}), made.error(new Error('secret of the stream')))});
        void assert.rejects(writeChat(stream(client.channel('board:1'), {id}), parts as never), /secret/);
    });
    void third.chat.sendMessage({text: 'Tell me'});
    await server.advance(1000);
    assert.deepEqual([third.chat.status, (third.chat.error as {code?: string} | undefined)?.code], ['error', 'rejected']);
    assert.throws(() => chatTransport({channel: () => client.channel('x')} as never), {code: 'invalid_argument', message: /send/});
});
