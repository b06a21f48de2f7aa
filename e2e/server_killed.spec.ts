// The server is killed while people are connected, and comes back on the same port with an empty memory (docs/protocol.md
// 4.4, 4.9, 9.1, 9.2).

import {test, expect, type Page} from './support/test.ts';
import {history} from './support/http.ts';
import {chatTexts, openChat, recordStates, say, statesSeen, status, waitingNotes, waitingTexts, type StateSeen} from './support/pages.ts';
import {recordWire, wireSeen} from './support/wire.ts';

const backoffMinMs = 500;
const backoffMaxMs = 20_000;

// 9.1: between 100 ms and min(20 s, 500 ms × 2^n), n the failures in a row before this one, which the state counts too.
function expectBackoff(waits: StateSeen[]): void {
    for (const {attempt, retryInMs} of waits) {
        expect(retryInMs, `attempt ${attempt}`).toBeGreaterThanOrEqual(100);
        expect(retryInMs, `attempt ${attempt}`).toBeLessThanOrEqual(Math.min(backoffMaxMs, backoffMinMs * 2 ** (attempt! - 1)));
    }
    const attempts = waits.map(({attempt}) => attempt!);
    expect(attempts, 'each failure counts').toEqual(attempts.map((_, index) => attempts[0]! + index));
}

const waitsOf = (states: StateSeen[]): StateSeen[] => states.filter(({state}) => state === 'waiting');

async function prepare(page: Page): Promise<void> {
    await recordStates(page);
    await recordWire(page);
}

// From now on the page's timers run only as far as they are pushed.
const stopTime = async (page: Page) => page.clock.pauseAt(await page.evaluate(() => Date.now()) + 200);

for (const transport of ['websocket', 'sse'] as const) {
    test(`killed and restarted, over ${transport}: the page waits, comes back by itself, and what was written arrives once`, async ({server, visit}) => {
        const ada = await visit(`${server.origin}/chat/?name=Ada&transport=${transport}`, {network: 'faulty', before: prepare});
        const bob = await visit(`${server.origin}/chat/?name=Bob`, {network: 'faulty'});
        await openChat(ada, transport);
        await openChat(bob);
        await say(ada, 'before');
        await expect(chatTexts(bob)).toHaveText(['before']);
        const epoch = (await history(server.origin, 'chat:lobby')).epoch;

        await server.kill9();
        await expect(status(ada)).toHaveAttribute('data-state', 'waiting');
        await expect(status(ada)).toHaveText(/Retry in \d+ s · attempt \d+/);
        await expect(ada.getByRole('button', {name: 'Try now'})).toBeVisible();
        await expect.poll(async () => Number(await status(ada).getAttribute('data-attempt'))).toBeGreaterThanOrEqual(3);
        await say(ada, 'one while down');
        await say(ada, 'two while down');
        await expect(waitingTexts(ada)).toHaveText(['one while down', 'two while down']);
        await expect(waitingNotes(ada)).toHaveText(Array(2).fill('Waiting for the connection'));

        await server.restart();
        await openChat(ada, transport);
        await openChat(bob);
        // The log is gone, and both are told so; nothing else is shown twice or not at all.
        for (const page of [ada, bob]) {
            await expect(chatTexts(page)).toHaveText(['before', 'one while down', 'two while down']);
            await expect(page.getByText('The server was restarted and has forgotten what stands above.')).toBeVisible();
        }
        await expect(waitingTexts(ada)).toHaveCount(0);
        const now = await history(server.origin, 'chat:lobby');
        expect(now.epoch).not.toBe(epoch);
        expect(now.messages.map(({offset, payload}) => [offset, (payload as {text: string}).text]))
            .toEqual([[1, 'one while down'], [2, 'two while down']]);

        const subscribed = (await wireSeen(ada)).frames.filter(({op}) => op === 'subscribed');
        expect(subscribed.map(({recovered, reason}) => [recovered, reason])).toEqual([[undefined, undefined], [false, 'epoch_changed']]);
        const states = await statesSeen(ada);
        expectBackoff(waitsOf(states));
        expect(states.at(-1)).toMatchObject({state: 'open', transport});
        await expect(ada.getByTestId('members').locator('.member__name')).toHaveText(['Ada', 'Bob']);
    });
}

test('the delays grow up to 20 s and never end (9.1)', async ({server, visit}) => {
    const page = await visit(`${server.origin}/chat/?name=Ada&transport=websocket`, {
        network: 'faulty',
        before: async (page) => {
            await page.clock.install();
            await prepare(page);
        },
    });
    await openChat(page);
    await stopTime(page);
    await server.kill9();
    for (let attempt = 1; attempt <= 16; attempt += 1) {
        await expect(status(page)).toHaveAttribute('data-attempt', String(attempt));
        await expect(status(page)).toHaveAttribute('data-state', 'waiting');
        await page.clock.fastForward(backoffMaxMs);
    }
    const waits = waitsOf(await statesSeen(page)).slice(0, 16);
    expectBackoff(waits);
    // Drawn at random below a bound that grows: that eleven delays below 16 or 20 s are all below 4 s is less likely than
    // 1 in 10^7.
    expect(Math.max(...waits.slice(5).map(({retryInMs}) => retryInMs!))).toBeGreaterThan(4000);
    await server.restart();
    await page.clock.resume();
    await page.clock.fastForward(backoffMaxMs);
    await openChat(page);
});

test('“Try now” does not wait any longer', async ({server, visit}) => {
    const page = await visit(`${server.origin}/chat/?name=Ada`, {
        network: 'faulty',
        before: async (page) => page.clock.install(),
    });
    await openChat(page);
    await stopTime(page);
    await server.kill9();
    await expect(status(page)).toHaveAttribute('data-state', 'waiting');
    await server.restart();
    await page.getByRole('button', {name: 'Try now'}).click();
    await page.clock.resume();
    await openChat(page);
});

test('prices flow again after a restart, and forgotten ones do not count as missed (4.4)', async ({server, visit}) => {
    const page = await visit(`${server.origin}/ticker/`, {network: 'faulty', before: recordWire});
    await expect(page.getByTestId('tile-PULS').locator('.price')).toHaveText(/\d/);
    await server.kill9();
    await expect(status(page)).toHaveAttribute('data-state', 'waiting');
    await server.restart();
    await expect(status(page)).toHaveAttribute('data-state', 'open', {timeout: 30_000});
    const received = async () => Number((await page.getByTestId('received').textContent())!.replace(/,/g, ''));
    const before = await received();
    await expect.poll(received).toBeGreaterThan(before + 10);
    await expect(page.getByTestId('missed')).toHaveText('0');
});

test('a running job is shown as lost when its server was killed', async ({server, visit}) => {
    const page = await visit(`${server.origin}/notifications/`, {network: 'faulty'});
    await expect(status(page)).toHaveAttribute('data-state', 'open');
    await page.getByRole('button', {name: 'Start the job'}).click();
    const job = page.getByTestId('jobs').getByRole('listitem').filter({hasText: 'Rebuild the search index'});
    await expect(job).toHaveAttribute('data-state', 'running');
    await server.kill9();
    await server.restart();
    await expect(job).toHaveAttribute('data-state', 'lost', {timeout: 30_000});
    await expect(job).toContainText('Lost: the server was restarted');
});
