// The "break the connection" panel: a visitor cuts, stalls or unplugs the page's own connection, and what the panel then says
// is what happened (docs/protocol.md 4.4, 5.3, 9.1).

import {test, expect, type Page} from './support/test.ts';
import {publish} from './support/http.ts';
import {chatTexts, expectOpen, openChat} from './support/pages.ts';
import {recordWire, wireSeen} from './support/wire.ts';

const panel = (page: Page) => page.getByTestId('break-it');
const state = (page: Page) => panel(page).getByTestId('break-it-state');
const outcome = (page: Page) => panel(page).getByTestId('break-it-outcome');
const lines = (page: Page) => panel(page).getByTestId('break-it-log').locator('li span');
const button = (page: Page, name: string) => panel(page).getByRole('button', {name});
const write = (origin: string, text: string) =>
    publish(origin, 'chat:lobby', {user: 'Bob', text}, {type: 'chat.message'});

for (const transport of ['websocket', 'sse'] as const) {
    test(`Chat, cut over ${transport}: it comes back at once and says how`, async ({server, visit}) => {
        const page = await visit(`${server.origin}/chat/?name=Ada&transport=${transport}`, {network: 'faulty', before: recordWire});
        await openChat(page, transport);
        await expect(state(page)).toHaveText(`Open over ${transport === 'sse' ? 'SSE' : 'WebSocket'}`);
        await button(page, 'Cut the connection').click();
        await expect(outcome(page)).toHaveText('Recovered: nothing was sent meanwhile.');
        await expect(lines(page).first()).toHaveText('You cut the connection.');
        await expect(lines(page).nth(1)).toHaveText(/^The connection ended: abnormal \(1006\)\. Next attempt in \d\.\d s\.$/);
        await expect(state(page)).toHaveAttribute('data-state', 'open');
        expect((await wireSeen(page)).opened).toEqual([transport, transport]);
    });

    test(`Chat, offline over ${transport}: what was sent meanwhile is recovered and counted`, async ({server, visit}) => {
        const page = await visit(`${server.origin}/chat/?name=Ada&transport=${transport}`, {network: 'faulty'});
        await openChat(page, transport);
        await write(server.origin, 'before');
        await expect(chatTexts(page)).toHaveText(['before']);
        await button(page, 'Go offline for 10 s').click();
        await expect(state(page)).toHaveText(/^Lost: abnormal \(1006\)\. Next attempt in \d+\.\d s$/);
        for (const text of ['one', 'two', 'three']) await write(server.origin, text);
        await expect(button(page, 'Cut the connection')).toHaveAttribute('aria-disabled', 'true');
        await expect(chatTexts(page)).toHaveText(['before']);
        await expect(outcome(page)).toHaveText('Recovered 3 messages, none missed.', {timeout: 30_000});
        await expect(chatTexts(page)).toHaveText(['before', 'one', 'two', 'three']);
        await expect(button(page, 'Cut the connection')).toHaveAttribute('aria-disabled', 'false');
        await write(server.origin, 'after');
        await expect(chatTexts(page)).toHaveText(['before', 'one', 'two', 'three', 'after']);
        await expect(outcome(page)).toHaveAttribute('data-recovered', '3');
    });

    test(`Chat, stalled over ${transport}: nothing passes, and then everything`, async ({server, visit}) => {
        const page = await visit(`${server.origin}/chat/?name=Ada&transport=${transport}`, {network: 'faulty', before: recordWire});
        await openChat(page, transport);
        await button(page, 'Stall for 10 s').click();
        for (const text of ['one', 'two']) await write(server.origin, text);
        await expect.poll(async () => (await wireSeen(page)).frames.filter(({type}) => type === 'chat.message').length).toBe(2);
        await expect(chatTexts(page)).toHaveCount(0);
        await expect(state(page)).toHaveAttribute('data-state', 'open');
        await expect(outcome(page)).toHaveText('The stall is over: 2 messages had waited.', {timeout: 30_000});
        await expect(chatTexts(page)).toHaveText(['one', 'two']);
    });
}

test('Ticker, offline: prices are recovered, none is missed; then over the other transport', async ({server, visit}) => {
    const page = await visit(`${server.origin}/ticker/`, {network: 'faulty'});
    await expectOpen(page, 'sse');
    await expect(page.getByTestId('latency-median')).toHaveText(/ms/);
    await button(page, 'Go offline for 10 s').click();
    await expect(outcome(page)).toHaveText(/^Recovered \d{2,3} messages, none missed\.$/, {timeout: 30_000});
    await expect(page.getByTestId('missed')).toHaveText('0');
    await page.getByRole('radio', {name: 'WebSocket'}).check({force: true});
    await expectOpen(page, 'websocket');
    await expect(state(page)).toHaveText('Open over WebSocket');
    await button(page, 'Cut the connection').click();
    await expect(lines(page).filter({hasText: 'Open over WebSocket after'})).toHaveCount(1);
    await expect(page.getByTestId('missed')).toHaveText('0');
});

test('what the server has forgotten is said, not glossed over', async ({server, visit}) => {
    const page = await visit(`${server.origin}/chat/?name=Ada`, {network: 'faulty'});
    await openChat(page);
    await write(server.origin, 'before');
    await expect(chatTexts(page)).toHaveText(['before']);
    await button(page, 'Go offline for 10 s').click();
    await server.kill9();
    await server.restart();
    await expect(lines(page).filter({hasText: 'could not be recovered: epoch_changed'})).toHaveCount(1, {timeout: 30_000});
});

test('by keyboard alone, and the focus stays', async ({server, visit}) => {
    const page = await visit(`${server.origin}/chat/?name=Ada`, {network: 'faulty'});
    await openChat(page);
    await button(page, 'Cut the connection').focus();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await expect(button(page, 'Go offline for 10 s')).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(state(page)).toHaveAttribute('data-state', 'waiting');
    await expect(button(page, 'Go offline for 10 s')).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(lines(page).filter({hasText: 'there is no network'})).toHaveCount(1);
});
