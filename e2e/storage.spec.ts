// Unacknowledged messages, and how far a page has read, outlive the page (docs/sdk.md, "Beyond the page"; docs/protocol.md
// 4.4, 4.9, 9.2). Real IndexedDB, Web Locks and sessionStorage.

import type * as Sdk from 'pulsewire';
import type * as Storage from 'pulsewire/storage';
import {test, expect, type Page} from './support/test.ts';
import {history, publish} from './support/http.ts';
import {keepPages, serveSdk} from './support/kept_pages.ts';
import {chatTexts, ClassicPanel, expectOpen, hurry, openChat, say, status, waitingNotes, waitingTexts} from './support/pages.ts';
import {offsetsSeen, recordWire, wireSeen} from './support/wire.ts';

const lobby = async (origin: string) => (await history(origin, 'chat:lobby')).messages.map(({payload}) => (payload as {text: string}).text);
const lost = (page: Page) => expect(status(page)).toHaveAttribute('data-state', /^(waiting|connecting)$/);
const numbered = (count: number) => Array.from({length: count}, (_, index) => `message ${index + 1}`);

// --- the chat ---

for (const transport of ['websocket', 'sse'] as const) {
    test(`written while the server is down, kept through reloads, over ${transport}: every message arrives once and in order`, async ({server, visit}) => {
        const url = `${server.origin}/chat/?name=Ada&transport=${transport}`;
        const ada = await visit(url, {network: 'faulty', before: keepPages});
        await openChat(ada, transport);
        await server.kill9();
        await lost(ada);
        const written = numbered(6);
        for (const text of written.slice(0, 3)) await say(ada, text);
        await expect(waitingTexts(ada)).toHaveText(written.slice(0, 3));

        await ada.reload();
        await expect(waitingTexts(ada)).toHaveText(written.slice(0, 3));
        await expect(waitingNotes(ada)).toHaveText(Array(3).fill('Waiting for the connection'));
        for (const text of written.slice(3)) await say(ada, text);
        await ada.reload();
        await expect(waitingTexts(ada)).toHaveText(written);

        await server.restart();
        await hurry(ada);
        await openChat(ada, transport);
        await expect(waitingTexts(ada)).toHaveCount(0);
        await expect(chatTexts(ada)).toHaveText(written);
        await say(ada, 'and one more');
        await expect(chatTexts(ada)).toHaveText([...written, 'and one more']);
        expect(await lobby(server.origin)).toEqual([...written, 'and one more']);

        await ada.reload();
        await openChat(ada, transport);
        await expect(chatTexts(ada)).toHaveText([...written, 'and one more']);
        expect(await lobby(server.origin), 'nothing is sent again').toHaveLength(7);
        await expect(waitingTexts(ada)).toHaveCount(0);
        await expect(ada.locator('[data-testid=messages] [data-own]')).toHaveCount(7);
    });
}

test('sent but not acknowledged when the page was reloaded: repeated with the same key, one effect (4.9)', async ({server, network, visit}) => {
    const ada = await visit(`${network.origin}/chat/?name=Ada&transport=websocket`, {network: 'faulty', before: keepPages});
    const bob = await visit(`${server.origin}/chat/?name=Bob`);
    await openChat(ada);
    await openChat(bob);
    network.blackhole('from_server');
    for (const text of numbered(3)) await say(ada, text);
    await expect(chatTexts(bob)).toHaveText(numbered(3));
    await expect(waitingTexts(ada)).toHaveText(numbered(3));
    network.cut();
    await ada.reload();
    await expect(waitingTexts(ada)).toHaveText(numbered(3));
    network.heal();
    await hurry(ada);
    await openChat(ada);
    await expect(waitingTexts(ada)).toHaveCount(0);
    await expect(chatTexts(ada)).toHaveText(numbered(3));
    await say(ada, 'after');
    await expect(chatTexts(bob)).toHaveText([...numbered(3), 'after']);
    expect(await lobby(server.origin)).toEqual([...numbered(3), 'after']);
});

