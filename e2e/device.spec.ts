// Device control: a wish goes to one device and has one outcome; who is there and who has gone is shown (docs/protocol.md 4.16,
// 4.18; design promise P7).

import type {Locator} from '@playwright/test';
import {test, expect, type Page} from './support/test.ts';
import {expectOpen} from './support/pages.ts';
import {RawConnection} from './support/raw_socket.ts';

const lamp = (page: Page): Locator => page.getByTestId('lamp');
const control = (page: Page, name: string): Locator => lamp(page).getByRole('switch', {name});
const row = (page: Page, name: string): Locator => page.getByTestId('lamp-row').filter({hasText: name});
const light = (of: Locator): Locator => of.getByRole('switch');
const outcome = (of: Locator): Locator => of.getByTestId('outcome');

async function openLamp(visit: (url: string) => Promise<Page>, origin: string, name: string): Promise<Page> {
    const page = await visit(`${origin}/device/?lamp=${name}`);
    await expectOpen(page);
    await expect(page.getByTestId('dashboard')).toBeHidden();
    return page;
}

for (const transport of ['websocket', 'sse'] as const) {
    test(`a dashboard switches two lamps, each by itself, over ${transport}`, async ({server, visit}) => {
        const page = await visit(`${server.origin}/device/?transport=${transport}`);
        await expectOpen(page, transport);
        const kitchen = await openLamp(visit, server.origin, 'Kitchen');
        await expect(page.getByTestId('lamp-row')).toHaveCount(2);
        await expect(row(page, 'Kitchen')).toHaveAttribute('data-here', 'true');

        await light(row(page, 'Kitchen')).click();
        await expect(outcome(row(page, 'Kitchen'))).toHaveText(/^Done after \d+ ms\.$/);
        await expect(kitchen.getByTestId('lamp-words')).toHaveText('On, 70 %');
        await expect(lamp(page)).toHaveAttribute('data-lit', 'false');
        await row(page, 'Kitchen').getByRole('slider', {name: 'Kitchen: brightness'}).fill('30');
        await expect(kitchen.getByTestId('lamp-words')).toHaveText('On, 30 %');

        // Somebody at the lamp itself.
        await control(kitchen, 'Its own switch').click();
        await expect(row(page, 'Kitchen')).toContainText('It says: off.');
        await expect(light(row(page, 'Kitchen'))).not.toBeChecked();
    });
}

test('a locked lamp refuses, an unplugged one is gone with its last word, and comes back (P7)', async ({server, visit}) => {
    const page = await visit(`${server.origin}/device/`);
    await expectOpen(page);
    const own = row(page, await lamp(page).getByRole('heading').innerText());
    await expect(own).toHaveAttribute('data-here', 'true');
    await light(own).click();
    await expect(light(own)).toBeChecked();

    await control(page, 'Locked').click();
    await light(own).click();
    await expect(outcome(own)).toHaveText(/^Refused by the lamp: Lamp \d+ is locked\.$/);
    await expect(light(own)).toBeChecked();
    await control(page, 'Locked').click();

    await control(page, 'Plugged in').click();
    await expect(lamp(page)).toHaveAttribute('data-lit', 'false');
    await light(own).click();
    await expect(outcome(own)).toHaveText('The lamp is not here.');
    await expect(own).toHaveAttribute('data-here', 'false');
    await expect(own).toContainText(/Gone since .*Its last word, at .*: on, 70 %\./);

    // Who looks at it now for the first time is told the same.
    const other = await visit(`${server.origin}/device/`);
    await expect(row(other, 'gone')).toContainText(/Not here\. Its last word, at .*: on, 70 %\./);

    await control(page, 'Plugged in').click();
    await expect(own).toHaveAttribute('data-here', 'true');
    await light(own).click();
    await expect(lamp(page)).toHaveAttribute('data-lit', 'false');
    await expect(outcome(own)).toHaveText(/^Done/);
});

test('a lamp that falls silent answers nobody, and the dashboard says so in two seconds', async ({server, network, visit}) => {
    const kitchen = await visit(`${network.origin}/device/?lamp=Kitchen`, {network: 'faulty'});
    await expectOpen(kitchen);
    const page = await visit(`${server.origin}/device/`);
    await expect(row(page, 'Kitchen')).toHaveAttribute('data-here', 'true');
    network.blackhole();
    await light(row(page, 'Kitchen')).click();
    await expect(outcome(row(page, 'Kitchen'))).toHaveText(/^No answer within two seconds/);
    network.heal();
});

test('the server takes no state that no lamp can have (6.1)', async ({server}) => {
    const connection = await RawConnection.connect(server.origin);
    for (const payload of [{name: '', on: true, brightness: 5}, {name: 'x', on: true, brightness: 101}]) {
        expect(await connection.ask({op: 'publish', channel: 'device:home', type: 'lamp.state', payload})).toMatchObject({op: 'error', code: 'rejected'});
    }
});
