// Whatever people send stays text, in every demo; the content policy would stop what got through; and no page complains.

import {test, expect, type Page} from './support/test.ts';
import {publish, request} from './support/http.ts';
import {EventStream} from './support/event_stream.ts';
import {chatTexts, ClassicPanel, expectOpen, openChat, say} from './support/pages.ts';

const pages = ['/', '/classic/', '/chat/', '/ticker/', '/notifications/'];

const hostile = [
    '<img src=x onerror=alert(1)>', '<script>alert(2)</script>', '"><svg onload=alert(3)>', '<a href="javascript:alert(4)">x</a>',
    '\'-alert(5)-\'', '{{alert(6)}}', '<b>bold</b>', '&lt;i&gt;&amp;', '</p></li></ol><b>out</b>', '\u202etxet \u2028 line',
];
// Every element that the hostile texts would create, and every attribute by which they would act.
const created = (page: Page) => page.evaluate(() => {
    const inserted = 'main img, main svg[onload], main script, main a[href^="javascript:"], main b, [onerror], [onload]';
    return [...document.querySelectorAll(inserted)].map((element) => element.outerHTML);
});

test('in the chat: as a text, as a name, as a room', async ({server, visit}) => {
    const ada = await visit(`${server.origin}/chat/?name=${encodeURIComponent(hostile[0]!)}`);
    const bob = await visit(`${server.origin}/chat/?name=Bob`);
    await openChat(ada);
    await openChat(bob);
    for (const text of hostile) await say(ada, text);
    await expect(chatTexts(bob)).toHaveCount(hostile.length);
    for (const text of hostile) {
        await publish(server.origin, 'chat:lobby', {user: text.slice(0, 40), text}, {type: 'chat.message'});
        await publish(server.origin, 'chat:lobby', {user: text.slice(0, 40)}, {type: 'chat.typing', transient: true});
    }
    await expect(bob.getByTestId('typing')).not.toBeEmpty();
    for (const page of [ada, bob]) {
        await expect(chatTexts(page)).toHaveCount(2 * hostile.length);
        expect(await chatTexts(page).allTextContents()).toEqual([...hostile, ...hostile]);
        expect(await created(page)).toEqual([]);
    }
    await expect(bob.getByTestId('members')).toContainText('<img src=x onerror=alert(1)>');
    await bob.getByRole('textbox', {name: 'Another room'}).fill(hostile[0]!);
    await bob.getByRole('button', {name: 'Join'}).click();
    await openChat(bob);
    expect(await created(bob)).toEqual([]);
});

test('on the classic page, over every variant', async ({server, visit}) => {
    const ada = await visit(`${server.origin}/classic/`);
    const bob = await visit(`${server.origin}/classic/`);
    for (const id of ['ws-sdk', 'ws-plain'] as const) {
        for (const page of [ada, bob]) await expect(new ClassicPanel(page, id).texts('server').first()).toBeVisible();
        const panel = new ClassicPanel(ada, id);
        for (const text of hostile) await panel.send(text);
        await expect(panel.texts('server').last()).toHaveText(`Server received: ${hostile.at(-1)}`);
    }
    for (const id of ['ws-sdk', 'ws-plain'] as const) {
        const panel = new ClassicPanel(bob, id);
        await expect(panel.texts('server')).toHaveCount(1 + 2 * hostile.length);
        expect((await panel.texts('server').allTextContents()).slice(1)).toEqual([...hostile, ...hostile].map((text) => `Broadcast: ${text}`));
    }
    for (const page of [ada, bob]) expect(await created(page)).toEqual([]);
});

test('in notifications and jobs: title, text and name', async ({server, visit}) => {
    const ada = await visit(`${server.origin}/notifications/`);
    const gallery = await visit(`${server.origin}/`);
    await expectOpen(ada);
    await expectOpen(gallery);
    for (const text of hostile.slice(0, 4)) {
        await ada.getByLabel('Title').fill(text);
        await ada.getByLabel('Text').fill(text);
        await ada.getByRole('button', {name: 'Send'}).click();
        await expect(ada.locator('.notice__title').filter({hasText: text}).first()).toBeVisible();
        await ada.getByRole('textbox', {name: 'Job', exact: true}).fill(text);
        await ada.getByRole('button', {name: 'Start the job'}).click();
        await expect(ada.getByTestId('jobs').getByText(text, {exact: true})).toBeVisible();
    }
    // The card shows the first running job; when the last one has ended, the newest notification.
    await expect(gallery.getByTestId('live-notifications')).toContainText(hostile[3]!);
    for (const page of [ada, gallery]) expect(await created(page)).toEqual([]);
});

test('in an event stream no text becomes another event (8.4.1)', async ({server}) => {
    const stream = await EventStream.open(`${server.origin}/events?channel=test:lines`);
    await stream.next('pulsewire.open');
    const text = 'one\n\nevent: evil\ndata: {"type":"evil"}\nid: 9\r\n\r\nretry: 1\n\n';
    await publish(server.origin, 'test:lines', text);
    await publish(server.origin, 'test:lines', 'next');
    expect(JSON.parse((await stream.next('message')).data).payload).toBe(text);
    expect(JSON.parse((await stream.next('message')).data).payload).toBe('next');
    expect(stream.events.items.map(({event}) => event)).toEqual(['pulsewire.open', 'message', 'message']);
    stream.close();
});

for (const path of pages) {
    test(`${path} has a content policy without unsafe-inline, keeps to it, and complains of nothing`, async ({server, visit}) => {
        const {headers} = await request(server.origin + path);
        const policy = String(headers['content-security-policy']);
        expect(policy).toContain('script-src');
        expect(policy).not.toContain('unsafe-inline');
        expect(policy).not.toMatch(/'unsafe-eval'/);
        expect(headers['x-content-type-options']).toBe('nosniff');
        const page = await visit(server.origin + path);
        await expectOpen(page);
        await expect(page.getByRole('heading', {level: 1})).toBeVisible();
        // In the page as it is served: what its scripts do to elements by the CSSOM needs no permission.
        expect(await page.evaluate(async () => new DOMParser().parseFromString(await (await fetch(location.href)).text(), 'text/html')
            .querySelectorAll('script:not([src]), style, [style], [onclick]').length)).toBe(0);
        expect(await page.evaluate(() => document.querySelectorAll('script:not([src]), style, [onclick]').length)).toBe(0);
    });
}

test('the policy is enforced: an inline script that got into a page would not run', async ({server, browser, engine}) => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const violations: string[] = [];
    page.on('console', (message) => { if (message.type() === 'error') violations.push(message.text()); });
    // Firefox's come this way.
    page.on('pageerror', ({message}) => { violations.push(message); });
    await page.goto(`${server.origin}/chat/`);
    const ran = await page.evaluate(() => {
        const script = document.createElement('script');
        script.textContent = 'globalThis.ran = true';
        document.body.append(script);
        const image = document.createElement('div');
        image.innerHTML = '<img src="data:," onerror="globalThis.ran = true">';
        document.body.append(image);
        return (globalThis as {ran?: boolean}).ran ?? false;
    });
    expect(ran).toBe(false);
    await expect.poll(() => violations.join()).toMatch(engine === 'firefox' ? /violates the following directive: “script-src/ : /Content Security Policy/);
    expect(await page.evaluate(() => (globalThis as {ran?: boolean}).ran)).toBeUndefined();
    await context.close();
});