test('what a tab left when it was closed, or crashed, another open tab delivers, once', async ({server, network, visit}) => {
    const url = `${network.origin}/chat/?name=Ada`;
    const first = await visit(url, {network: 'faulty', before: keepPages});
    const context = first.context();
    await openChat(first);
    const second = await context.newPage();
    const third = await context.newPage();
    const fourth = await context.newPage();
    for (const page of [second, third, fourth]) {
        await page.goto(url);
        await openChat(page);
    }
    network.cut();
    for (const page of [first, second, third, fourth]) await lost(page);
    for (const text of ['first, one', 'first, two']) await say(first, text);
    await say(third, 'third');
    for (const text of ['fourth, one', 'fourth, two']) await say(fourth, text);
    await expect(waitingTexts(fourth)).toHaveCount(2);
    await first.close();
    const devtools = await context.newCDPSession(fourth);
    devtools.send('Page.crash').catch(() => {});
    // One of those that are left takes over what is orphaned: both writers' messages are in view again, each once.
    const shown = async () => (await Promise.all([second, third].map((page) => waitingTexts(page).allTextContents()))).flat();
    await expect.poll(async () => (await shown()).sort()).toEqual(['first, one', 'first, two', 'fourth, one', 'fourth, two', 'third']);
    network.heal();
    for (const page of [second, third]) {
        await hurry(page);
        await openChat(page);
        await expect(waitingTexts(page)).toHaveCount(0);
    }
    const sent = await lobby(server.origin);
    expect([...sent].sort()).toEqual(['first, one', 'first, two', 'fourth, one', 'fourth, two', 'third']);
    for (const writer of ['first', 'fourth']) expect(sent.filter((text) => text.startsWith(writer))).toEqual([`${writer}, one`, `${writer}, two`]);
    await expect(chatTexts(second)).toHaveText(sent);
});

test('a tab that lives keeps its own messages through reloads, whatever other tabs are there or are opened', async ({server, network, visit}) => {
    const url = `${network.origin}/chat/?name=Ada`;
    const first = await visit(url, {network: 'faulty', before: keepPages});
    await openChat(first);
    const second = await first.context().newPage();
    await second.goto(url);
    await openChat(second);
    network.cut();
    await lost(first);
    for (const text of numbered(2)) await say(first, text);
    for (let round = 0; round < 3; round += 1) {
        await first.reload();
        await expect(waitingTexts(first)).toHaveText(numbered(2));
    }
    const third = await first.context().newPage();
    await third.goto(url);
    await say(third, 'third');
    // This page may still be opening its storage.
    await third.reload();
    await expect(waitingTexts(third)).toHaveText(['third']);
    await expect(waitingTexts(first)).toHaveText(numbered(2));
    expect(await waitingTexts(second).count()).toBe(0);
    network.heal();
    for (const page of [first, third, second]) {
        await hurry(page);
        await openChat(page);
        await expect(waitingTexts(page)).toHaveCount(0);
    }
    // Which tab is back first is open; each tab's messages are in order.
    const sent = await lobby(server.origin);
    expect(sent.filter((text) => text !== 'third')).toEqual(numbered(2));
    expect(sent).toHaveLength(3);
    for (const page of [first, second, third]) await expect(chatTexts(page)).toHaveText(sent);
});

test('a message waits for its own room through a reload; one that is refused then is given back', async ({server, network, visit}) => {
    const ada = await visit(`${network.origin}/chat/?name=Ada`, {network: 'faulty', before: keepPages});
    await openChat(ada);
    network.cut();
    await lost(ada);
    await say(ada, 'for the lobby');
    await ada.getByRole('button', {name: 'engineering'}).click();
    await say(ada, 'for the engineers');
    await say(ada, 'x'.repeat(2001));
    await ada.reload();
    await expect(waitingTexts(ada).filter({visible: true})).toHaveText(['for the engineers', 'x'.repeat(2001)]);
    network.heal();
    await hurry(ada);
    await openChat(ada);
    await expect(chatTexts(ada)).toHaveText(['for the engineers']);
    await expect(ada.getByTestId('pending').getByTestId('error')).toHaveAttribute('data-code', 'rejected');
    await ada.getByRole('button', {name: 'Discard'}).click();
    await ada.getByRole('button', {name: 'lobby'}).click();
    await expect(chatTexts(ada)).toHaveText(['for the lobby']);
    await ada.reload();
    await openChat(ada);
    await expect(waitingTexts(ada)).toHaveCount(0);
    expect(await lobby(server.origin)).toEqual(['for the lobby']);
});

