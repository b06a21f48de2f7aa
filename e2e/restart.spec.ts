// SIGTERM: everybody is told to come back, the server ends in time and with 0, and everybody comes back (docs/protocol.md 7.1,
// 8.4.6; design promise P9).

import {test, expect, type Page} from './support/test.ts';
import {EventStream} from './support/event_stream.ts';
import {chatTexts, openChat, recordStates, say, statesSeen, status, waitingTexts} from './support/pages.ts';
import {RawConnection, RawSocket} from './support/raw_socket.ts';
import {recordWire, wireSeen} from './support/wire.ts';

const shutdownTimeoutMs = 10_000;

async function prepare(page: Page): Promise<void> {
    await recordStates(page);
    await recordWire(page);
}

test('clients of every kind are told that the server restarts; it ends with 0 within its deadline', async ({server}) => {
    const connections = await Promise.all(Array.from({length: 20}, () => RawConnection.connect(server.origin)));
    const plain = await RawSocket.open(`${server.origin.replace('http', 'ws')}/ws/plain/test:plain`);
    const events = await EventStream.open(`${server.origin}/events?channel=test:a`);
    await events.next('pulsewire.open');
    const {exited} = server.terminate();
    const moments = new Set<number>();
    for (const connection of connections) {
        const close = await connection.frames.next('close', ({op}) => op === 'close');
        expect(close).toMatchObject({code: 1012, reconnect: true, message: expect.stringMatching(/restart/)});
        moments.add(close.after_ms as number);
        expect((await connection.closed).code).toBe(1012);
    }
    expect((await plain.closed).code).toBe(1012);
    expect(JSON.parse((await events.next('pulsewire.close')).data)).toBeTruthy();
    await events.ended;
    // Each its own moment, so that they do not all come at once.
    for (const moment of moments) expect(moment).toBeLessThanOrEqual(5_000);
    expect(moments.size).toBeGreaterThan(10);
    const exit = await exited;
    expect(exit, server.log).toMatchObject({code: 0, signal: null});
    expect(exit.afterMs).toBeLessThan(shutdownTimeoutMs);
});

for (const transport of ['websocket', 'sse'] as const) {
    test(`a page over ${transport} says why it waits, comes back to the restarted server and sends what was written meanwhile`, async ({server, visit}) => {
        const ada = await visit(`${server.origin}/chat/?name=Ada&transport=${transport}`, {network: 'faulty', before: prepare});
        await openChat(ada, transport);
        const exit = await server.stop();
        expect(exit, server.log).toMatchObject({code: 0, signal: null});
        expect(exit.afterMs).toBeLessThan(shutdownTimeoutMs);
        await expect(status(ada)).toHaveAttribute('data-state', 'waiting');
        expect((await wireSeen(ada)).frames.find(({op}) => op === 'close')).toMatchObject({code: 1012, reconnect: true});
        const waits = (await statesSeen(ada)).filter(({state}) => state === 'waiting');
        expect(waits[0]!.reason).toMatch(/restart/i);
        await say(ada, 'written between two servers');
        await expect(waitingTexts(ada)).toHaveCount(1);
        await server.restart();
        await openChat(ada, transport);
        await expect(chatTexts(ada)).toHaveText(['written between two servers']);
        await expect(waitingTexts(ada)).toHaveCount(0);
    });
}

test('a client that does not leave does not hold the end up', async ({server, network, visit}) => {
    const page = await visit(`${network.origin}/chat/`, {network: 'faulty'});
    await openChat(page);
    const streams = await Promise.all(Array.from({length: 3}, () => EventStream.open(`${network.origin}/events?channel=ticker:prices`)));
    network.blackhole();
    const exit = await server.stop();
    expect(exit, server.log).toMatchObject({code: 0, signal: null});
    expect(exit.afterMs).toBeLessThan(shutdownTimeoutMs + 1_000);
    for (const stream of streams) stream.close();
});

