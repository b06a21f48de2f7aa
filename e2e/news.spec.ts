// News and scores over a plain EventSource: no SDK, and nothing is missed or shown twice (docs/protocol.md 8.4).

import {test, expect, type Page} from './support/test.ts';
import {history, publish, request} from './support/http.ts';
import {expectOpen, status} from './support/pages.ts';

const news = (page: Page) => page.getByTestId('news').getByRole('listitem');
const channel = 'news:all';

/** The numbers on the page, old to new. */
const shown = async (page: Page): Promise<number[]> =>
    (await news(page).evaluateAll((items) => items.map((item) => Number((item as HTMLElement).dataset.number)))).reverse();

const kept = async (origin: string): Promise<number[]> =>
    (await history(origin, channel)).messages.map(({payload}) => (payload as {number: number}).number);

// Numbers that this server will not reach by itself within a test.
let next = 10_000;
const tell = (origin: string) => publish(origin, channel, {number: ++next, topic: 'Test', title: `News ${next}`}, {type: 'news.item'});

test('news and scores arrive with what the browser has: no SDK, no WebSocket (8.4.1)', async ({server, visit}) => {
    await tell(server.origin);
    let sockets = 0;
    const page = await visit(`${server.origin}/news/`, {before: async (fresh) => { fresh.on('websocket', () => { sockets += 1; }); }});
    await expectOpen(page, 'sse');
    await expect(page.getByText(`News ${next}`)).toBeVisible();  // said before this page came
    await tell(server.origin);
    await expect(page.getByText(`News ${next}`)).toBeVisible();
    await expect(page.getByTestId('scores').getByRole('row')).toHaveCount(4);
    await expect(page.getByTestId('minute')).toHaveText(/^Minute \d+$/);
    await expect(page.getByTestId('scores').getByRole('row').first()).toHaveText(/^Harbour United\d+ : \d+North Bridge$/);
    expect(sockets).toBe(0);
    expect((await request(`${server.origin}/news/main.js`)).text).not.toContain('WebAssembly');
});

test('a lost connection costs nothing: the browser comes back and goes on where it was (8.4.4)', async ({server, network, visit}) => {
    await tell(server.origin);
    const page = await visit(`${network.origin}/news/`, {network: 'faulty'});
    await expectOpen(page);
    await expect(page.getByText(`News ${next}`)).toBeVisible();
    network.cut();
    for (let i = 0; i < 5; i += 1) await tell(server.origin);
    network.heal();
    await expect(page.getByText(`News ${next}`)).toBeVisible({timeout: 30_000});
    await tell(server.origin);
    await expect(page.getByText(`News ${next}`)).toBeVisible();
    // What the server itself says between these two questions is in the second answer alone.
    const there = await shown(page);
    expect((await kept(server.origin)).slice(0, there.length)).toEqual(there);
});

test('a server that was restarted has other news, and the page says that some are gone (8.4.5)', async ({server, visit}) => {
    await tell(server.origin);
    const page = await visit(`${server.origin}/news/`, {network: 'faulty'});
    await expect(page.getByText(`News ${next}`)).toBeVisible();
    await server.kill9();
    await expect(status(page)).toHaveAttribute('data-state', 'waiting');
    await server.restart();
    await expectOpen(page);
    await expect(page.getByTestId('news-note')).toHaveText('Some news did not wait for this page.');
    await tell(server.origin);
    await expect(page.getByText(`News ${next}`)).toBeVisible();
});
