// The network fails and the server does not: what was published meanwhile is recovered by position, once and in order
// (docs/protocol.md 4.4, 4.9, 5.3, 9.2).

import {test, expect, type Page} from './support/test.ts';
import {history, publish} from './support/http.ts';
import {chatTexts, composer, hurry, openChat, status, waitingTexts} from './support/pages.ts';
import {soon} from './support/soon.ts';
import {offsetsSeen, recordWire, wireSeen} from './support/wire.ts';

const lost = (page: Page) => expect(status(page)).toHaveAttribute('data-state', /^(waiting|connecting)$/);

for (const transport of ['websocket', 'sse'] as const) {
    test(`cut three times while others write, over ${transport}: nothing is lost, nothing comes twice`, async ({server, network, visit}) => {
        const page = await visit(`${network.origin}/chat/?name=Ada&transport=${transport}`, {network: 'faulty', before: recordWire});
        await openChat(page, transport);
        const said: string[] = [];
        const write = async (count: number) => {
            for (let n = 0; n < count; n += 1) {
                said.push(`message ${said.length + 1}`);
                await publish(server.origin, 'chat:lobby', {user: 'Bob', text: said.at(-1)}, {type: 'chat.message'});
            }
        };
        await write(5);
        for (let round = 1; round <= 3; round += 1) {
            network.cut();
            await write(10);
            await lost(page);
            await write(10);
            network.heal();
            // Published while it comes back: replayed or live, but once.
            await write(10);
            await openChat(page, transport);
            await write(5);
        }
        await expect(chatTexts(page)).toHaveText(said);
        const {frames} = await wireSeen(page);
        const recoveries = frames.filter(({op}) => op === 'subscribed').map(({recovered}) => recovered);
        expect(recoveries.length).toBeGreaterThanOrEqual(4);
        expect(recoveries).toEqual([undefined, ...Array(recoveries.length - 1).fill(true)]);
        expect(await offsetsSeen(page, 'chat:lobby'), 'what the wire brought').toEqual(said.map((_, index) => index + 1));
        await expect(page.locator('.day--note')).toHaveCount(0);
    });

    test(`an acknowledgement lost on its way, over ${transport}: the message is repeated and has one effect (4.9)`, async ({server, network, visit}) => {
        const page = await visit(`${network.origin}/chat/?name=Ada&transport=${transport}`, {network: 'faulty', before: recordWire});
        const bob = await visit(`${server.origin}/chat/?name=Bob`);
        await openChat(page, transport);
        await openChat(bob);
        for (let n = 1; n <= 2; n += 1) {
            // The typing hint first: over SSE the message would wait until that is answered.
            const hint = transport === 'sse' ? page.waitForResponse((response) => response.request().method() === 'POST') : undefined;
            await composer(page).fill(`said ${n}`);
            await hint;
            await expect(bob.getByTestId('typing')).toHaveText('Ada is typing…');
            // The message arrives, and while the answer is on its way the way is gone.
            network.blackhole('from_server');
            await composer(page).press('Enter');
            await expect(chatTexts(bob)).toHaveCount(n);
            network.cut();
            await lost(page);
            await expect(waitingTexts(page)).toHaveText([`said ${n}`]);
            network.heal();
            await openChat(page, transport);
            await expect(waitingTexts(page)).toHaveCount(0);
        }
        for (const person of [page, bob]) await expect(chatTexts(person)).toHaveText(['said 1', 'said 2']);
        expect((await history(server.origin, 'chat:lobby')).messages).toHaveLength(2);
    });

    test(`cut in the middle of messages, over ${transport}: every publication still comes once`, async ({server, network, visit}) => {
        const page = await visit(`${network.origin}/chat/?name=Ada&transport=${transport}`, {network: 'faulty', before: recordWire});
        await openChat(page, transport);
        const said: string[] = [];
        // Each connection ends somewhere within what it replays: first a part gets through, then more, then all.
        for (const bytes of [700, 1500, 4000, 9000]) {
            network.cut();
            await lost(page);
            for (let n = 0; n < 12; n += 1) {
                said.push(`${said.length + 1}: ${'✓'.repeat(100)}`);
                await publish(server.origin, 'chat:lobby', {user: 'Bob', text: said.at(-1)}, {type: 'chat.message'});
            }
            network.heal();
            network.slice(300);
            const closed = network.closeAfter(bytes);
            await hurry(page);
            await soon(closed, `connection that ends after ${bytes} bytes`, 30_000);
        }
        // An attempt that is on its way now would end like the others.
        network.cut();
        await lost(page);
        network.heal();
        await hurry(page);
        await openChat(page, transport);
        await expect(chatTexts(page)).toHaveText(said);
        await expect(page.locator('.day--note')).toHaveCount(0);
    });
}

test.describe('a network that swallows everything', () => {
    test.use({serverOptions: {env: {PULSEWIRE_PING_MS: '1000', PULSEWIRE_PONG_MS: '1000'}}});

    for (const transport of ['websocket', 'sse'] as const) {
        test(`half-open, over ${transport}: noticed by silence, recovered (4.15)`, async ({server, network, visit}) => {
            const page = await visit(`${network.origin}/chat/?name=Ada&transport=${transport}`, {network: 'faulty'});
            await openChat(page, transport);
            network.blackhole();
            await publish(server.origin, 'chat:lobby', {user: 'Bob', text: 'into the dark'}, {type: 'chat.message'});
            await lost(page);
            network.cut();
            network.heal();
            await openChat(page, transport);
            await expect(chatTexts(page)).toHaveText(['into the dark']);
        });
    }
});
