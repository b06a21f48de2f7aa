// Ticker: prices, a chart, the latency, and a transport that changes without a gap (docs/protocol.md 4.4, 5.3).

import {test, expect, type Page} from './support/test.ts';
import {expectOpen} from './support/pages.ts';
import {offsetsSeen, recordWire, wireSeen} from './support/wire.ts';

const symbols = ['PULS', 'WIRE', 'BEAM', 'ECHO', 'FLUX', 'NOVA'];
const tile = (page: Page, symbol: string) => page.getByTestId(`tile-${symbol}`);
const price = (page: Page, symbol: string) => tile(page, symbol).locator('.price');
const count = async (page: Page, id: string) => Number((await page.getByTestId(id).textContent())!.replace(/,/g, ''));

test('prices of six symbols flow to two visitors, over SSE and over WebSocket', async ({server, visit}) => {
    const ada = await visit(`${server.origin}/ticker/`);
    const bob = await visit(`${server.origin}/ticker/?transport=websocket`);
    await expectOpen(ada, 'sse');
    await expectOpen(bob, 'websocket');
    for (const page of [ada, bob]) {
        for (const symbol of symbols) await expect(price(page, symbol)).toHaveText(/^\d+\.\d\d$/);
        await expect.poll(() => count(page, 'received')).toBeGreaterThan(30);
        await expect.poll(async () => Number(await page.getByTestId('rate').textContent())).toBeGreaterThan(5);
        expect(Number(await page.getByTestId('rate').textContent())).toBeLessThan(20);
        expect(await count(page, 'missed')).toBe(0);
    }
    await expect.poll(async () => await price(ada, 'PULS').textContent() === await price(bob, 'PULS').textContent()).toBe(true);
});

test('the chart draws the chosen symbol, and the latency is a figure', async ({server, visit}) => {
    const page = await visit(`${server.origin}/ticker/`);
    const line = page.getByTestId('chart').locator('.chart__line');
    await expect.poll(async () => (await line.getAttribute('d'))?.split('L').length ?? 0).toBeGreaterThan(5);
    const box = (await line.boundingBox())!;
    expect(box.width).toBeGreaterThan(1);
    expect(box.height).toBeGreaterThan(1);
    await expect(page.getByTestId('chart').getByRole('img')).toHaveAccessibleName(/^PULS over the last .*: from \d+\.\d\d to \d+\.\d\d$/);
    for (const figure of ['latency-now', 'latency-median', 'latency-p95']) {
        await expect(page.getByTestId(figure)).toHaveText(/^(< 1|\d[\d,]*) ms$/);
    }

    await tile(page, 'NOVA').click();
    await expect(tile(page, 'NOVA')).toHaveAttribute('aria-pressed', 'true');
    await expect(tile(page, 'PULS')).toHaveAttribute('aria-pressed', 'false');
    await expect(page.getByRole('heading', {name: 'NOVA'})).toBeVisible();
    await expect(page.getByTestId('chart').getByRole('img')).toHaveAccessibleName(/^NOVA/);
    const shown = await line.getAttribute('d');
    await expect(line).not.toHaveAttribute('d', shown!);
});

test('the transport changes while prices flow: every offset arrives, in order (4.4, 5.3)', async ({server, visit}) => {
    const page = await visit(`${server.origin}/ticker/`, {before: recordWire});
    await expectOpen(page, 'sse');
    for (const [name, transport] of [['WebSocket', 'websocket'], ['SSE', 'sse'], ['WebSocket', 'websocket']] as const) {
        const before = await count(page, 'received');
        await page.getByRole('radio', {name}).check({force: true});
        await expectOpen(page, transport);
        await expect.poll(() => count(page, 'received')).toBeGreaterThan(before + 10);
    }
    expect((await wireSeen(page)).opened).toEqual(['sse', 'websocket', 'sse', 'websocket']);
    const {frames} = await wireSeen(page);
    expect(frames.filter(({op}) => op === 'subscribed').map(({recovered}) => recovered)).toEqual([undefined, true, true, true]);
    const offsets = [...new Set(await offsetsSeen(page, 'ticker:prices'))];
    expect(offsets).toEqual(offsets.map((_, index) => offsets[0]! + index));
    expect(await count(page, 'missed')).toBe(0);
});

test('a tile’s texts keep apart at every width', async ({server, visit}) => {
    const page = await visit(`${server.origin}/ticker/`);
    await expectOpen(page, 'sse');
    await expect(price(page, 'NOVA')).toHaveText(/^\d+\.\d\d$/);
    for (const width of [320, 390, 600, 700, 801, 900, 1000, 1023, 1024, 1025, 1280]) {
        await page.setViewportSize({width, height: 800});
        // The widest texts that may come; read before the next price replaces them.
        const clashes = await page.getByRole('group', {name: 'Symbols'}).evaluate((tiles) => [...tiles.children].flatMap((tile) => {
            tile.querySelector('.price')!.textContent = '1284.88';
            tile.querySelector('.change')!.textContent = '▼ 12.88 %';
            const frame = tile.getBoundingClientRect();
            const boxes = [...tile.querySelectorAll('.symbol, .price, .change')].map((part) => {
                const range = document.createRange();
                range.selectNodeContents(part);
                return {part: part.className, box: range.getBoundingClientRect()};
            });
            const outside = boxes.filter(({box}) => box.left < frame.left || box.right > frame.right || box.bottom > frame.bottom);
            const across = boxes.flatMap((a, i) => boxes.slice(i + 1).filter((b) =>
                a.box.left < b.box.right && b.box.left < a.box.right && a.box.top + 1 < b.box.bottom && b.box.top + 1 < a.box.bottom)
                .map((b) => `${a.part} and ${b.part}`));
            return [...outside.map(({part}) => `${part} outside`), ...across];
        }));
        expect(clashes, `${width} px`).toEqual([]);
    }
});