const breakages: Record<string, () => void> = {
    'IndexedDB throws': () => { IDBFactory.prototype.open = () => { throw new DOMException('refused', 'SecurityError'); }; },
    'IndexedDB fails': () => {
        IDBFactory.prototype.open = () => {
            const request = new EventTarget() as any;
            setTimeout(() => request.onerror?.(new Event('error')));
            return Object.assign(request, {error: new DOMException('corrupt', 'UnknownError')});
        };
    },
    'there is no IndexedDB': () => Object.defineProperty(globalThis, 'indexedDB', {value: undefined}),
    'there are no Web Locks': () => Object.defineProperty(Navigator.prototype, 'locks', {value: undefined}),
    'the disk is full': () => { IDBObjectStore.prototype.put = () => { throw new DOMException('full', 'QuotaExceededError'); }; },
};
for (const [name, breakage] of Object.entries(breakages)) {
    test(`${name}: it is said, and all else works`, async ({server, network, visit}) => {
        const ada = await visit(`${network.origin}/chat/?name=Ada`, {network: 'faulty', before: (page) => page.addInitScript(breakage)});
        const bob = await visit(`${server.origin}/chat/?name=Bob`);
        await openChat(ada);
        await openChat(bob);
        await expect(bob.getByTestId('not-kept')).toBeHidden();
        await say(ada, 'online');
        await expect(chatTexts(bob)).toHaveText(['online']);
        await expect(ada.getByTestId('not-kept')).toBeVisible();
        network.cut();
        await lost(ada);
        for (const text of numbered(3)) await say(ada, text);
        await expect(waitingTexts(ada)).toHaveText(numbered(3));
        network.heal();
        await openChat(ada);
        await expect(waitingTexts(ada)).toHaveCount(0);
        for (const page of [ada, bob]) await expect(chatTexts(page)).toHaveText(['online', ...numbered(3)]);
    });
}

// --- the SDK alone ---

interface Sdks {
    connect: typeof Sdk.connect;
    browserStorage: typeof Storage.browserStorage;
    clearBrowserStorage: typeof Storage.clearBrowserStorage;
    client: Sdk.Client;
    restored: Sdk.UnsentMessage[];
    warnings: Sdk.StorageWarning[];
}
declare const sdk: Sdks;

/** The SDK in an empty page, with a client on that storage. */
async function load(page: Page, options: Omit<Sdk.ConnectOptions, 'token'> = {}, storage: Storage.BrowserStorageOptions = {}): Promise<void> {
    await page.evaluate(async ([options, storage]) => {
        const [index, kept] = ['/sdk/index.js', '/sdk/storage.js'];
        const {connect} = (await import(index!)) as typeof Sdk;
        const {browserStorage, clearBrowserStorage} = (await import(kept!)) as typeof Storage;
        const client = connect('/', {...options, storage: browserStorage(storage)});
        const sdk: Sdks = {connect, browserStorage, clearBrowserStorage, client, restored: [], warnings: []};
        client.on('restored', (message) => sdk.restored.push(message));
        client.on('storage', (warning) => sdk.warnings.push(warning));
        Object.assign(globalThis, {sdk});
    }, [options, storage] as const);
}

/** How many messages are on the disk. */
const kept = (page: Page, name = 'pulsewire') => page.evaluate((name) => new Promise<number>((counted) => {
    const opening = indexedDB.open(name);
    // Before the storage has made it, so that it can.
    opening.onupgradeneeded = () => opening.transaction!.abort();
    opening.onerror = () => counted(0);
    opening.onsuccess = () => {
        const count = opening.result.transaction('messages').objectStore('messages').count();
        count.onsuccess = () => {
            opening.result.close();
            counted(count.result);
        };
    };
}), name);
const unsent = (page: Page) => page.evaluate(() => sdk.client.unsent.map(({payload}) => payload as number));
const withSdk = {before: async (page: Page) => serveSdk(page.context())};

