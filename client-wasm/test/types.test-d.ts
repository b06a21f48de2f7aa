// The promises of the types, checked by tsc alone: each line with @ts-expect-error must be an error, all others none.

import {connect as connectWasm, init} from '../src/wasm.js';
import {connect, PulsewireError, type AnyMessage, type Channel, type Client, type ConnectionState, type Message, type Position} from '../src/index.js';
import {list, open} from '../src/list.js';
import type {WorkerCommand} from '../src/worker/messages.js';
import NodeWebSocket from 'ws';
import {is, type ChatMessages, type Equal} from './type_claims.js';

interface Requests {
    'sum.add': {request: {a: number; b: number}; response: {sum: number}};
}

export async function channels(client: Client) {
    const chat = client.channel<ChatMessages>('chat:lobby', {latest: 10, presence: {name: 'Ada'}});
    is<Equal<typeof chat, Channel<ChatMessages>>>();
    chat.on('chat.message', (payload, message) => {
        is<Equal<typeof payload, {user: string; text: string}>>();
        is<Equal<typeof message, Message<{user: string; text: string}>>>();
        // @ts-expect-error a message cannot be changed
        message.type = 'x';
    });
    // @ts-expect-error no such type
    chat.on('chat.mesage', () => {});
    // @ts-expect-error no such member
    chat.on('chat.typing', ({text}) => text);
    chat.on('*', (payload) => is<Equal<typeof payload, ChatMessages[keyof ChatMessages]>>());
    const position = await chat.publish('chat.message', {user: 'Ada', text: 'hi'}, {echo: false, timeoutMs: 5, signal: AbortSignal.timeout(1)});
    is<Equal<typeof position, Position | undefined>>();
    // @ts-expect-error a member is missing
    void chat.publish('chat.message', {user: 'Ada'});
    // @ts-expect-error no such type
    void chat.publish('chat', {});
    for await (const {payload} of chat) is<Equal<typeof payload, ChatMessages[keyof ChatMessages]>>();
    for await (const {type} of chat.messages({capacity: 5})) is<Equal<typeof type, keyof ChatMessages>>();
    const {messages, more} = await chat.history({before: 5, limit: 2});
    is<Equal<typeof more, boolean>>();
    is<Equal<(typeof messages)[number]['payload'], ChatMessages[keyof ChatMessages]>>();

    const remove = chat.watch('subscribed', ({recovered, reason}) => {
        is<Equal<typeof recovered, boolean | undefined>>();
        is<Equal<typeof reason, 'expired' | 'epoch_changed' | 'limit' | 'forbidden' | 'compacted' | undefined>>();
    });
    is<Equal<typeof remove, () => void>>();
    chat.watch('gap', ({from, to}) => from + to);
    chat.watch('presence', ({members, joined}) => [members.length, joined?.session]);
    chat.watch('refused', (error) => is<Equal<typeof error, PulsewireError>>());
    // @ts-expect-error no such event
    chat.watch('nothing', () => {});

    // The type of a message says which payload it has.
    chat.on('*', (_, message) => {
        is<Equal<typeof message, AnyMessage<ChatMessages>>>();
        if (message.type === 'chat.message') is<Equal<typeof message.payload, {user: string; text: string}>>();
        else is<Equal<typeof message.type, 'chat.typing'>>();
    });
    for (const message of messages) if (message.type === 'chat.message') is<Equal<typeof message.payload.text, string>>();
    for await (const message of chat.messages()) if (message.type === 'chat.typing') is<Equal<typeof message.payload, {user: string}>>();
    chat.watch('message', (message) => {
        if (message.type === 'chat.message') is<Equal<typeof message.payload.text, string>>();
        // @ts-expect-error not every message has it
        return message.payload.text;
    });
    const {getSnapshot} = list(chat, {latest: 20});
    for (const message of getSnapshot()) if (message.type === 'chat.message') is<Equal<typeof message.payload.text, string>>();
    const handle = open(chat, {latest: 5});
    handle.on('chat.message', ({text}) => is<Equal<typeof text, string>>());
    handle.watch('message', ({type}) => is<Equal<typeof type, keyof ChatMessages>>());
    // @ts-expect-error no such type
    handle.on('chat.mesage', () => {});

    const untyped = client.channel('chat:lobby');
    for await (const {type, payload} of untyped) is<Equal<[typeof type, typeof payload], [string, unknown]>>();
    untyped.on('whatever', (payload) => is<Equal<typeof payload, unknown>>());
    void untyped.publish('whatever', 5);
    // @ts-expect-error a state is read only
    untyped.state = 'idle';
}

export async function requests() {
    const untyped = connect();
    is<Equal<Awaited<ReturnType<typeof untyped.request>>, unknown>>();
    const sum = await untyped.request<{sum: number}>('sum.add', {a: 1, b: 2}, {timeoutMs: 100});
    is<Equal<typeof sum, {sum: number}>>();
    const nothing = await untyped.request('x');
    is<Equal<typeof nothing, unknown>>();

    const typed = connect<Requests>(new URL('https://a.test'));
    const answer = await typed.request('sum.add', {a: 1, b: 2});
    is<Equal<typeof answer, {sum: number}>>();
    // @ts-expect-error a member is missing
    void typed.request('sum.add', {a: 1});
    // @ts-expect-error no such request
    void typed.request('sum.sub', {a: 1, b: 2});
}

export function states(client: Client) {
    client.on('state', (state) => is<Equal<typeof state, ConnectionState>>());
    client.on('waiting', ({retryInMs, reason}) => [retryInMs + 1, reason.code, reason.name === 'service_restart']);
    client.on('closed', ({reason}) => reason.name === 'wasm_blocked');
    // @ts-expect-error only while waiting
    client.on('open', ({retryInMs}) => retryInMs);
    // @ts-expect-error no such state
    client.on('opened', () => {});
    if (client.state.name === 'open') is<Equal<typeof client.state.transport, 'websocket' | 'sse'>>();
}

export function options() {
    connect('http://a.test', {WebSocket: NodeWebSocket});
    connect('http://a.test', {WebSocket: globalThis.WebSocket, EventSource: globalThis.EventSource, fetch: globalThis.fetch});
    connect('http://a.test', {transport: 'sse', onError: (error, context) => console.error(context, error)});
    // @ts-expect-error no such transport
    connect('http://a.test', {transport: 'carrier pigeon'});
    // @ts-expect-error no such option
    connect('http://a.test', {retries: 3});
    const error = new PulsewireError('forbidden', 'no');
    if (error.code === 'too_large') return error.pointer;
    // @ts-expect-error no such code
    return error.code === 'forbiden';
}

export async function wasm() {
    await init();
    await init(new URL('https://a.test/pulsewire.wasm'));
    await init(new Uint8Array());
    await init(fetch('/pulsewire.wasm'));
    await init(await WebAssembly.compile(new Uint8Array()));
    connectWasm('http://a.test').close();
}

export const commands: WorkerCommand[] = [
    {op: 'connect', options: {transport: 'sse'}},
    {op: 'publish', id: 1, channel: 'a', type: 't', payload: 1},
    // @ts-expect-error a function cannot be posted
    {op: 'connect', options: {onError: () => {}}},
];
