import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest';
import {testServer} from 'pulsewire/test';
import {openChat} from './chat.js';

let server, chat;
afterEach(() => {
    chat?.close();
    server?.close();
    vi.useRealTimers();
    vi.unstubAllGlobals();
});

const means = ({WebSocket, EventSource, fetch}) => ({WebSocket, EventSource, fetch});

describe('with the fake timers of Vitest', () => {
    beforeEach(async () => {
        vi.useFakeTimers();
        server = await testServer({types: {'chat.message': {type: 'object', properties: {text: {type: 'string', maxLength: 20}}}}});
        chat = openChat('https://rt.example.com', means(server));
        await server.settled();
    });

    test('messages arrive', async () => {
        expect(chat.online).toBe(true);
        server.publish('chat:lobby', 'chat.message', {text: 'hi'});
        await server.settled();
        expect(chat.messages).toEqual(['hi']);
    });

    test('after a minute without a network nothing is missing', async () => {
        server.offline();
        const sent = chat.send('from the tunnel');
        server.publish('chat:lobby', 'chat.message', {text: 'where are you?'});
        await vi.advanceTimersByTimeAsync(60_000);
        expect(chat.online).toBe(false);
        server.online();
        await server.advance(30_000);
        await sent;
        expect(chat.messages).toEqual(['where are you?', 'from the tunnel']);
    });

    test('a log that was lost is a gap, and what is too long is refused', async () => {
        server.publish('chat:lobby', 'chat.message', {text: 'hi'});
        server.restart({keepLog: false});
        await server.advance(1000);
        expect(chat.gaps).toBe(1);
        await expect(chat.send('x'.repeat(21))).rejects.toMatchObject({code: 'invalid_payload', pointer: '/text'});
    });
});

test('in virtual time of its own', async () => {
    server = await testServer({virtualTime: true});
    chat = openChat('https://rt.example.com', means(server));
    await server.settled();
    const began = Date.now();
    for (let n = 0; n < 100; n++) {
        server.cut();
        server.publish('chat:lobby', 'chat.message', {text: `${n}`});
        await server.advance(30_000);
    }
    expect(chat.messages).toHaveLength(100);
    expect(Date.now() - began).toBe(3_000_000);
});

test('in real time, with the globals replaced', async () => {
    server = await testServer();
    for (const [name, value] of Object.entries(means(server))) vi.stubGlobal(name, value);
    chat = openChat('https://rt.example.com');
    await chat.send('hi');
    await vi.waitFor(() => expect(chat.messages).toEqual(['hi']));
    expect(server.channel('chat:lobby').head).toBe(1);
});
