// The gallery: every card is alive, and what it tells a visitor to type works.

import type {Locator} from '@playwright/test';
import {test, expect, type Page} from './support/test.ts';
import {publish} from './support/http.ts';
import {expectOpen, openChat, say} from './support/pages.ts';
import {RawConnection} from './support/raw_socket.ts';

test('each card shows what just happened in its demo', async ({server, visit}) => {
    const gallery = await visit(`${server.origin}/`);
    await expectOpen(gallery);
    await expect(gallery.getByTestId('live-classic')).toHaveText(/^Server time: \d\d:\d\d:\d\d \(Event \d+\)$/);
    await expect(gallery.getByTestId('live-ticker')).toHaveText(/PULS\s*\d+\.\d\d/);
    await expect(gallery.getByTestId('live-chat')).toContainText('Nobody here');

    const ada = await visit(`${server.origin}/chat/?name=Ada`);
    await openChat(ada);
    await say(ada, 'Good morning');
    await expect(gallery.getByTestId('live-chat')).toContainText('1 here');
    await expect(gallery.getByTestId('live-chat')).toContainText('Ada: Good morning');
    await publish(server.origin, 'notify:all', {title: 'From outside', body: '', level: 'info'}, {type: 'notify.message'});
    await expect(gallery.getByTestId('live-notifications')).toContainText('From outside');
});

test('each card leads to its demo, and the way back', async ({server, visit}) => {
    const page = await visit(`${server.origin}/`);
    for (const name of ['Classic', 'Chat', 'Ticker', 'Notifications']) {
        await page.getByRole('main').getByRole('link', {name, exact: true}).click();
        await expect(page).toHaveTitle(`${name} · Pulsewire`);
        await expectOpen(page);
        await expect(page.getByRole('navigation').getByRole('link', {name})).toHaveAttribute('aria-current', 'page');
        await page.getByRole('link', {name: 'Pulsewire, the gallery'}).click();
        await expect(page).toHaveTitle(/^Pulsewire:/);
    }
});

test('the lines for the browser’s console do what they say', async ({server, visit}) => {
    const page = await visit(`${server.origin}/`);
    const heard: string[] = [];
    page.on('console', (message) => heard.push(message.text()));
    for (const title of ['Listen with EventSource', 'Talk with WebSocket']) {
        const code = (await page.getByRole('region', {name: title}).textContent())!;
        await page.evaluate((source) => { (0, eval)(source); }, code);
    }
    await expect.poll(() => heard.some((text) => text.startsWith('{"type":"ticker.price","channel":"ticker:prices"'))).toBe(true);
    await expect.poll(() => heard).toContain('Server received: Hello');
});

const square = (page: Page) => page.getByTestId('square');
const marks = (page: Page, kind: 'simulated' | 'person' | 'you') => square(page).locator(`.mark[data-kind=${kind}]`);
const simulation = (page: Page) => page.getByRole('switch', {name: 'Simulated visitors'});
const placeOf = (mark: Locator) => mark.evaluate((element) => [element.style.getPropertyValue('--x'), element.style.getPropertyValue('--y')].map(Number));

test('the square is never still: simulated visitors walk and talk, and are said to be simulated', async ({server, visit}) => {
    const page = await visit(`${server.origin}/`);
    await expectOpen(page);
    await expect(marks(page, 'simulated')).toHaveCount(6);
    await expect(page.getByTestId('square-count')).toHaveText('You are here · 6 simulated visitors');
    await expect(marks(page, 'simulated').first()).toHaveText(/simulated$/);
    const before = await placeOf(marks(page, 'simulated').first());
    await expect.poll(() => placeOf(marks(page, 'simulated').first())).not.toEqual(before);
    await expect(square(page).getByTestId('words').filter({hasText: /\w/})).toHaveCount(1);
    await expect(page.getByTestId('live-chat')).toContainText(/Nobody here\s*On the square, /);
    await expect(page.getByTestId('live-notifications')).toContainText('Simulated: ');
});

