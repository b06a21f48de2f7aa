// The whiteboard: people draw together, take away what is theirs, and find everything when they come late (docs/protocol.md 4.4,
// 4.14, 5.1; design promises P2, P3, P10).

import type {Locator} from '@playwright/test';
import {test, expect, type Page, type Visit} from './support/test.ts';
import {history} from './support/http.ts';
import {expectOpen, hurry, status} from './support/pages.ts';
import {RawConnection} from './support/raw_socket.ts';
import {withSdk} from './support/sdk_files.ts';
import {recordWire, wireSeen} from './support/wire.ts';

const channel = 'board:lobby';
const board = (page: Page): Locator => page.getByTestId('board');
const expectStrokes = (page: Page, count: number) => expect(board(page)).toHaveAttribute('data-strokes', String(count));
const undo = (page: Page) => page.getByRole('button', {name: 'Undo mine'}).click();
const people = (page: Page) => page.getByTestId('people').getByRole('listitem');

/** Draws from one place to another, both shares of the board's sides; `lift` false leaves the pen down. */
async function draw(page: Page, [fromX, fromY]: [number, number], [toX, toY]: [number, number], {lift = true} = {}): Promise<void> {
    const {x, y, width, height} = (await board(page).boundingBox())!;
    await page.mouse.move(x + fromX * width, y + fromY * height);
    await page.mouse.down();
    await page.mouse.move(x + toX * width, y + toY * height, {steps: 12});
    if (lift) await page.mouse.up();
}

/** How much of a canvas is drawn on. */
const inked = (page: Page, id: 'kept' | 'live'): Promise<number> => page.locator(`#${id}`).evaluate((element) => {
    const canvas = element as HTMLCanvasElement;
    const {data} = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, i) => i % 4 === 3 && value > 0).length;
});

async function visitor(visit: Visit, origin: string, name: string): Promise<Page> {
    // Chromium advises whoever reads a canvas more than once.
    const page = await visit(`${origin}/whiteboard/?name=${name}`, {expected: /willReadFrequently/});
    await expectOpen(page);
    await expect(people(page).filter({hasText: `${name} (you)`})).toHaveCount(1);
    return page;
}

test('two people draw together and see each other’s pen; whoever comes late sees the whole board', async ({server, visit}) => {
    const ada = await visitor(visit, server.origin, 'Ada');
    const bob = await visitor(visit, server.origin, 'Bob');
    await draw(ada, [0.1, 0.1], [0.6, 0.5]);
    for (const page of [ada, bob]) await expectStrokes(page, 1);
    expect(await inked(bob, 'kept')).toBeGreaterThan(100);

    // The line is seen while it is drawn, before it is a message that is kept.
    await draw(bob, [0.2, 0.8], [0.7, 0.8], {lift: false});
    await expect(board(ada).locator('.cursor')).toHaveText('Bob');
    await expect.poll(() => inked(ada, 'live')).toBeGreaterThan(100);
    await expectStrokes(ada, 1);
    await bob.mouse.up();
    await expectStrokes(ada, 2);
    await expect.poll(() => inked(ada, 'live')).toBe(0);

    const cleo = await visitor(visit, server.origin, 'Cleo');
    await expectStrokes(cleo, 2);
    await expect(cleo.getByRole('img', {name: '2 strokes of 2 people'})).toBeVisible();
    expect(await inked(cleo, 'kept')).toBeGreaterThan(200);
});

test('“Undo mine” takes away one’s own strokes alone, also after a reload; nobody can undo for another (P10)', async ({server, visit}) => {
    const ada = await visitor(visit, server.origin, 'Ada');
    const bob = await visitor(visit, server.origin, 'Bob');
    await draw(ada, [0.1, 0.1], [0.3, 0.3]);
    await expectStrokes(bob, 1);
    await draw(bob, [0.5, 0.5], [0.6, 0.6]);
    for (const page of [ada, bob]) await expectStrokes(page, 2);

    const [first] = (await history(server.origin, channel)).messages;
    const {id, by} = first!.payload as {id: string; by: string};
    const forger = await RawConnection.connect(server.origin);
    expect((await forger.ask({op: 'publish', channel, type: 'board.undo', payload: {id, by}})).op).not.toBe('error');
    const forged = (await history(server.origin, channel)).messages.at(-1)!.payload as {by: string};
    expect(forged.by).not.toBe(by);

    await bob.reload();
    await expectOpen(bob);
    await expectStrokes(bob, 2);
    await undo(bob);
    for (const page of [ada, bob]) await expectStrokes(page, 1);
    await expect(bob.getByRole('button', {name: 'Undo mine'})).toHaveAttribute('aria-disabled', 'true');
    await bob.keyboard.press('Control+z');  // he has nothing more to take away
    await ada.keyboard.press('Control+z');
    for (const page of [ada, bob]) await expectStrokes(page, 0);
});

