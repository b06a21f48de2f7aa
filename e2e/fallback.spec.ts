// Where no WebSocket gets through, `auto` falls back to SSE, and everything still works (docs/protocol.md 2.2, 8).

import {test, expect, type Page} from './support/test.ts';
import {chatTexts, composer, expectOpen, openChat, say} from './support/pages.ts';
import {recordWire, wireSeen} from './support/wire.ts';
import type {HandshakeFault} from './support/fault_proxy.ts';

const faults: [HandshakeFault, string][] = [
    ['forbidden', 'refused by 403'], ['bad_request', 'refused by 400'], ['stripped', 'stripped of Upgrade'],
    ['unanswered', 'never answered'],
];

async function prepare(page: Page): Promise<void> {
    await page.clock.install();
    await recordWire(page);
}

for (const [fault, words] of faults) {
    test(`handshakes ${words}: a chat over SSE, both ways`, async ({server, network, visit}) => {
        network.hinderWebSockets(fault);
        const ada = await visit(`${network.origin}/chat/?name=Ada`, {network: 'faulty', before: prepare});
        const bob = await visit(`${server.origin}/chat/?name=Bob`);
        // Nobody answers: the page gives up after ten seconds of its clock.
        await expect.poll(() => network.handshakes.hindered).toBeGreaterThan(0);
        if (fault === 'unanswered') await ada.clock.fastForward(10_000);
        await openChat(ada, 'sse');
        await openChat(bob, 'websocket');
        expect((await wireSeen(ada)).opened[0], 'a WebSocket is tried first').toBe('websocket');
        await say(ada, 'through the needle’s eye');
        await say(bob, 'and back');
        for (const page of [ada, bob]) await expect(chatTexts(page)).toHaveCount(2);
        await expect(ada.getByTestId('members').locator('.member__name')).toHaveText(['Ada', 'Bob']);
        await composer(bob).pressSequentially('hm');
        await expect(ada.getByTestId('typing')).toHaveText('Bob is typing…');
    });
}

test('requests are answered over the fallback too (4.12)', async ({network, visit}) => {
    network.hinderWebSockets('forbidden');
    const page = await visit(`${network.origin}/notifications/`, {network: 'faulty'});
    await expectOpen(page, 'sse');
    await page.getByRole('button', {name: 'Start the job'}).click();
    await expect(page.getByTestId('jobs').getByRole('listitem')).toHaveAttribute('data-state', 'running');
    await page.getByRole('button', {name: 'Cancel: Rebuild the search index'}).click();
    await expect(page.getByTestId('jobs').getByRole('listitem')).toHaveAttribute('data-state', 'canceled');
});

test('a network that begins to refuse WebSockets: the page goes on over SSE and misses nothing', async ({server, network, visit}) => {
    const ada = await visit(`${network.origin}/chat/?name=Ada`, {network: 'faulty', before: recordWire});
    const bob = await visit(`${server.origin}/chat/?name=Bob`);
    await openChat(ada, 'websocket');
    await openChat(bob);
    await say(bob, 'one');
    await expect(chatTexts(ada)).toHaveText(['one']);
    network.hinderWebSockets('forbidden');
    network.reset();
    await say(bob, 'two');
    await openChat(ada, 'sse');
    await say(bob, 'three');
    await expect(chatTexts(ada)).toHaveText(['one', 'two', 'three']);
    expect((await wireSeen(ada)).frames.filter(({op}) => op === 'subscribed').at(-1)).toMatchObject({recovered: true});
});
