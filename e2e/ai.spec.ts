// The AI chat: a reply that grows for everybody, whatever happens to one of them (docs/ai.md).

import type {Locator} from '@playwright/test';
import {violationsOf} from './support/axe.ts';
import {history} from './support/http.ts';
import {expectOpen} from './support/pages.ts';
import {RawConnection} from './support/raw_socket.ts';
import {test, expect, type Page} from './support/test.ts';

type Who = 'you' | 'other';
const visitor = (page: Page, who: Who): Locator => page.getByTestId(who);
const reply = (page: Page, who: Who): Locator => visitor(page, who).getByTestId('reply').last();
const textOf = async (page: Page, who: Who): Promise<string> => (await reply(page, who).locator('.ai__text').textContent()) ?? '';
const act = (page: Page, who: Who, name: string): Promise<void> => visitor(page, who).getByRole('button', {name, exact: true}).click();
const ask = (page: Page, question: string): Promise<void> => page.getByRole('button', {name: question}).click();
/** That the reply has become longer than it is now, by a few words. */
async function expectGrowth(page: Page, who: Who): Promise<void> {
    const {length} = await textOf(page, who);
    await expect.poll(async () => (await textOf(page, who)).length).toBeGreaterThan(length + 20);
}

/** What the model has written into the channel. */
async function written(origin: string, room: string): Promise<string> {
    const {messages} = await history(origin, `ai:${room}`);
    return messages.filter(({type}) => type === 'stream').map(({payload}) => (payload as {text?: string}).text ?? '').join('');
}

test('a pulled plug costs no word, and whoever comes late has the whole text', async ({server, visit}) => {
    const page = await visit(`${server.origin}/ai/?room=plug`);
    await expectOpen(page);
    await ask(page, 'What does a late visitor see?');
    await expectGrowth(page, 'you');

    await act(page, 'you', 'Pull the plug');
    const torn = await textOf(page, 'you');
    await act(page, 'other', 'Come in');
    await expect(reply(page, 'other').getByTestId('at-once')).toHaveText(/^\d+ characters at once$/);
    await expectGrowth(page, 'other');
    expect((await textOf(page, 'other')).startsWith(torn)).toBe(true);
    expect(await textOf(page, 'you')).toBe(torn);
    await expect(page.getByTestId('verdict')).toHaveText(/^You lack \d+ characters$/);

    await act(page, 'you', 'Pull the plug');
    await expect(reply(page, 'you')).toHaveAttribute('data-state', 'complete', {timeout: 40_000});
    await expect(page.getByTestId('verdict')).toHaveText('Both have the same text');
    const whole = await written(server.origin, 'plug');
    expect(whole).toMatch(/^Somebody who comes late .* until now\.$/s);
    for (const who of ['you', 'other'] as const) expect(await textOf(page, who)).toBe(whole);
    await page.reload();
    await expect(reply(page, 'you')).toHaveAttribute('data-state', 'complete');
    expect(await textOf(page, 'you')).toBe(whole);
});

test('anybody stops the model: another tab, also while the one that asked is gone', async ({server, visit}) => {
    const page = await visit(`${server.origin}/ai/?room=stop`);
    await expectOpen(page);
    await page.getByRole('textbox', {name: 'Your question'}).fill('Who can stop you?');
    await page.keyboard.press('Enter');
    await expectGrowth(page, 'you');
    const tab = await visit(`${server.origin}/ai/?room=stop`);
    await expectGrowth(tab, 'you');
    await page.goto('about:blank');
    await expectGrowth(tab, 'you');
    await act(tab, 'you', 'Stop');
    await expect(reply(tab, 'you')).toHaveAttribute('data-state', 'cancelled');
    await expect(reply(tab, 'you')).toContainText('Stopped');
    const stopped = await textOf(tab, 'you');
    expect(await written(server.origin, 'stop')).toBe(stopped);
    await expect(visitor(tab, 'you').getByRole('button', {name: 'Stop'})).toHaveAttribute('aria-disabled', 'true');
    // The next question is answered below the first one.
    await ask(tab, 'What happens when I pull the plug?');
    await expect(visitor(tab, 'you').getByTestId('reply')).toHaveCount(2);
    await expectGrowth(tab, 'you');
    await act(tab, 'other', 'Come in');
    await act(tab, 'other', 'Stop');
    for (const who of ['you', 'other'] as const) await expect(reply(tab, who)).toHaveAttribute('data-state', 'cancelled');
});

test('only the model writes replies, one at a time in a room (6.1)', async ({server}) => {
    const connection = await RawConnection.connect(server.origin);
    const publish = (channel: string, type: string, payload: object) => connection.ask({op: 'publish', channel, type, payload});
    expect(await publish('ai:x', 'stream', {id: 'r', n: 0, text: 'Buy!', begin: {writer: 'me', leaseMs: 30_000}})).toMatchObject({op: 'error', code: 'rejected'});
    expect(await publish('ask:x', 'ask.question', {id: '', text: ''})).toMatchObject({op: 'error', code: 'rejected'});
    expect(await publish('ask:x', 'ask.question', {id: '', text: 'x'.repeat(501)})).toMatchObject({op: 'error', code: 'rejected'});
    expect((await publish('ask:x', 'ask.question', {id: 'mine', text: 'Hello'})).op).toBe('published');
    expect(await publish('ask:x', 'ask.question', {id: '', text: 'And?'})).toMatchObject({op: 'error', code: 'rejected'});
    expect((await publish('ask:y', 'ask.question', {id: '', text: 'Hello'})).op).toBe('published');
    const [question] = (await history(server.origin, 'ask:x')).messages;
    expect((question!.payload as {id: string}).id).not.toBe('mine');
});

test('while it is written, with both visitors and a plug out, the page is accessible', async ({server, visit}) => {
    const page = await visit(`${server.origin}/ai/?room=axe`, {bypassCSP: true});
    await expectOpen(page);
    await act(page, 'other', 'Come in');
    await ask(page, 'What happens when I pull the plug?');
    await expectGrowth(page, 'you');
    await act(page, 'you', 'Pull the plug');
    await expect(visitor(page, 'you').getByRole('button', {name: 'Try now'})).toBeVisible();
    expect(await violationsOf(page)).toEqual([]);
});
