// Notifications: a form reaches everybody, and so does the progress of jobs on the server (docs/protocol.md 4.9, 4.12, 6.1).

import {test, expect, type Page} from './support/test.ts';
import {expectOpen} from './support/pages.ts';

const job = (page: Page, title: string) => page.getByTestId('jobs').getByRole('listitem').filter({hasText: title});

async function notify(page: Page, title: string, body: string): Promise<void> {
    await page.getByLabel('Title').fill(title);
    await page.getByLabel('Text').fill(body);
    await page.getByRole('button', {name: 'Send'}).click();
}

async function start(page: Page, title: string): Promise<void> {
    await page.getByRole('textbox', {name: 'Job', exact: true}).fill(title);
    await page.getByRole('button', {name: 'Start the job'}).click();
}

test('a notification becomes a toast and an entry with everybody; who comes later finds the entry', async ({server, visit}) => {
    const ada = await visit(`${server.origin}/notifications/`);
    const bob = await visit(`${server.origin}/notifications/?transport=sse`);
    await expectOpen(ada, 'websocket');
    await expectOpen(bob, 'sse');
    await notify(ada, 'Tea is ready', 'In the kitchen.');
    await expect(ada.locator('#notify-state')).toHaveText('Sent');
    for (const page of [ada, bob]) {
        await expect(page.getByTestId('toasts')).toContainText('Tea is ready');
        await expect(page.getByTestId('toasts')).toContainText('In the kitchen.');
        await expect(page.getByTestId('notices').getByRole('listitem')).toHaveCount(1);
        await expect(page.getByTestId('notices')).toContainText('Tea is ready');
    }
    await bob.getByRole('button', {name: 'Dismiss: Tea is ready'}).click();
    // At once: after some seconds it would be gone by itself.
    expect(await bob.getByTestId('toasts').innerHTML()).toBe('');

    const eve = await visit(`${server.origin}/notifications/`);
    await expect(eve.getByTestId('notices')).toContainText('Tea is ready');
    expect(await eve.getByTestId('toasts').innerHTML()).toBe('');
});

test('a job’s progress is seen by everybody until it is done', async ({server, visit}) => {
    const ada = await visit(`${server.origin}/notifications/`);
    const bob = await visit(`${server.origin}/notifications/?transport=sse`);
    await expectOpen(ada);
    await expectOpen(bob);
    await start(ada, 'Count the stars');
    const percents: Record<string, number[]> = {ada: [], bob: []};
    for (const [name, page] of [['ada', ada], ['bob', bob]] as const) {
        await expect(job(page, 'Count the stars')).toHaveAttribute('data-state', 'running');
        await expect.poll(async () => {
            percents[name]!.push(await job(page, 'Count the stars').getByRole('progressbar').evaluate((bar) => (bar as HTMLProgressElement).value));
            return new Set(percents[name]).size;
        }).toBeGreaterThan(3);
    }
    for (const seen of Object.values(percents)) expect(seen).toEqual([...seen].sort((a, b) => a - b));
    for (const page of [ada, bob]) {
        await expect(job(page, 'Count the stars')).toHaveAttribute('data-state', 'done');
        await expect(job(page, 'Count the stars')).toContainText('Done');
        await expect(job(page, 'Count the stars').getByRole('button')).toBeHidden();
    }
});

test('anybody cancels a job, and everybody sees it', async ({server, visit}) => {
    const ada = await visit(`${server.origin}/notifications/`);
    const bob = await visit(`${server.origin}/notifications/`);
    await expectOpen(ada);
    await expectOpen(bob);
    await start(ada, 'Boil the ocean');
    await bob.getByRole('button', {name: 'Cancel: Boil the ocean'}).click();
    for (const page of [ada, bob]) await expect(job(page, 'Boil the ocean')).toHaveAttribute('data-state', 'canceled');
});

test('the sixth job at once is rejected with a typed error (4.12, 6.1)', async ({server, visit}) => {
    const page = await visit(`${server.origin}/notifications/`);
    await expectOpen(page);
    // One after the other without a look between, since the first is done after some ten seconds.
    for (let n = 1; n <= 6; n += 1) await start(page, `Job ${n}`);
    await expect(page.locator('#start-error').getByTestId('error')).toHaveAttribute('data-code', 'rejected');
    await expect(job(page, 'Job 6')).toHaveCount(0);
    // The youngest, which has the longest way to go.
    await page.getByRole('button', {name: 'Cancel: Job 5'}).click();
    await expect(job(page, 'Job 5')).toHaveAttribute('data-state', 'canceled');
    await start(page, 'Job 7');
    await expect(job(page, 'Job 7')).toBeVisible();
    await expect(page.locator('#start-error')).toBeEmpty();
});

test('a title that is missing or too long is refused with the place of the fault (6.1)', async ({server, visit}) => {
    const page = await visit(`${server.origin}/notifications/`);
    await expectOpen(page);
    const error = page.locator('#notify-error').getByTestId('error');
    await notify(page, 'x'.repeat(81), '');
    await expect(error).toHaveAttribute('data-code', /^(rejected|invalid_payload)$/);
    await notify(page, '', '');
    await expect(error).toHaveAttribute('data-code', /^(rejected|invalid_payload)$/);
    await notify(page, 'x'.repeat(80), '');
    await expect(error).toHaveCount(0);
    await expect(page.getByTestId('notices')).toContainText('x'.repeat(80));
});
