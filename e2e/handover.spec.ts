// A planned restart behind a proxy: the next connection is up before this one closes (docs/protocol.md 7.3).

import {test, expect} from './support/test.ts';
import {history} from './support/http.ts';
import {chatTexts, openChat, recordStates, say, statesSeen, waitingTexts} from './support/pages.ts';
import {PulsewireServer} from './support/server.ts';
import {recordWire, wireSeen} from './support/wire.ts';

test.use({serverOptions: {env: {PULSEWIRE_DRAIN_HANDOVER: 'true', PULSEWIRE_DRAIN_SPREAD_MS: '500'}}});

for (const transport of ['websocket', 'sse'] as const) {
    test(`the server names the other one itself, over ${transport}`, async ({visit}) => {
        const next = await PulsewireServer.start({env: {PULSEWIRE_ALLOWED_ORIGINS: '*'}});
        const first = await PulsewireServer.start({
            env: {PULSEWIRE_DRAIN_HANDOVER: 'true', PULSEWIRE_DRAIN_SPREAD_MS: '200', PULSEWIRE_DRAIN_URL: next.origin},
        });
        try {
            const page = await visit(`${first.origin}/chat/?name=Ada&transport=${transport}`, {before: recordStates});
            await openChat(page, transport);
            await say(page, 'to the first server');
            // Acknowledged there; what is not, the client repeats at the second server.
            await expect(waitingTexts(page)).toHaveCount(0);
            await expect(chatTexts(page)).toHaveText(['to the first server']);
            const before = (await statesSeen(page)).length;
            expect((await first.terminate().exited).code).toBe(0);
            await say(page, 'to the second server');
            await expect.poll(async () => (await history(next.origin, 'chat:lobby')).messages.map(({payload}) => (payload as {text: string}).text))
                .toEqual(['to the second server']);
            expect((await statesSeen(page)).slice(before), 'the state stays open').toEqual([]);
            // Before its servers go, or it would look for them.
            await page.close();
        } finally {
            for (const server of [first, next]) {
                if (server.running) await server.stop();
                server.discard();
            }
        }
    });

    test(`the page never notices that it changes servers, over ${transport}`, async ({server, network, visit}) => {
        const next = await PulsewireServer.start();
        try {
            const page = await visit(`${network.origin}/chat/?name=Ada&transport=${transport}`, {
                before: async (fresh) => { await recordStates(fresh); await recordWire(fresh); },
            });
            await openChat(page, transport);
            await say(page, 'to the first server');
            await expect(chatTexts(page)).toHaveText(['to the first server']);
            const before = (await statesSeen(page)).length;

            network.pointAt(next.port);
            const {exited} = server.terminate();
            await expect.poll(async () => (await wireSeen(page)).opened.length).toBe(2);
            // It serves until the other does, and then it is left: long before it would close by itself.
            const exit = await exited;
            expect(exit.code).toBe(0);
            expect(exit.afterMs).toBeLessThan(2_400);
            await say(page, 'to the second server');
            await expect.poll(async () => (await history(next.origin, 'chat:lobby')).messages.map(({payload}) => (payload as {text: string}).text))
                .toEqual(['to the second server']);
            // Servers do not share channels in this version: what the second one cannot know, it says so.
            await expect(chatTexts(page)).toHaveText(['to the first server', 'to the second server']);
            expect((await statesSeen(page)).slice(before), 'the state stays open').toEqual([]);
            // Before its servers go, or it would look for them.
            await page.close();
        } finally {
            await next.stop();
            next.discard();
        }
    });
}