test('a full outbox through a reload: each of a thousand messages arrives once and in order', async ({server, network, visit}) => {
    const bob = await visit(`${server.origin}/sdk/`, withSdk);
    await load(bob);
    await bob.evaluate(() => {
        const heard: unknown[] = [];
        Object.assign(globalThis, {heard});
        const channel = sdk.client.channel('test:outbox');
        channel.on('n', (payload) => heard.push(payload));
        return new Promise<void>((subscribed) => channel.watch('subscribed', () => subscribed()));
    });
    const ada = await visit(`${network.origin}/sdk/`, {...withSdk, network: 'faulty'});
    network.cut();
    await load(ada);
    const refused = await ada.evaluate(async () => {
        const channel = sdk.client.channel('test:outbox');
        for (let n = 1; n <= 999; n += 1) channel.publish('n', n).catch(() => {});
        channel.publish('n', 1000).catch(() => {});
        return channel.publish('n', 1001).then(() => 'taken', ({code}) => code as string);
    });
    expect(refused).toBe('outbox_full');
    await expect.poll(() => kept(ada)).toBe(1000);
    const all = Array.from({length: 1000}, (_, index) => index + 1);
    for (let round = 0; round < 2; round += 1) {
        await ada.reload();
        await load(ada);
        await expect.poll(() => unsent(ada)).toEqual(all);
    }
    // New messages wait after old ones, and may only come when there is room.
    expect(await ada.evaluate(() => sdk.client.channel('test:outbox').publish('n', 0).catch(({code}) => code as string))).toBe('outbox_full');
    network.heal();
    await ada.evaluate(() => sdk.client.reconnectNow());
    await expect.poll(() => unsent(ada), {timeout: 30_000}).toEqual([]);
    await ada.evaluate(() => sdk.client.channel('test:outbox').publish('n', 1001));
    const heard = () => bob.evaluate(() => (globalThis as unknown as {heard: number[]}).heard);
    await expect.poll(async () => (await heard()).length).toBe(1001);
    expect(await heard()).toEqual([...all, 1001]);
    expect(await ada.evaluate(async () => (await Promise.all(sdk.restored.map(({acknowledged}) => acknowledged))).map((position) => position!.offset))).toEqual(all);
});

test('messages are kept apart by name and by server; close() leaves them to the next client', async ({network, visit}) => {
    const page = await visit(`${network.origin}/sdk/`, {...withSdk, network: 'faulty'});
    network.cut();
    await load(page, {}, {name: 'ada'});
    await page.evaluate(() => void sdk.client.channel('test:a').publish('n', 1).catch(() => {}));
    await expect.poll(() => kept(page, 'ada')).toBe(1);
    expect(await page.evaluate(() => {
        const [message] = sdk.client.unsent;
        sdk.client.close();
        return message!.acknowledged.catch(({code}) => code as string);
    })).toBe('closed');
    const others = await page.evaluate(async () => {
        const elsewhere = sdk.connect('/elsewhere', {storage: sdk.browserStorage({name: 'ada'})});
        const bob = sdk.connect('/', {storage: sdk.browserStorage({name: 'bob'})});
        const ada = sdk.connect('/', {storage: sdk.browserStorage({name: 'ada'})});
        const restored = await new Promise<Sdk.UnsentMessage>((found) => ada.on('restored', found));
        const seen = [restored.payload, elsewhere.unsent.length, bob.unsent.length];
        for (const client of [elsewhere, bob, ada]) client.close();
        return seen;
    });
    expect(others).toEqual([1, 0, 0]);
});