test('what is drawn while the server is away is on the board at once, and in the channel later', async ({server, visit}) => {
    const ada = await visit(`${server.origin}/whiteboard/?name=Ada`, {network: 'faulty'});
    await expectOpen(ada);
    await server.stop();
    await expect(status(ada)).toHaveAttribute('data-state', 'waiting');
    await draw(ada, [0.1, 0.1], [0.6, 0.5]);
    await expectStrokes(ada, 1);
    await server.restart();
    await hurry(ada);
    await expectOpen(ada);
    await expect.poll(async () => (await history(server.origin, channel)).messages.map(({type}) => type)).toEqual(['board.stroke']);
    await expectStrokes(ada, 1);
    const bob = await visitor(visit, server.origin, 'Bob');
    await expectStrokes(bob, 1);
});

test('the keyboard draws, too, and “Clear for all” empties the board for everybody', async ({server, visit}) => {
    const ada = await visitor(visit, server.origin, 'Ada');
    const bob = await visitor(visit, server.origin, 'Bob');
    await board(ada).focus();
    for (const key of ['Space', 'ArrowRight', 'ArrowRight', 'ArrowDown', 'Space']) await ada.keyboard.press(key);
    await expectStrokes(bob, 1);
    const {points} = (await history(server.origin, channel)).messages[0]!.payload as {points: number[]};
    expect(points).toEqual([0.5, 0.5, 0.515, 0.5, 0.53, 0.5, 0.53, 0.515]);
    await bob.getByRole('button', {name: 'Clear for all'}).click();
    for (const page of [ada, bob]) await expectStrokes(page, 0);
    const cleo = await visitor(visit, server.origin, 'Cleo');
    await draw(cleo, [0.2, 0.2], [0.4, 0.4]);
    for (const page of [ada, bob, cleo]) await expectStrokes(page, 1);
});

// A page that offers snapshots is there, and the bound of the state is so low that the server has to ask for some.
test.describe('a board of 10,000 strokes', () => {
    const strokesCount = 10_000;
    test.use({serverOptions: {config: {commands_per_second: 0, namespaces: {board: {state_bytes_max: 5_000_000, history_count_max: 10}}}}});

    test('is there, whole, for whoever comes late, from a snapshot and what came after it', async ({server, visit}, testInfo) => {
        const ada = await visitor(visit, server.origin, 'Ada');
        const drawer = await visit(`${server.origin}/`, {before: withSdk});
        // No faster than the page that offers the snapshots can see.
        for (let begin = 0; begin < strokesCount; begin += 1_000) {
            await drawer.evaluate(async ([name, from]) => {
                const main = '/sdk/index.js';
                const {connect} = await import(main) as typeof import('pulsewire');
                const board = connect('/').channel(name);
                const stroke = (i: number) => ({id: `s${i}`, by: '', pen: i % 6, width: 0, points: Array.from({length: 8}, (_, k) => ((i * 37 + k * 11) % 10_000) / 10_000)});
                for (let at = from; at < from + 1_000; at += 100) await Promise.all(Array.from({length: 100}, (_, k) => board.publish('board.stroke', stroke(at + k), {echo: false})));
            }, [channel, begin] as const);
            await expectStrokes(ada, begin + 1_000);
        }

        const cleo = await visit(`${server.origin}/whiteboard/?name=Cleo`, {before: recordWire});
        await expectStrokes(cleo, strokesCount);
        const {frames} = await wireSeen(cleo);
        const parts = frames.filter((frame) => 'parts' in frame).length;
        const after = frames.filter(({op, type}) => !op && type === 'board.stroke').length;
        const ms = Number(await cleo.getByTestId('whole').getAttribute('data-ms'));
        testInfo.annotations.push({type: 'opened', description: `${strokesCount} strokes after ${ms} ms: ${parts} parts of a snapshot, ${after} strokes`});
        expect(parts, 'parts of a snapshot').toBeGreaterThan(0);
        expect(parts + after, 'messages').toBeLessThan(strokesCount * 0.75);

        await draw(cleo, [0.1, 0.1], [0.3, 0.3]);
        await expectStrokes(ada, strokesCount + 1);
        await undo(cleo);
        for (const page of [ada, cleo]) await expectStrokes(page, strokesCount);
    });
});

test('the server takes no stroke that is not on the board (6.1)', async ({server}) => {
    const connection = await RawConnection.connect(server.origin);
    const stroke = {id: 's', by: '', pen: 0, width: 0, points: [0, 0, 1, 1]};
    for (const wrong of [{id: ''}, {points: []}, {points: [0.5]}, {points: [0, 1.1]}, {points: [0, -0.1]}, {pen: 6}, {width: 3}]) {
        const answer = await connection.ask({op: 'publish', channel, type: 'board.stroke', payload: {...stroke, ...wrong}});
        expect(answer, JSON.stringify(wrong)).toMatchObject({op: 'error', code: 'rejected'});
    }
    const pointer = {by: '', x: 0.5, y: 0.5, pen: 0, width: 0, points: []};
    expect(await connection.ask({op: 'publish', channel, type: 'board.pointer', payload: pointer})).toMatchObject({code: 'rejected'});
});
