// Without a mouse and without eyes: everything is reached by keys, and what changes is announced.

import {test, expect, type Page} from './support/test.ts';
import {chatTexts, expectOpen, openChat, status} from './support/pages.ts';

const tabsMax = 40;

// Presses Tab until the element has the focus, as somebody would who looks for it.
async function tabTo(page: Page, role: 'textbox' | 'button' | 'radio' | 'link', name: string | RegExp): Promise<void> {
    const target = page.getByRole(role, {name, ...(typeof name === 'string' ? {exact: true} : {})}).first();
    for (let presses = 0; presses < tabsMax; presses += 1) {
        if (await target.evaluate((element) => element === document.activeElement)) return;
        await page.keyboard.press('Tab');
    }
    throw new Error(`${tabsMax} times Tab did not lead to the ${role} ${name}`);
}

// Whatever has the focus can be seen to have it.
const focusIsVisible = (page: Page) => page.evaluate(() => {
    const style = getComputedStyle(document.activeElement!);
    return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none';
});

test('a chat message is written and sent with keys alone', async ({server, visit}) => {
    const page = await visit(`${server.origin}/chat/?name=Ada`);
    const bob = await visit(`${server.origin}/chat/?name=Bob`);
    await openChat(page);
    await openChat(bob);
    // Of two windows Firefox gives the focus to one.
    await page.bringToFront();
    await page.keyboard.press('Tab');
    await expect(page.getByRole('link', {name: 'Skip to the content'})).toBeFocused();
    await page.keyboard.press('Enter');
    await tabTo(page, 'textbox', 'Message');
    expect(await focusIsVisible(page)).toBe(true);
    await page.keyboard.type('Typed');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('in two lines');
    await page.keyboard.press('Enter');
    await expect(chatTexts(bob)).toHaveText('Typed\nin two lines', {useInnerText: true});
    await page.keyboard.type('and by the button');
    await page.keyboard.press('Tab');
    await expect(page.getByRole('button', {name: 'Send'})).toBeFocused();
    await page.keyboard.press('Space');
    await expect(chatTexts(bob).last()).toHaveText('and by the button');
});

test('rooms, transport and jobs obey keys too', async ({server, visit}) => {
    const chat = await visit(`${server.origin}/chat/?name=Ada`);
    await openChat(chat);
    await tabTo(chat, 'button', /random/);
    await chat.keyboard.press('Enter');
    await expect(chat.getByRole('heading', {level: 1})).toHaveText('random');

    const ticker = await visit(`${server.origin}/ticker/`);
    await expectOpen(ticker, 'sse');
    await tabTo(ticker, 'radio', 'SSE');
    await ticker.keyboard.press('ArrowRight');
    await expectOpen(ticker, 'websocket');

    const notifications = await visit(`${server.origin}/notifications/`);
    await expectOpen(notifications);
    await tabTo(notifications, 'button', 'Start the job');
    await notifications.keyboard.press('Enter');
    await expect(notifications.getByTestId('jobs').getByRole('listitem')).toHaveAttribute('data-state', 'running');
    await tabTo(notifications, 'button', /^Cancel:/);
    await notifications.keyboard.press('Enter');
    await expect(notifications.getByTestId('jobs').getByRole('listitem')).toHaveAttribute('data-state', 'canceled');
});

test('the state of the connection is announced, its countdown is not', async ({server, visit}) => {
    const page = await visit(`${server.origin}/chat/?name=Ada`, {network: 'faulty'});
    await openChat(page);
    const announced = status(page).getByRole('status');
    await expect(announced).toHaveText('Connection open');
    const spoken: string[] = [];
    await page.exposeFunction('spoken', (text: string) => spoken.push(text));
    await announced.evaluate((element) => {
        new MutationObserver(() => (globalThis as unknown as {spoken: (text: string) => void}).spoken(element.textContent!))
            .observe(element, {childList: true, characterData: true, subtree: true});
    });
    await server.kill9();
    await expect(announced).toHaveText('Connection lost, trying again by itself');
    await expect.poll(async () => Number(await status(page).getAttribute('data-attempt'))).toBeGreaterThanOrEqual(2);
    await server.restart();
    await expectOpen(page);
    await expect(announced).toHaveText('Connection open');
    await expect.poll(() => spoken).toEqual(['Connection lost, trying again by itself', 'Connection open']);
});

test('new messages are announced, typing hints politely', async ({server, visit}) => {
    const page = await visit(`${server.origin}/chat/?name=Ada`);
    await openChat(page);
    await expect(page.getByRole('log', {name: 'Messages'})).toBeVisible();
    await expect(page.getByTestId('typing')).toHaveAttribute('aria-live', 'polite');
    const notifications = await visit(`${server.origin}/notifications/`);
    await expect(notifications.getByTestId('toasts')).toHaveAttribute('aria-live', 'polite');
});
