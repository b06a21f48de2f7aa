// The shared document: two editors of one text that merge what was written apart (docs/state.md, "Yjs documents").

import type {Locator} from '@playwright/test';
import {violationsOf} from './support/axe.ts';
import {test, expect, type Page} from './support/test.ts';
import {expectOpen, status} from './support/pages.ts';

const editor = (page: Page, who: 'ada' | 'bob'): Locator => page.getByTestId(who);
const area = (page: Page, who: 'ada' | 'bob'): Locator => editor(page, who).getByRole('textbox');
const plug = (page: Page, who: 'ada' | 'bob'): Locator => editor(page, who).getByRole('button', {name: 'Pull the plug'});
const expectText = async (page: Page, text: string): Promise<void> => {
    for (const who of ['ada', 'bob'] as const) await expect(area(page, who)).toHaveValue(text);
    await expect(page.getByTestId('verdict')).toHaveText('Both texts are the same');
};

async function opened(page: Page): Promise<void> {
    await expectOpen(page);
    for (const who of ['ada', 'bob'] as const) await expect(area(page, who)).toHaveAttribute('placeholder', /Write something/);
}

async function write(page: Page, who: 'ada' | 'bob', text: string): Promise<void> {
    await area(page, who).press('Control+End');
    await page.keyboard.type(text);
}

test('two editors that were offline for a while have the same text, and so has whoever comes late', async ({server, visit}) => {
    const page = await visit(`${server.origin}/document/?room=both`);
    await opened(page);
    await write(page, 'ada', 'Bread\n');
    await expectText(page, 'Bread\n');
    for (const who of ['ada', 'bob'] as const) {
        await plug(page, who).click();
        await expect(plug(page, who)).toHaveAttribute('aria-pressed', 'true');
    }
    await write(page, 'ada', 'Milk 😀\n');
    await area(page, 'bob').press('Control+Home');
    await page.keyboard.type('List:\n');
    await expect(page.getByTestId('verdict')).toHaveText('The texts differ');
    await expect(editor(page, 'ada')).toContainText('Not sent yet');
    await expect(area(page, 'ada')).toHaveValue('Bread\nMilk 😀\n');
    await expect(area(page, 'bob')).toHaveValue('List:\nBread\n');

    for (const who of ['ada', 'bob'] as const) await plug(page, who).click();
    await expectText(page, 'List:\nBread\nMilk 😀\n');
    for (const who of ['ada', 'bob'] as const) await expect(editor(page, who)).toContainText('All sent');
    const late = await visit(`${server.origin}/document/?room=both`);
    await expectText(late, 'List:\nBread\nMilk 😀\n');
});

test('undo takes back one’s own changes alone, by the button and by the keyboard', async ({server, visit}) => {
    const page = await visit(`${server.origin}/document/?room=undo`);
    await opened(page);
    await write(page, 'ada', 'aaaa');
    await expectText(page, 'aaaa');
    await write(page, 'bob', ' bbbb');
    await expectText(page, 'aaaa bbbb');
    await editor(page, 'ada').getByRole('button', {name: 'Undo'}).click();
    await expectText(page, ' bbbb');
    await expect(editor(page, 'ada').getByRole('button', {name: 'Undo'})).toHaveAttribute('aria-disabled', 'true');
    await area(page, 'ada').press('Control+Shift+Z');
    await expectText(page, 'aaaa bbbb');
    await area(page, 'bob').press('Control+z');
    await expectText(page, 'aaaa');
});

test('a caret is seen by the others where it is, and goes with its editor; one’s own stays where it is while others write', async ({server, visit}) => {
    const page = await visit(`${server.origin}/document/?room=carets`);
    await opened(page);
    await write(page, 'ada', 'one two');
    await expectText(page, 'one two');
    await expect(editor(page, 'bob').getByTestId('caret')).toHaveText('Ada');
    await area(page, 'bob').press('Home');
    await expect(editor(page, 'ada').getByTestId('caret')).toHaveText('Bob');

    // Somebody in another tab writes before the caret: it stays between the same letters.
    const other = await visit(`${server.origin}/document/?room=carets`);
    await opened(other);
    await area(page, 'ada').press('End');
    for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowLeft');
    await area(other, 'bob').press('Home');
    await other.keyboard.type('zero ');
    await expectText(page, 'zero one two');
    await area(page, 'ada').press('x');
    await expectText(page, 'zero one xtwo');
    await expect(editor(other, 'ada').getByTestId('caret').filter({hasText: 'Ada'})).toHaveCount(1);
    await page.close();
    await expect(editor(other, 'bob').getByTestId('caret')).toHaveCount(0);
});

test('a word that is composed is left alone while others write', async ({server, visit}) => {
    const page = await visit(`${server.origin}/document/?room=compose`);
    await opened(page);
    await write(page, 'ada', 'ab');
    await expectText(page, 'ab');
    await area(page, 'ada').press('ArrowLeft');
    const keyboard = await page.context().newCDPSession(page);
    await keyboard.send('Input.imeSetComposition', {text: 'に', selectionStart: 1, selectionEnd: 1});
    await expect(area(page, 'ada')).toHaveValue('aにb');
    const other = await visit(`${server.origin}/document/?room=compose`);
    await opened(other);
    await area(other, 'ada').press('Home');
    await other.keyboard.type('<');
    await expect(area(page, 'bob')).toHaveValue('<ab');
    await expect(area(page, 'ada')).toHaveValue('aにb');
    await keyboard.send('Input.insertText', {text: '日'});
    await expectText(page, '<a日b');
    await expectText(other, '<a日b');
});

test('while a plug is out the page is accessible', async ({server, visit}) => {
    const page = await visit(`${server.origin}/document/?room=axe`, {bypassCSP: true});
    await opened(page);
    await write(page, 'bob', 'Hello');
    await expectText(page, 'Hello');
    await page.keyboard.press('Shift+Home');
    await expect(editor(page, 'ada').getByTestId('caret')).toHaveText('Bob');
    await plug(page, 'ada').click();
    await expect(status(page)).toHaveAttribute('data-state', 'waiting');
    expect(await violationsOf(page)).toEqual([]);
});
