// The live dashboard: the server's own metrics, pushed while somebody watches (docs/protocol.md 4.4, 11).

import {test, expect, type Page} from './support/test.ts';
import {history, request} from './support/http.ts';
import {expectOpen} from './support/pages.ts';
import {RawConnection} from './support/raw_socket.ts';

const figure = (page: Page, name: string) => page.getByTestId(`figure-${name}`);
const numberOf = async (page: Page, name: string): Promise<number> => Number((await figure(page, name).innerText()).replace(/[^\d.]/g, ''));

test('the figures are those of the server, and twenty visitors are seen in them', async ({server, visit}) => {
    const page = await visit(`${server.origin}/dashboard/`);
    await expectOpen(page);
    await expect(figure(page, 'memory_bytes')).toHaveText(/^\d+(\.\d)? MB$/);
    await expect(figure(page, 'lag_ms')).toHaveText(/^≤ [\d.,]+ ms$/);
    expect(await numberOf(page, 'connections')).toBeLessThan(20);
    await page.getByRole('button', {name: 'Twenty visitors'}).click();
    await expect.poll(() => numberOf(page, 'connections')).toBeGreaterThanOrEqual(21);
    await expect.poll(() => numberOf(page, 'delivered')).toBeGreaterThan(500);
    const webSockets = async () => Number(/pulsewire_connections\{transport="websocket"\} (\d+)/.exec((await request(`${server.origin}/metrics`)).text)![1]);
    await expect.poll(webSockets).toBeGreaterThanOrEqual(21);
    await expect.poll(() => numberOf(page, 'connections'), {timeout: 30_000}).toBeLessThan(20);
});

test('whoever comes later begins with the past, and nobody but the server speaks there', async ({server, visit}) => {
    const page = await visit(`${server.origin}/dashboard/`);
    await expect.poll(async () => (await history(server.origin, 'server:metrics')).messages.length).toBeGreaterThan(2);
    const later = await visit(`${server.origin}/dashboard/`);
    const points = (of: Page) => of.locator('.sparkline__line').first().evaluate((line) => line.getAttribute('d')!.split('L').length);
    await expect(figure(later, 'connections')).toHaveText(/\d/);
    expect(await points(later)).toBeGreaterThan(2);
    await expect(page.getByTestId('sampled')).toHaveText(/^As of \d\d:\d\d:\d\d\.$/);
    const connection = await RawConnection.connect(server.origin);
    expect(await connection.ask({op: 'publish', channel: 'server:metrics', type: 'server.sample', payload: {}})).toMatchObject({code: 'forbidden'});
});

test.describe('with an API key', () => {
    test.use({serverOptions: {args: ['--api-key', 'a-key-of-this-test-alone']}});
    test('the metrics are for those who have it, and the page says so', async ({server, visit}) => {
        const page = await visit(`${server.origin}/dashboard/`);
        await expect(page.getByText('The metrics of this server are for those who have its key')).toBeVisible();
    });
});
