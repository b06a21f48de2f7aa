// The chat's sign-in and its private rooms: names that the demo's own issuer gives out, and a room for two (docs/protocol.md 4.21–4.24).

import {test, expect, type Page} from './support/test.ts';
import {violationsOf} from './support/axe.ts';
import {request} from './support/http.ts';
import {chatTexts, composer, hurry, openChat, say, status} from './support/pages.ts';

const account = (page: Page) => page.getByTestId('account');
const closedRoom = (page: Page) => page.getByTestId('closed-room');
const signInButton = (page: Page) => page.getByRole('button', {name: 'Sign in under this name'});
const privately = (page: Page, name: string) => page.getByRole('button', {name: `Talk in private with ${name}`});
const authors = (page: Page) => page.getByTestId('messages').locator('.message__user');

async function signIn(page: Page): Promise<void> {
    await signInButton(page).click();
    await expect(account(page)).toBeVisible();
    await openChat(page);
}

async function expectAccessible(page: Page): Promise<void> {
    for (const [colorScheme, width] of [['light', 1280], ['dark', 390]] as const) {
        await page.emulateMedia({colorScheme});
        await page.setViewportSize({width, height: 844});
        expect(await page.evaluate(() => document.documentElement.scrollWidth), `${width} px`).toBe(width);
        expect(await violationsOf(page), `${colorScheme}, ${width} px`).toEqual([]);
    }
    await page.setViewportSize({width: 1280, height: 900});
}

test('a name is of who signed in under it: others may call themselves so, without the tick, and nobody else may sign in', async ({server, visit}) => {
    const ann = await visit(`${server.origin}/chat/?name=Ann`);
    const other = await visit(`${server.origin}/chat/?name=Ann`);
    const bob = await visit(`${server.origin}/chat/?name=Bob`);
    for (const page of [ann, other, bob]) await openChat(page);
    await say(other, 'I am Ann');
    await expect(chatTexts(ann)).toHaveText(['I am Ann']);
    await signInButton(ann).focus();
    await ann.keyboard.press('Enter');
    await expect(ann.getByRole('button', {name: 'Sign out'})).toBeFocused();
    await openChat(ann);
    await say(ann, 'No, I am');
    await expect(chatTexts(bob)).toHaveText(['I am Ann', 'No, I am']);
    await expect(authors(bob)).toHaveText(['Ann', 'Ann (signed in)']);
    await signInButton(other).click();
    await expect(other.getByTestId('account-problem')).toHaveText('Ann: somebody else has this name already.');
    await expect(account(other)).toBeHidden();
    // Whoever does not sign in reads and writes as before.
    await say(other, 'All right');
    await expect(chatTexts(ann).last()).toHaveText('All right');
    await expect(privately(bob, 'Ann'), 'for those who signed in').toHaveCount(0);

    await ann.getByRole('button', {name: 'Sign out'}).click();
    await openChat(ann);
    await expect(signInButton(ann)).toBeVisible();
    await expect(bob.getByTestId('members').locator('.member__name')).toHaveText(['Bob', 'Ann', 'Ann']);
    await expect(bob.getByTestId('members').locator('.tick')).toHaveCount(0);
});

test('a private room is for its two, also after a reload; a third is told so, signed in or not', async ({server, visit}) => {
    const options = {bypassCSP: true};
    const ann = await visit(`${server.origin}/chat/?name=Ann`, options);
    const zoe = await visit(`${server.origin}/chat/?name=Zo%C3%AB%20B.`, options);
    for (const page of [ann, zoe]) {
        await openChat(page);
        await signIn(page);
    }
    await expectAccessible(ann);
    await privately(ann, 'Zoë B.').click();
    await privately(zoe, 'Ann').click();
    await expect(ann.getByRole('heading', {level: 1})).toHaveText('Zoë B.');
    await expect(zoe.getByRole('heading', {level: 1})).toHaveText('Ann');
    await say(ann, 'just for you');
    await expect(chatTexts(zoe)).toHaveText(['just for you']);
    await zoe.reload();
    await openChat(zoe);
    await expect(chatTexts(zoe)).toHaveText(['just for you']);
    await say(zoe, 'thank you');
    await expect(chatTexts(ann)).toHaveText(['just for you', 'thank you']);
    await expect(authors(ann).last()).toHaveText('Zoë B. (signed in)');

    const eve = await visit(ann.url().replace('name=Ann', 'name=Eve'), options);
    await expect(closedRoom(eve)).toContainText('This room belongs to Ann and Zoë B.');
    await expect(closedRoom(eve)).toContainText('You have not signed in.');
    await expect(composer(eve)).toBeHidden();
    await expectAccessible(eve);
    await signInButton(eve).click();
    await expect(closedRoom(eve)).toContainText('You are signed in as Eve.');
    await expect(eve.locator('.error-note')).toHaveCount(0);
    await expect(chatTexts(eve)).toHaveCount(0);
    await expect(ann.getByTestId('room-count')).toHaveText('2 here');
    const room = new URL(ann.url()).searchParams.get('room')!;
    for (const path of ['messages', 'presence']) expect((await request(`${server.origin}/api/channels/${room}/${path}`)).status).toBe(403);
    await eve.getByRole('button', {name: 'Back to the lobby'}).click();
    await openChat(eve);
    await expect(composer(eve)).toBeVisible();

    await zoe.getByRole('button', {name: 'Sign out'}).click();
    await expect(closedRoom(zoe)).toContainText('You have not signed in.');
    await expect(chatTexts(zoe)).toHaveCount(0);
});

test('who is signed in stays so when the server starts anew, which signs with another key', async ({server, visit}) => {
    const ann = await visit(`${server.origin}/chat/?name=Ann`, {network: 'faulty'});
    await openChat(ann);
    await signIn(ann);
    await server.kill9();
    await expect(status(ann)).toHaveAttribute('data-state', 'waiting');
    await server.restart();
    await hurry(ann);
    await openChat(ann);
    await expect(account(ann)).toContainText('Ann');
    await expect(ann.getByTestId('members').locator('.tick')).toHaveCount(1);
    await say(ann, 'still me');
    await expect(chatTexts(ann)).toHaveText(['still me']);
});

test.describe('where the operator has a key', () => {
    test.use({serverOptions: {config: {api_key: 'of the operator'}}});

    test('the demo signs nobody in, and says so', async ({server, visit}) => {
        const ann = await visit(`${server.origin}/chat/?name=Ann`);
        await openChat(ann);
        await signInButton(ann).click();
        await expect(ann.getByTestId('account-problem')).toHaveText('Ann: this server signs nobody in.');
        await say(ann, 'as before');
        await expect(chatTexts(ann)).toHaveText(['as before']);
        expect((await request(`${server.origin}/api/channels/chat:lobby/messages`)).status).toBe(401);
    });
});
