// The "break the connection" panel: a visitor cuts, stalls or unplugs the page's own connection, and what the panel then says
// is what happened (docs/protocol.md 4.4, 5.3, 9.1).

import type {Locator} from '@playwright/test';
import {test, expect, type Page} from './support/test.ts';
import {publish} from './support/http.ts';
import {chatTexts, expectOpen, hurry, openChat, say, status} from './support/pages.ts';
import {recordWire, wireSeen} from './support/wire.ts';

const panel = (page: Page) => page.getByTestId('break-it');
const state = (page: Page) => panel(page).getByTestId('break-it-state');
const outcome = (page: Page) => panel(page).getByTestId('break-it-outcome');
const lines = (page: Page) => panel(page).getByTestId('break-it-log').locator('li span');
const button = (page: Page, name: string) => panel(page).getByRole('button', {name});
const faultMs = 10_000;

// A page whose time can be stopped, so that a fault lasts as long as the test needs, and no longer.
const stoppable = {network: 'faulty', before: (page: Page) => page.clock.install()} as const;
const stopTime = async (page: Page) => page.clock.pauseAt(await page.evaluate(() => Date.now()) + 2000);

async function endFault(page: Page): Promise<void> {
    await page.clock.fastForward(faultMs);
    await page.clock.resume();
}

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
        await expect(lines(page).nth(1)).toHaveText(/^The connection was lost\. Next attempt in \d\.\d s\.$/);
        await expect(state(page)).toHaveAttribute('data-state', 'open');
        expect((await wireSeen(page)).opened).toEqual([transport, transport]);
    });

    test(`Chat, offline over ${transport}: what was sent meanwhile is recovered and counted`, async ({server, visit}) => {
        const page = await visit(`${server.origin}/chat/?name=Ada&transport=${transport}`, {network: 'faulty'});
        await openChat(page, transport);
        await write(server.origin, 'before');
        await expect(chatTexts(page)).toHaveText(['before']);
        await button(page, 'Go offline for 10 s').click();
        await expect(state(page)).toHaveText(/^The connection was lost\. Next attempt in \d+\.\d s$/);
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

    test(`Chat, offline over ${transport}: what I wrote is counted beside what the others wrote`, async ({server, visit}) => {
        const page = await visit(`${server.origin}/chat/?name=Ada&transport=${transport}`, stoppable);
        await openChat(page, transport);
        await stopTime(page);
        await button(page, 'Go offline for 10 s').click();
        await say(page, 'mine');
        await expect(outcome(page)).toHaveText('For 10 seconds there is no network. 1 message you wrote waits to be sent.');
        await say(page, 'mine, too');
        await say(page, 'x'.repeat(2001));
        await expect(outcome(page)).toHaveText('For 10 seconds there is no network. 3 messages you wrote wait to be sent.');
        await write(server.origin, 'theirs');
        await endFault(page);
        await expect(outcome(page)).toHaveText(
            'Recovered 1 message, none missed. 2 messages you wrote were delivered. 1 message you wrote was refused.', {timeout: 30_000});
        await expect(chatTexts(page)).toHaveText(['theirs', 'mine', 'mine, too']);
    });

    test(`Chat, stalled over ${transport}: what I wrote had waited, and is delivered`, async ({server, visit}) => {
        const page = await visit(`${server.origin}/chat/?name=Ada&transport=${transport}`, stoppable);
        await openChat(page, transport);
        await say(page, 'in time');
        await expect(chatTexts(page)).toHaveText(['in time']);
        await stopTime(page);
        await button(page, 'Stall for 10 s').click();
        // A command that has no answer for ten seconds ends the connection, so it is written in the stall's second half.
        await page.clock.runFor(faultMs / 2);
        await say(page, 'mine');
        await page.clock.runFor(faultMs / 2);
        await page.clock.resume();
        await expect(lines(page).filter({hasText: 'The stall is over: 1 message you wrote can leave now.'})).toHaveCount(1, {timeout: 30_000});
        await expect(outcome(page)).toHaveText('The stall is over: 1 message you wrote can leave now. 1 message you wrote was delivered.');
        await expect(chatTexts(page)).toHaveText(['in time', 'mine']);
    });
}

test('an outage that nobody made is told as well, and counted for itself', async ({server, visit}) => {
    const page = await visit(`${server.origin}/chat/?name=Ada`, {network: 'faulty'});
    await openChat(page);
    await button(page, 'Cut the connection').click();
    await expect(outcome(page)).toHaveAttribute('data-recovered', '0');
    await server.kill9();
    await expect(outcome(page)).not.toHaveAttribute('data-recovered');
    await say(page, 'while the server is away');
    await expect(outcome(page)).toHaveText('The connection was lost. 1 message you wrote waits to be sent.');
    await server.restart();
    await hurry(page);
    await expect(outcome(page)).toHaveText(
        'What was sent meanwhile could not be recovered: the server was restarted and keeps nothing from before. 1 message you wrote was delivered.',
        {timeout: 30_000});
    await expect(panel(page)).not.toContainText(/1006|abnormal|epoch_changed/);
});

test('a new outage begins with attempt 1, however many the one before took', async ({server, visit}) => {
    const page = await visit(`${server.origin}/chat/?name=Ada`, stoppable);
    await openChat(page);
    await stopTime(page);
    await button(page, 'Go offline for 10 s').click();
    await page.clock.runFor(faultMs - 500);
    await expect(status(page)).toContainText(/attempt ([3-9]|\d\d)/);
    await endFault(page);
    await expectOpen(page);
    await stopTime(page);
    await server.kill9();
    await expect(status(page)).toContainText(/attempt 1(?!\d)/);
    await server.restart();
    await page.clock.resume();
    await expectOpen(page);
});

// Within the window without scrolling: how much of it, from 0 to 1.
const inView = (locator: Locator) => locator.evaluate((element) => {
    const {top, bottom, height} = element.getBoundingClientRect();
    return Math.max(0, Math.min(bottom, innerHeight) - Math.max(top, 0)) / height;
});

for (const [name, viewport] of [['desktop', {width: 1280, height: 800}], ['tablet', {width: 1000, height: 760}], ['phone', {width: 390, height: 844}]] as const) {
    test(`Chat on a ${name}: the panel and the newest message are seen together`, async ({server, visit}) => {
        for (let n = 1; n <= 30; n += 1) await write(server.origin, `message ${n}`);
        const page = await visit(`${server.origin}/chat/?name=Ada`, {...stoppable, viewport});
        await openChat(page);
        await expect(chatTexts(page)).toHaveCount(30);
        await stopTime(page);
        await button(page, 'Go offline for 10 s').click();
        await say(page, 'while offline');
        await expect(outcome(page)).toContainText('1 message you wrote waits to be sent.');
        const newest = page.getByTestId('pending').locator('.message').last();
        for (const seen of [newest, outcome(page), state(page), button(page, 'Cut the connection')]) expect(await inView(seen)).toBe(1);
        expect(await page.evaluate(() => scrollY)).toBe(0);
        await endFault(page);
        await expect(chatTexts(page)).toHaveCount(31, {timeout: 30_000});
        await write(server.origin, 'and the answer');
        await expect(chatTexts(page)).toHaveCount(32);
        await expect.poll(() => inView(chatTexts(page).last())).toBe(1);
        expect(await inView(outcome(page))).toBe(1);
    });

    test(`Ticker on a ${name}: the panel and the chart are seen together`, async ({server, visit}) => {
        const page = await visit(`${server.origin}/ticker/`, {viewport});
        await expectOpen(page);
        for (const seen of [outcome(page), state(page), button(page, 'Go offline for 10 s')]) {
            await seen.scrollIntoViewIfNeeded();
            expect(await inView(seen)).toBe(1);
        }
        const covered = await page.getByTestId('chart').evaluate((chart) => {
            const panel = document.querySelector('[data-testid=break-it]')!.getBoundingClientRect();
            const {top, bottom, right, height} = chart.getBoundingClientRect();
            return panel.left >= right ? 0 : Math.max(0, Math.min(bottom, panel.bottom) - Math.max(top, panel.top)) / height;
        });
        expect(covered).toBeLessThan(0.15);
        expect(await inView(page.getByTestId('chart'))).toBeGreaterThan(0.8);
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
    await expect(lines(page).filter({hasText: 'could not be recovered: the server was restarted and keeps nothing from before'})).toHaveCount(1, {timeout: 30_000});
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