test('what a user left is cleared for the next one, and nothing of another name', async ({network, visit}) => {
    const page = await visit(`${network.origin}/sdk/`, {...withSdk, network: 'faulty'});
    network.cut();
    for (const name of ['bob', 'ada']) {
        await load(page, {}, {name});
        await page.evaluate(() => void sdk.client.channel('test:a').publish('n', 1).catch(() => {}));
        await expect.poll(() => kept(page, name)).toBe(1);
        await page.evaluate(() => sdk.client.close());
    }
    await page.evaluate(() => sdk.clearBrowserStorage({name: 'ada'}));
    expect(await kept(page, 'ada')).toBe(0);
    expect(await page.evaluate(() => Object.keys(sessionStorage).filter((key) => key.startsWith('pulsewire/ada/')))).toEqual([]);
    expect(await kept(page, 'bob')).toBe(1);
    await load(page, {}, {name: 'ada'});
    await page.evaluate(() => void sdk.client.channel('test:a').publish('n', 2).catch(() => {}));
    await expect.poll(() => kept(page, 'ada')).toBe(1);
    expect(await page.evaluate(() => sdk.restored.length)).toBe(0);
    // While a client is open it says that it can keep nothing any more.
    await page.evaluate(() => sdk.clearBrowserStorage({name: 'ada'}));
    await page.evaluate(() => void sdk.client.channel('test:a').publish('n', 3).catch(() => {}));
    await expect.poll(() => page.evaluate(() => sdk.warnings.length)).toBeGreaterThan(0);
});

test('messages that are too old fail and are told, after the tab was away', async ({network, visit}) => {
    const page = await visit(`${network.origin}/sdk/`, {...withSdk, network: 'faulty'});
    network.cut();
    await load(page);
    await page.evaluate(() => void sdk.client.channel('test:a').publish('n', 1).catch(() => {}));
    await expect.poll(() => kept(page)).toBe(1);
    await page.reload();
    await load(page, {}, {maxAgeMs: 0});
    await expect.poll(() => page.evaluate(() => sdk.restored.length)).toBe(1);
    expect(await page.evaluate(() => sdk.restored[0]!.acknowledged.catch(({code}) => code as string))).toBe('timeout');
    await expect.poll(() => kept(page)).toBe(0);
});

// --- positions ---

test('reloaded again and again while messages come: none is missed, none is handled twice (4.4)', async ({server, visit}) => {
    const page = await visit(`${server.origin}/sdk/`, withSdk);
    let more = true;
    let published = 0;
    let handledTo = 0;
    const publishing = (async () => {
        while (more) {
            // The history holds 300: no more than that may be missed.
            if (published < handledTo + 200) await publish(server.origin, 'test:flow', (published += 1));
            await new Promise<void>((tick) => setImmediate(tick));
        }
    })();
    const read = async () => {
        const handled = await page.evaluate(() => JSON.parse(sessionStorage.getItem('handled') ?? '[]') as number[]);
        handledTo = handled.at(-1) ?? published;
        return handled;
    };
    for (let round = 1; round <= 6; round += 1) {
        await load(page);
        await page.evaluate(() => {
            const channel = sdk.client.channel('test:flow', {resume: true});
            channel.watch('gap', ({reason}) => sessionStorage.setItem('gap', reason));
            channel.on('*', (payload) => {
                const handled = JSON.parse(sessionStorage.getItem('handled') ?? '[]') as unknown[];
                sessionStorage.setItem('handled', JSON.stringify([...handled, payload]));
            });
        });
        const before = (await read()).length;
        await expect.poll(async () => (await read()).length).toBeGreaterThan(before + 5);
        if (round < 6) await page.reload();
    }
    more = false;
    await publishing;
    await expect.poll(async () => (await read()).at(-1)).toBe(published);
    const handled = await read();
    expect(handled).toEqual(handled.map((_, index) => handled[0]! + index));
    expect(await page.evaluate(() => sessionStorage.getItem('gap'))).toBeNull();
});

