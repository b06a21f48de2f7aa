// Chat: rooms, who is here, typing hints, history for late comers (docs/protocol.md 4.5–4.7, 4.9, 4.11).

import {test, expect, type Page} from './support/test.ts';
import {history} from './support/http.ts';
import {chatTexts, composer, openChat, say, status, waitingTexts} from './support/pages.ts';

const self = (page: Page) => page.getByRole('button', {name: /your name$/});
const members = (page: Page) => page.getByTestId('members').locator('.member__name');

for (const [first, second] of [['websocket', 'websocket'], ['websocket', 'sse'], ['sse', 'sse']] as const) {
    test(`two people talk, one over ${first}, one over ${second}: the same messages in the same order`, async ({server, visit}) => {
        const ada = await visit(`${server.origin}/chat/?name=Ada&transport=${first}`);
        const bob = await visit(`${server.origin}/chat/?name=Bob&transport=${second}`);
        await openChat(ada, first);
        await openChat(bob, second);
        const said: string[] = [];
        for (let n = 1; n <= 4; n += 1) {
            for (const [page, name] of [[ada, 'Ada'], [bob, 'Bob']] as const) {
                said.push(`${name} says ${n}`);
                await say(page, said.at(-1)!);
                await expect(chatTexts(page).last()).toHaveText(said.at(-1)!);
            }
        }
        for (const page of [ada, bob]) {
            await expect(chatTexts(page)).toHaveText(said);
            await expect(waitingTexts(page)).toHaveCount(0);
        }
        const {messages} = await history(server.origin, 'chat:lobby');
        expect(messages.map(({payload}) => (payload as {text: string}).text)).toEqual(said);
    });
}

test('who is here: comes, is renamed, goes (4.6, 4.7)', async ({server, visit}) => {
    const ada = await visit(`${server.origin}/chat/?name=Ada`);
    await openChat(ada);
    await expect(members(ada)).toHaveText(['Ada']);
    const bob = await visit(`${server.origin}/chat/?name=Bob`);
    await openChat(bob);
    await expect(members(ada)).toHaveText(['Ada', 'Bob']);
    await expect(members(bob)).toHaveText(['Bob', 'Ada']);
    await expect(ada.getByTestId('room-count')).toHaveText('2 here');

    await bob.getByLabel('Your name').fill('Robert');
    await bob.getByRole('button', {name: 'Change'}).click();
    await expect(members(ada)).toHaveText(['Ada', 'Robert']);

    await bob.close();
    await expect(members(ada)).toHaveText(['Ada']);
    await expect(ada.getByTestId('room-count')).toHaveText('1 here');
});

test('two windows of one browser are two visitors, and a reload changes neither', async ({server, visit}) => {
    const left = await visit(`${server.origin}/chat/`);
    await openChat(left);
    const right = await left.context().newPage();
    await right.goto(`${server.origin}/chat/`);
    await openChat(right);
    const owners = (page: Page) => page.getByTestId('messages').locator('.message').evaluateAll(
        (messages) => messages.map((message) => 'own' in (message as HTMLElement).dataset));
    await say(left, 'From the left');
    await expect(chatTexts(right).last()).toHaveText('From the left');
    expect(await owners(right)).toEqual([false]);
    await expect.poll(() => owners(left)).toEqual([true]);

    const name = await left.getByLabel('Your name').inputValue();
    await left.reload();
    await openChat(left);
    await expect(left.getByLabel('Your name')).toHaveValue(name);
    await expect(chatTexts(left)).toHaveText(['From the left']);
    expect(await owners(left)).toEqual([true]);
    await expect(members(left)).toHaveCount(2);
});

test('after a reload a person is listed once again (4.7)', async ({server, visit}) => {
    const ada = await visit(`${server.origin}/chat/?name=Ada`);
    const bob = await visit(`${server.origin}/chat/?name=Bob`);
    await openChat(ada);
    await openChat(bob);
    await expect(members(ada)).toHaveText(['Ada', 'Bob']);
    await ada.reload();
    await openChat(ada);
    await expect(members(bob)).toHaveText(['Bob', 'Ada']);
    await expect(members(ada)).toHaveText(['Ada', 'Bob']);
});

test('who comes late reads what was said (4.5)', async ({server, visit}) => {
    const ada = await visit(`${server.origin}/chat/?name=Ada`);
    await openChat(ada);
    for (const text of ['first', 'second', 'third']) await say(ada, text);
    await expect(chatTexts(ada)).toHaveText(['first', 'second', 'third']);
    const bob = await visit(`${server.origin}/chat/?name=Bob`);
    await expect(chatTexts(bob)).toHaveText(['first', 'second', 'third']);
    await say(ada, 'fourth');
    await expect(chatTexts(bob)).toHaveText(['first', 'second', 'third', 'fourth']);
});

