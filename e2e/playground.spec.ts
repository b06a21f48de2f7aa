// The playground: a server, two clients and the network between them, in one page (docs/test-server.md).

import {test, expect, type Page} from './support/test.ts';
import {violationsOf} from './support/axe.ts';
import {expectOpen} from './support/pages.ts';

type Name = 'ada' | 'bob';

const client = (page: Page, name: Name) => page.getByTestId(name);
const state = (page: Page, name: Name) => client(page, name).getByRole('group', {name: /^Connection/});
const button = (page: Page, name: Name, label: string) => client(page, name).getByRole('button', {name: label});
const texts = (page: Page, name: Name) => client(page, name).locator('.playground__said');
const gaps = (page: Page, name: Name) => client(page, name).locator('.playground__gap');
const verdict = (page: Page) => page.getByTestId('verdict');

async function say(page: Page, name: Name, text: string): Promise<void> {
    await client(page, name).getByRole('textbox').fill(text);
    await client(page, name).getByRole('textbox').press('Enter');
}

async function bothHave(page: Page, ...expected: string[]): Promise<void> {
    for (const name of ['ada', 'bob'] as const) await expect(texts(page, name)).toHaveText(expected);
    await expect(verdict(page)).toHaveText('Both have all');
}

test('two clients lose nothing to a cut, a tunnel, a stall, restarts and a hand-over, and nothing leaves the page', async ({server, visit}) => {
    const page = await visit(`${server.origin}/playground/`);
    for (const name of ['ada', 'bob'] as const) await expect(state(page, name)).toHaveAttribute('data-state', 'open');
    await expectOpen(page);
    await expect(page.getByTestId('here')).toHaveText('2');
    const asked: string[] = [];
    // A part of the page itself that says why a connection failed comes when it is needed.
    page.on('request', (request) => { if (!/\/shared\/why-\w+\.js$/.test(request.url())) asked.push(request.url()); });
    page.on('websocket', (socket) => asked.push(socket.url()));

    await say(page, 'ada', 'one');
    await bothHave(page, 'one');
    await button(page, 'ada', 'Cut').click();
    await page.getByRole('button', {name: 'Publish from a backend'}).click();
    await bothHave(page, 'one', 'Message 1 of the backend');

    await button(page, 'bob', 'Offline').click();
    await say(page, 'bob', 'from the tunnel');
    await say(page, 'ada', 'Bob?');
    await expect(verdict(page)).toHaveText('Bob lacks 1');
    await expect(client(page, 'bob').locator('[data-waits]')).toContainText('from the tunnel');
    await expect(state(page, 'bob')).toHaveAttribute('data-state', 'waiting');
    await button(page, 'bob', 'Offline').click();
    const soFar = ['one', 'Message 1 of the backend', 'Bob?', 'from the tunnel'];
    await bothHave(page, ...soFar);

    await button(page, 'bob', 'Stall').click();
    await say(page, 'ada', 'slowly');
    await expect(verdict(page)).toHaveText('Bob lacks 1');
    await button(page, 'bob', 'Stall').click();
    await bothHave(page, ...soFar, 'slowly');

    await page.getByRole('button', {name: 'Restart', exact: true}).click();
    await say(page, 'bob', 'still here');
    await bothHave(page, ...soFar, 'slowly', 'still here');
    await page.getByRole('button', {name: 'Hand over'}).click();
    await expect(page.getByTestId('trace')).toContainText('"op":"drain"');
    await expect(gaps(page, 'ada')).toHaveCount(0);

    await page.getByRole('button', {name: 'Restart with an empty disk'}).click();
    for (const name of ['ada', 'bob'] as const) {
        await expect(gaps(page, name)).toHaveText('Messages are missing: the server was restarted and keeps nothing from before.');
    }
    await say(page, 'ada', 'a new beginning');
    await bothHave(page, ...soFar, 'slowly', 'still here', 'a new beginning');
    expect(asked).toEqual([]);
});

test('with keys alone, and accessible while a client waits', async ({server, visit}) => {
    const page = await visit(`${server.origin}/playground/`, {bypassCSP: true, viewport: {width: 390, height: 844}});
    await expect(state(page, 'ada')).toHaveAttribute('data-state', 'open');
    await client(page, 'ada').getByRole('textbox').focus();
    await page.keyboard.type('hello');
    await page.keyboard.press('Enter');
    await expect(texts(page, 'bob')).toHaveText(['hello']);
    for (let i = 0; i < 4; i += 1) await page.keyboard.press('Tab');
    await expect(button(page, 'ada', 'Offline')).toBeFocused();
    await page.keyboard.press('Space');
    await expect(button(page, 'ada', 'Offline')).toHaveAttribute('aria-pressed', 'true');
    await client(page, 'ada').getByRole('textbox').focus();
    await page.keyboard.type('waiting');
    await page.keyboard.press('Enter');
    await expect(state(page, 'ada')).toHaveAttribute('data-state', 'waiting');
    await page.getByRole('slider').fill('300');
    await expect(page.getByText('300 ms', {exact: true})).toBeVisible();
    for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({colorScheme});
        expect(await violationsOf(page), colorScheme).toEqual([]);
    }
});