test('a position belongs to its tab: after a reload it goes on, a new tab begins anew', async ({server, visit}) => {
    const page = await visit(`${server.origin}/sdk/`, withSdk);
    for (let n = 1; n <= 3; n += 1) await publish(server.origin, 'test:tab', n);
    const listen = (to: Page) => to.evaluate(() => new Promise<[unknown, unknown]>((told) => {
        const heard: unknown[] = [];
        const channel = sdk.client.channel('test:tab', {resume: true, latest: 10});
        channel.on('*', (payload) => heard.push(payload));
        channel.watch('subscribed', ({recovered}) => void channel.history().then(() => told([recovered, heard])));
    }));
    await load(page);
    expect(await listen(page)).toEqual([undefined, [1, 2, 3]]);
    await page.reload();
    await publish(server.origin, 'test:tab', 4);
    await load(page);
    expect(await listen(page)).toEqual([true, [4]]);
    const other = await page.context().newPage();
    await other.goto(page.url());
    await load(other);
    expect(await listen(other)).toEqual([undefined, [1, 2, 3, 4]]);
});

test('the ticker goes on after a reload; when that cannot be it says so in words (4.4)', async ({server, visit}) => {
    const page = await visit(`${server.origin}/ticker/`, {
        network: 'faulty',
        before: async (page) => {
            await recordWire(page);
            await keepPages(page);
        },
    });
    const received = async () => Number((await page.getByTestId('received').textContent())!.replace(/,/g, ''));
    await expectOpen(page);
    await expect.poll(received).toBeGreaterThan(20);
    const before = await offsetsSeen(page, 'ticker:prices');
    await page.reload();
    await expectOpen(page);
    await expect.poll(received).toBeGreaterThan(5);
    await expect(page.getByTestId('recovered')).toHaveText(/nothing missed/);
    const after = await offsetsSeen(page, 'ticker:prices');
    expect(after[0], 'those that came after the last look are few').toBeLessThan(before.at(-1)! + 20);
    expect(after[0]).toBeGreaterThan(before.at(-1)!);
    expect(after).toEqual(after.map((_, index) => after[0]! + index));
    await expect(page.getByTestId('missed')).toHaveText('0');
    // The line does not begin anew either: what was before comes out of the history.
    const points = async () => (await page.getByTestId('chart').locator('.chart__line').getAttribute('d'))!.split('L').length;
    await expect.poll(points).toBeGreaterThan(3);
    await expect.poll(async () => (await wireSeen(page)).frames.filter(({op}) => op === 'history').length).toBe(1);

    // The page that is told must not be the one that was there when it happened.
    await server.kill9();
    await page.reload();
    await lost(page);
    await server.restart();
    await hurry(page);
    await expectOpen(page);
    await expect(page.getByTestId('recovered')).toHaveText(/^Some prices may have been missed while away: the server was restarted/);
    await expect(page.getByTestId('recovered')).toHaveAttribute('data-gap', 'true');
    const [subscribed] = (await wireSeen(page)).frames.filter(({op}) => op === 'subscribed');
    expect(subscribed).toMatchObject({recovered: false, reason: 'epoch_changed'});
});

test('notifications and the classic page say so as well, where they were (4.4)', async ({server, visit}) => {
    const notices = await visit(`${server.origin}/notifications/`, {network: 'faulty'});
    const classic = await visit(`${server.origin}/classic/`, {network: 'faulty'});
    await expectOpen(notices);
    await expectOpen(classic);
    await publish(server.origin, 'notify:all', {title: 'Before', body: '', level: 'info'}, {type: 'notify.message'});
    await expect(notices.getByTestId('notices')).toContainText('Before');
    await server.kill9();
    await lost(notices);
    await server.restart();
    await hurry(notices);
    await publish(server.origin, 'notify:all', {title: 'After', body: '', level: 'info'}, {type: 'notify.message'});
    await expect(notices.getByTestId('notices').getByRole('listitem')).toHaveText([/^After/, /^The server was restarted here/, /^Before/]);
    for (const panel of ['ws-sdk', 'sse-sdk'] as const) {
        await expect(new ClassicPanel(classic, panel).texts('note').filter({hasText: /^The server was restarted/})).toHaveCount(1);
    }
});