test('the simulated visitors are switched off for good, and on again', async ({server, visit}) => {
    const page = await visit(`${server.origin}/`);
    await expect(marks(page, 'simulated')).toHaveCount(6);
    await simulation(page).click();
    await expect(marks(page, 'simulated')).toHaveCount(0);
    await expect(page.getByTestId('square-count')).toHaveText('You are here');
    await expect(page.getByTestId('live-chat')).not.toContainText('On the square');
    await expect(page.getByTestId('live-notifications')).not.toContainText('Simulated');
    await page.reload();
    await expect(marks(page, 'you')).toHaveCount(1);
    await expect(simulation(page)).not.toBeChecked();
    await expect(marks(page, 'simulated')).toHaveCount(0);
    await simulation(page).press('Space');
    await expect(marks(page, 'simulated')).toHaveCount(6);
});

test('for those who prefer less motion nobody walks until they ask for it', async ({server, visit}) => {
    const page = await visit(`${server.origin}/`, {reducedMotion: 'reduce'});
    await expect(marks(page, 'you')).toHaveCount(1);
    await expect(simulation(page)).not.toBeChecked();
    await expect(marks(page, 'simulated')).toHaveCount(0);
    await simulation(page).click();
    await expect(marks(page, 'simulated')).toHaveCount(6);
});

for (const transport of ['websocket', 'sse'] as const) {
    test(`two people see each other’s pointer on the square, over ${transport}`, async ({server, visit}) => {
        test.slow();  // three windows
        // This is about people: three windows that also move whatever moves on this page keep two cores busy.
        const alone = {reducedMotion: 'reduce'} as const;
        const ada = await visit(`${server.origin}/?name=Ada&transport=${transport}`, alone);
        const bob = await visit(`${server.origin}/?name=Bob&transport=${transport}`, alone);
        await expect(marks(ada, 'person')).toHaveText(['BBob']);
        await expect(marks(bob, 'person')).toHaveText(['AAda']);
        await expect(ada.getByTestId('square-count')).toHaveText(/^2 people, you among them/);

        await square(bob).hover({position: {x: 300, y: 60}});
        const width = (await square(bob).boundingBox())!.width;
        await expect.poll(async () => (await placeOf(marks(ada, 'person')))[0]).toBeCloseTo(300 / width, 2);
        const before = await placeOf(marks(ada, 'person'));
        await square(bob).press('ArrowRight');
        await square(bob).press('ArrowRight');
        await expect.poll(async () => (await placeOf(marks(ada, 'person')))[0]).toBeCloseTo(before[0]! + 0.08, 2);

        // Somebody who comes later learns where the others are.
        const cleo = await visit(`${server.origin}/?name=Cleo&transport=${transport}`, alone);
        const bobSeenByCleo = marks(cleo, 'person').filter({hasText: 'Bob'});
        await expect.poll(() => placeOf(bobSeenByCleo)).toEqual(await placeOf(marks(bob, 'you')));
        await bob.close();
        await expect(marks(ada, 'person')).toHaveText(['CCleo']);
    });
}

test('nobody but the server speaks for simulated visitors, and a place is on the square (6.1)', async ({server}) => {
    const connection = await RawConnection.connect(server.origin);
    const channel = 'square:people';
    for (const [type, payload] of [
        ['square.walk', {visitors: [], errand: '', errand_percent: 0}], ['square.words', {name: 'Mira', text: 'Buy!'}],
        ['square.move', {session: 's', x: 2, y: 0}], ['square.move', {session: 's', x: 0, y: -0.1}],
    ] as const) {
        expect(await connection.ask({op: 'publish', channel, type, payload})).toMatchObject({op: 'error', code: 'rejected'});
    }
    const move = {op: 'publish', channel, type: 'square.move', payload: {session: 's', x: 1, y: 0}, transient: true};
    expect((await connection.ask(move)).op).not.toBe('error');
});