test('rooms are apart, and the way back shows what was said meanwhile', async ({server, visit}) => {
    const ada = await visit(`${server.origin}/chat/?name=Ada`);
    const bob = await visit(`${server.origin}/chat/?name=Bob`);
    await openChat(ada);
    await openChat(bob);
    await say(ada, 'in the lobby');
    await expect(chatTexts(bob)).toHaveText(['in the lobby']);

    await bob.getByRole('button', {name: 'engineering'}).click();
    await expect(bob.getByRole('heading', {level: 1})).toHaveText('engineering');
    await expect(chatTexts(bob)).toHaveCount(0);
    await openChat(bob);
    await say(bob, 'among engineers');
    await expect(chatTexts(bob)).toHaveText(['among engineers']);
    await expect(members(ada)).toHaveText(['Ada']);
    await say(ada, 'still in the lobby');
    await expect(chatTexts(ada)).toHaveText(['in the lobby', 'still in the lobby']);
    await expect(chatTexts(bob)).toHaveText(['among engineers']);

    await bob.getByRole('textbox', {name: 'Another room'}).fill('Tea & Biscuits');
    await bob.getByRole('button', {name: 'Join'}).click();
    await expect(bob.getByRole('heading', {level: 1})).toHaveText('tea-biscuits');
    await openChat(bob);
    await bob.getByRole('button', {name: 'lobby'}).click();
    await expect(chatTexts(bob)).toHaveText(['in the lobby', 'still in the lobby']);
    expect(new URL(bob.url()).searchParams.get('room')).toBe('lobby');
});

test('a typing hint is seen by the others, not by oneself, and ends with the message (4.10, 4.11)', async ({server, visit}) => {
    const ada = await visit(`${server.origin}/chat/?name=Ada`);
    const bob = await visit(`${server.origin}/chat/?name=Bob`);
    await openChat(ada);
    await openChat(bob);
    await composer(ada).pressSequentially('Hel');
    await expect(bob.getByTestId('typing')).toHaveText('Ada is typing…');
    // At once, here and below: after some seconds a hint ends by itself.
    expect(await ada.getByTestId('typing').textContent()).toBe('');
    await composer(ada).pressSequentially('lo\n');
    await expect(chatTexts(bob)).toHaveText(['Hello']);
    expect(await bob.getByTestId('typing').textContent()).toBe('');
    await expect(chatTexts(ada)).toHaveText(['Hello']);
    // A hint is kept nowhere.
    expect((await history(server.origin, 'chat:lobby')).messages.map(({type}) => type)).toEqual(['chat.message']);
});

test('a message the server rejects is given back with its error, and the next one goes through (6.1)', async ({server, visit}) => {
    const ada = await visit(`${server.origin}/chat/?name=Ada`);
    await openChat(ada);
    await say(ada, 'x'.repeat(2001));
    const error = ada.getByTestId('pending').getByTestId('error');
    await expect(error).toHaveAttribute('data-code', 'rejected');
    await expect(error).toContainText('2000');
    await ada.getByRole('button', {name: 'Edit'}).click();
    await expect(composer(ada)).toHaveValue('x'.repeat(2001));
    await expect(waitingTexts(ada)).toHaveCount(0);
    await say(ada, 'x'.repeat(2000));
    await expect(chatTexts(ada)).toHaveText(['x'.repeat(2000)]);
    await expect(status(ada)).toHaveAttribute('data-state', 'open');
});

for (const [way, press] of [['a tap', (page: Page) => self(page).click()], ['the keyboard', (page: Page) => self(page).press('Enter')]] as const) {
    test(`on a phone the name is changed where it is shown, by ${way}`, async ({server, visit}) => {
        const ada = await visit(`${server.origin}/chat/?name=Ada`, {viewport: {width: 390, height: 844}});
        const bob = await visit(`${server.origin}/chat/?name=Bob`);
        await openChat(ada);
        await openChat(bob);
        await expect(self(ada)).toBeInViewport({ratio: 1});
        const field = ada.getByLabel('Your name');
        await expect(field).toBeHidden();
        await press(ada);
        await expect(field).toBeFocused();
        await ada.keyboard.type('Augusta');
        await ada.keyboard.press('Enter');
        await expect(members(bob)).toHaveText(['Bob', 'Augusta']);
        await expect(self(ada)).toContainText('Augusta');
        await expect(field).toBeHidden();
    });
}

test('the focus stays on one’s own name while others come and go', async ({server, visit}) => {
    const ada = await visit(`${server.origin}/chat/?name=Ada`);
    await openChat(ada);
    await self(ada).focus();
    const bob = await visit(`${server.origin}/chat/?name=Bob`);
    await openChat(bob);
    await expect(members(ada)).toHaveText(['Ada', 'Bob']);
    await expect(self(ada)).toBeFocused();
});
