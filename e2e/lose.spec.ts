// “Try to lose a message”: whatever a visitor breaks, the writer's list and the reader's agree in the end, and with the log of the
// server that was killed (docs/protocol.md 4.4, 4.5; design promises P1 to P4).

import {test, expect, type Page} from './support/test.ts';
import {publish, request} from './support/http.ts';
import {expectOpen, hurry} from './support/pages.ts';

interface Verdict {lost: number; doubled: number; written: number; arrived: number; onTheWay: number}

const verdictOf = (page: Page): Promise<Verdict> => page.evaluate(() => {
    const figure = (id: string): number => Number(document.querySelector(`[data-testid=${id}]`)!.textContent!.replaceAll(',', ''));
    return {lost: figure('lost'), doubled: figure('doubled'), written: figure('written'), arrived: figure('arrived'), onTheWay: figure('on-the-way')};
});

const press = (page: Page, name: string | RegExp) => page.getByRole('button', {name}).click();
const story = (page: Page) => page.getByTestId('log');
const arrived = async (page: Page): Promise<number> => (await verdictOf(page)).arrived;

async function untilMoreArrived(page: Page, more = 50): Promise<void> {
    const before = await arrived(page);
    await expect.poll(() => arrived(page), {timeout: 30_000}).toBeGreaterThan(before + more);
}

async function untilFinal(page: Page): Promise<Verdict> {
    await press(page, 'Stop writing');
    await expect(page.getByRole('button', {name: 'Go on writing'})).toBeVisible();
    const {written} = await verdictOf(page);
    await expect.poll(async () => {
        await hurry(page);
        return verdictOf(page);
    }, {timeout: 30_000}).toMatchObject({written, arrived: written, onTheWay: 0});
    return verdictOf(page);
}

/** Where the server to kill listens, and the run's channel in it. */
async function runOf(page: Page): Promise<{origin: string; channel: string}> {
    const run = new URLSearchParams(new URL((await page.getByRole('link', {name: 'Open a slow tab'}).getAttribute('href'))!, page.url()).search).get('watch');
    const port = await page.evaluate(() => (globalThis as {victimPort?: number}).victimPort);
    return {origin: `http://127.0.0.1:${port}`, channel: `lose:${run}`};
}

// Notes the port that the page's sockets lead to beside its own.
const notePort = (page: Page) => page.addInitScript(() => {
    const Real = WebSocket;
    globalThis.WebSocket = class extends Real {
        constructor(url: string | URL, protocols?: string | string[]) {
            super(url, protocols);
            const {port} = new URL(url);
            if (port !== location.port) (globalThis as {victimPort?: number}).victimPort = Number(port);
        }
    };
});

async function keptNumbers(page: Page): Promise<number[]> {
    const {origin, channel} = await runOf(page);
    const numbers: number[] = [];
    for (let after = 0; ;) {
        const {json} = await request(`${origin}/api/channels/${channel}/messages?offset=${after}&limit=1000`);
        numbers.push(...json.messages.map(({payload}: {payload: {n: number}}) => payload.n));
        if (!json.more) return numbers;
        after = json.messages.at(-1).offset;
    }
}

test('cut, stalled, offline, killed twice and reloaded: nothing is lost, nothing doubled (P2, P3, P4)', async ({server, visit}) => {
    test.slow();
    const page = await visit(`${server.origin}/lose/`, {network: 'faulty', before: notePort});
    await untilMoreArrived(page);

    await press(page, 'Cut both connections');
    await expect(story(page)).toContainText('You cut both connections');
    await untilMoreArrived(page);
    await press(page, /^Take the reader offline/);
    await press(page, /^Stall the writer/);
    await press(page, /^Kill the server/);
    await expect(story(page)).toContainText('The server was killed');
    await expect(story(page)).toContainText('The server is started again');
    await untilMoreArrived(page, 500);
    await press(page, /^Kill the server/);
    await press(page, 'Reload this page');
    await expect(story(page)).toContainText('The page was left');
    await untilMoreArrived(page, 500);

    const {written, ...verdict} = await untilFinal(page);
    expect(verdict).toEqual({lost: 0, doubled: 0, arrived: written, onTheWay: 0});
    // The log on the disk says the same: each number once, in order.
    expect(await keptNumbers(page)).toEqual(Array.from({length: written}, (_, i) => i + 1));
});

test('the count counts: a number that comes again is doubled, one that is left out is lost', async ({server, visit}) => {
    const page = await visit(`${server.origin}/lose/`, {before: notePort});
    await untilMoreArrived(page);
    const {written} = await untilFinal(page);
    const {origin, channel} = await runOf(page);
    await publish(origin, channel, {n: 7}, {type: 'lose.number'});
    await expect.poll(() => verdictOf(page)).toMatchObject({lost: 0, doubled: 1, written});
    await expect(page.getByTestId('verdict')).toHaveAttribute('data-bad', 'true');

    // Somebody else's number is far ahead, so what the writer writes next comes too late in the reader's list.
    await publish(origin, channel, {n: written + 10_000}, {type: 'lose.number'});
    await expect.poll(() => arrived(page)).toBe(written + 1);
    await press(page, /^Take the reader offline/);
    await press(page, 'Go on writing');
    await expect.poll(async () => (await verdictOf(page)).lost).toBeGreaterThan(0);
});

test('a slow tab is late and misses nothing; a run of its own begins with “Start over”', async ({server, visit}) => {
    test.slow();
    const page = await visit(`${server.origin}/lose/`);
    await untilMoreArrived(page);
    const [tab] = await Promise.all([page.context().waitForEvent('page'), page.getByRole('link', {name: 'Open a slow tab'}).click()]);
    await expect(page.getByTestId('slow-tabs')).toHaveText(/^A slow tab: 0 of [1-9][\d,]* lost, 0 doubled/, {timeout: 30_000});
    await press(page, 'Stop writing');
    await expect(page.getByTestId('slow-tabs')).toHaveText(/^A slow tab: 0 of [1-9][\d,]* lost, 0 doubled, 0 on their way/, {timeout: 30_000});
    await expect(tab.getByText('This tab reads the same numbers')).toBeVisible();
    await tab.close();

    await press(page, 'Start over');
    await expect(story(page)).toHaveText(/^\S+The reader listens, and the writer begins\.$/);
    await untilMoreArrived(page);
    expect(await verdictOf(page)).toMatchObject({lost: 0, doubled: 0});
});

test('the server to kill is gone when the gallery is', async ({server, visit}) => {
    const page = await visit(`${server.origin}/lose/`, {network: 'faulty', before: notePort});
    await untilMoreArrived(page);
    const {origin} = await runOf(page);
    expect((await request(`${origin}/healthz`)).status).toBe(200);
    await server.kill9();
    await expect.poll(() => request(`${origin}/healthz`).then(() => 'there', () => 'gone')).toBe('gone');
    // Another one has another log: the page begins anew instead of counting what nobody has any more.
    await server.restart();
    await hurry(page);
    await expectOpen(page);
    await expect.poll(async () => (await verdictOf(page)).arrived, {timeout: 30_000}).toBeGreaterThan(0);
    expect(await verdictOf(page)).toMatchObject({lost: 0, doubled: 0});
});
