// The demo as script/server starts it, with a data folder: whoever stops it and starts it again finds everything in its
// place (docs/protocol.md 4.4, 5.3).

import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {chatTexts, expectOpen, openChat, say, waitingTexts} from './support/pages.ts';
import {test as base, expect} from './support/test.ts';

const test = base.extend({
    serverOptions: async ({}, use) => {
        const folder = mkdtempSync(join(tmpdir(), 'pulsewire-demo-'));
        await use({args: ['--data', folder]});
        rmSync(folder, {recursive: true, force: true});
    },
});

for (const end of ['stop', 'kill9'] as const) {
    test(`the server ends (${end}) and starts again: no window lost anything`, async ({server, visit}) => {
        const ada = await visit(`${server.origin}/chat/?name=Ada`, {network: 'faulty'});
        const ticker = await visit(`${server.origin}/ticker/`, {network: 'faulty'});
        await openChat(ada);
        await expect(ticker.getByTestId('received')).not.toHaveText('0');
        await say(ada, 'before');
        await expect(chatTexts(ada)).toHaveText(['before']);
        await server[end]();
        await say(ada, 'meanwhile');
        await expect(waitingTexts(ada)).toHaveText(['meanwhile']);
        await server.restart();
        await expect(chatTexts(ada)).toHaveText(['before', 'meanwhile'], {timeout: 30_000});
        await expect(ada.getByTestId('messages')).not.toContainText('The server was restarted');
        await expect(ada.getByTestId('break-it-outcome')).toHaveText('Recovered: nothing was sent meanwhile by others. 1 message you wrote was delivered.');
        await expect(ticker.getByTestId('recovered')).toHaveText(/nothing missed/, {timeout: 30_000});
        await expect(ticker.getByTestId('missed')).toHaveText('0');
        await ada.reload();
        await openChat(ada);
        await expect(chatTexts(ada)).toHaveText(['before', 'meanwhile']);
    });
}

test('a job ends with the server, and is not shown as running for ever', async ({server, visit}) => {
    const page = await visit(`${server.origin}/notifications/`, {network: 'faulty'});
    await expectOpen(page);
    await page.getByRole('button', {name: 'Start the job'}).click();
    const job = page.getByTestId('jobs').getByRole('listitem');
    await expect(job).toHaveAttribute('data-state', 'running');
    await server.kill9();
    await server.restart();
    await expect(job).toHaveAttribute('data-state', 'lost', {timeout: 30_000});
    await page.reload();
    await expect(page.getByTestId('jobs')).toHaveText('No job has run lately.');
});
