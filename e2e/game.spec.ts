// The game: the server alone decides, players see each other, and motion is even where the network has jitter (docs/protocol.md 4.11,
// 5.1; design promise P10).

import type {Locator} from '@playwright/test';
import {test, expect, type Page} from './support/test.ts';
import {expectOpen} from './support/pages.ts';
import {RawConnection} from './support/raw_socket.ts';

const channel = 'game:arena';
const arena = (page: Page): Locator => page.getByTestId('arena');
const players = (page: Page): Locator => arena(page).getByTestId('player');
const scores = (page: Page): Locator => page.getByTestId('scores').getByRole('listitem');
const press = (page: Page, name: RegExp) => page.getByRole('switch', {name}).click();

/** The place of a player as it is drawn, in thousandths of the arena. */
const placeOf = (player: Locator): Promise<[number, number]> => player.evaluate((mark) => {
    const [, x, y] = /translate\(([\d.]+) ([\d.]+)/.exec(mark.getAttribute('transform')!)!;
    return [Number(x), Number(y)] as [number, number];
});

async function player(visit: (url: string) => Promise<Page>, origin: string, name: string): Promise<Page> {
    const page = await visit(`${origin}/game/?name=${name}`);
    await expectOpen(page);
    await expect(scores(page).filter({hasText: `${name} (you)`})).toHaveCount(1);
    return page;
}

test('players see each other move; whoever leaves is gone in seconds', async ({server, visit}) => {
    const ada = await player(visit, server.origin, 'Ada');
    const bob = await player(visit, server.origin, 'Bob');
    await expect(players(ada)).toHaveCount(2);
    const bobSeen = players(ada).filter({hasText: 'Bob'});
    await arena(bob).focus();
    await bob.keyboard.down('ArrowLeft');
    await expect.poll(async () => (await placeOf(bobSeen))[0]).toBe(30);
    await bob.keyboard.up('ArrowLeft');
    await bob.keyboard.down('d');
    await expect.poll(async () => (await placeOf(bobSeen))[0]).toBeGreaterThan(200);
    await bob.keyboard.up('d');
    await bob.close();
    await expect(players(ada)).toHaveCount(1);
    await expect(scores(ada)).toHaveCount(1);
});

test('a finger that is held where a light is collects it', async ({server, visit}) => {
    const page = await player(visit, server.origin, 'Ada');
    const {x, y, width} = (await arena(page).boundingBox())!;
    const light = page.locator('.light').first();
    const [cx, cy] = await Promise.all(['cx', 'cy'].map(async (name) => Number(await light.getAttribute(name))));
    await page.mouse.move(x + cx! * width / 1000, y + cy! * width / 1000);
    await page.mouse.down();
    await expect(scores(page).locator('strong')).not.toHaveText('0');
    await page.mouse.up();
    await expect(page.locator('.light')).toHaveCount(5);
});

/** Goes to and fro for some seconds; the share of the frames in which the player did not move although it was on its way. */
async function stillShare(page: Page): Promise<number> {
    await arena(page).focus();
    const watching = page.evaluate(() => new Promise<number[]>((seen) => {
        const places: number[] = [];
        const start = performance.now();
        const look = (now: number): void => {
            const transform = document.querySelector('.player[data-own=true]')?.getAttribute('transform');
            places.push(Number(/translate\(([\d.]+)/.exec(transform ?? '')?.[1]));
            if (now - start < 5_000) requestAnimationFrame(look);
            else seen(places);
        };
        requestAnimationFrame(look);
    }));
    for (const key of ['ArrowRight', 'ArrowLeft'] as const) {
        await page.keyboard.down(key);
        await expect.poll(async () => (await placeOf(players(page)))[0], {intervals: [20]}).toBe(key === 'ArrowRight' ? 970 : 30);
        await page.keyboard.up(key);
    }
    const places = await watching;
    const steps = places.slice(1).map((place, i) => ({place, step: Math.abs(place - places[i]!)}));
    const onTheWay = steps.filter(({place}) => place > 60 && place < 940);
    expect(onTheWay.length).toBeGreaterThan(20);
    return onTheWay.filter(({step}) => step === 0).length / onTheWay.length;
}

test('motion is even with 200 ms of jitter, which interpolation alone makes it', async ({server, visit}) => {
    test.slow();
    const page = await player(visit, server.origin, 'Ada');
    await press(page, /^Add up to 200 ms/);
    await expect.poll(async () => Number.parseInt(await page.getByTestId('jitter-now').innerText())).toBeGreaterThan(120);
    await expect.poll(async () => Number.parseInt(await page.getByTestId('delay-now').innerText())).toBeGreaterThan(160);
    const even = await stillShare(page);
    await press(page, /^Interpolate/);
    const uneven = await stillShare(page);
    expect(uneven).toBeGreaterThan(0.3);
    expect(even).toBeLessThan(uneven / 3);
});

test('nobody but the server says where somebody is, and a way is no longer than one step (6.1)', async ({server, visit}) => {
    const page = await player(visit, server.origin, 'Ada');
    const cheat = await RawConnection.connect(server.origin);
    expect(await cheat.ask({op: 'publish', channel, type: 'game.tick', payload: {at_ms: 1, players: [], lights: []}}))
        .toMatchObject({op: 'error', code: 'rejected'});
    expect(await cheat.ask({op: 'publish', channel, type: 'game.steer', payload: {name: '', x: 0, y: 0}})).toMatchObject({code: 'rejected'});
    const steer = (x: number) => cheat.ask({op: 'publish', channel, type: 'game.steer', payload: {name: 'Cheat', x, y: 0}, transient: true});
    await steer(-1_000);
    const mark = players(page).filter({hasText: 'Cheat'});
    await expect.poll(async () => (await placeOf(mark))[0]).toBe(30);
    // From one wall to the other takes more than two seconds, however far it wants to go.
    const start = Date.now();
    await steer(1_000_000);
    await expect.poll(async () => (await placeOf(mark))[0], {intervals: [50]}).toBe(970);
    expect(Date.now() - start).toBeGreaterThan(2_000);
});
