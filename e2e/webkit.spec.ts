// The main steps through the demos in WebKit, by WebDriver.

import {By, Key, type WebDriver} from 'selenium-webdriver';
import {publish} from './support/http.ts';
import {expect, test as base} from './support/test.ts';
import {WebKit} from './support/webkit.ts';

const test = base.extend<object, {webkit: WebKit}>({
    webkit: [async ({}, use) => {
        const webkit = await WebKit.start();
        await use(webkit);
        await webkit.stop();
    }, {scope: 'worker'}],
});

/** A browser of this visit alone. */
async function browsing(webkit: WebKit, act: (kit: Kit) => Promise<void>): Promise<void> {
    const browser = await webkit.browse();
    try {
        await act(new Kit(browser));
    } finally {
        await browser.quit();
    }
}

/** What a visitor sees and does. */
class Kit {
    readonly #browser: WebDriver;

    constructor(browser: WebDriver) {
        this.#browser = browser;
    }

    open(url: string): Promise<void> {
        return this.#browser.get(url);
    }

    reload(): Promise<void> {
        return this.#browser.navigate().refresh();
    }

    async say(text: string): Promise<void> {
        await this.#browser.findElement(By.css('[placeholder^="Write"]')).sendKeys(text, Key.ENTER);
    }

    async press(name: string): Promise<void> {
        const button = await this.#browser.findElement(By.xpath(`//button[normalize-space()='${name}']`));
        await this.#browser.executeScript('arguments[0].scrollIntoView({block: "center"})', button);
        await button.click();
    }

    text(testId: string): Promise<string> {
        return this.#browser.executeScript('return document.querySelector(`[data-testid="${arguments[0]}"]`)?.innerText ?? ""', testId);
    }

    attribute(testId: string, name: string): Promise<string | null> {
        return this.#browser.executeScript('return document.querySelector(`[data-testid="${arguments[0]}"]`)?.getAttribute(arguments[1]) ?? null', testId, name);
    }

    texts(selector: string): Promise<string[]> {
        return this.#browser.executeScript('return [...document.querySelectorAll(arguments[0])].map((element) => element.innerText)', selector);
    }

    async expectOpen(transport?: string): Promise<void> {
        await expect.poll(() => this.attribute('status', 'data-state'), {timeout: 30_000}).toBe('open');
        if (transport) expect(await this.attribute('status', 'data-transport')).toBe(transport);
    }
}

const said = '[data-testid=messages] [data-testid=message-text]';
const waiting = '[data-testid=pending] [data-testid=message-text]';

for (const transport of ['websocket', 'sse']) {
    test(`WebKit chats over ${transport}: it sends, receives, and finds everything after a reload`, async ({webkit, server}) => {
        await browsing(webkit, async (kit) => {
            await kit.open(`${server.origin}/chat/?name=Kit&transport=${transport}`);
            await kit.expectOpen(transport);
            await kit.say('from Kit');
            await expect.poll(() => kit.texts(said)).toEqual(['from Kit']);
            await publish(server.origin, 'chat:lobby', {user: 'Ada', text: 'to Kit'}, {type: 'chat.message'});
            await expect.poll(() => kit.texts(said)).toEqual(['from Kit', 'to Kit']);
            await kit.reload();
            await kit.expectOpen(transport);
            await expect.poll(() => kit.texts(said)).toEqual(['from Kit', 'to Kit']);
            expect(await kit.texts(waiting)).toEqual([]);
        });
    });
}

test('WebKit keeps what is written while the server is away, through a reload, and delivers it', async ({webkit, server}) => {
    await browsing(webkit, async (kit) => {
        await kit.open(`${server.origin}/chat/?name=Kit`);
        await kit.expectOpen();
        await server.stop();
        await expect.poll(() => kit.attribute('status', 'data-state')).toBe('waiting');
        await kit.say('written while away');
        await expect.poll(() => kit.texts(waiting)).toEqual(['written while away']);
        await expect.poll(() => kit.text('pending')).toContain('Waiting');
        // Nobody serves the page now.
        await kit.reload().catch(() => {});
        await server.restart();
        await kit.open(`${server.origin}/chat/?name=Kit`);
        await kit.expectOpen();
        await expect.poll(() => kit.texts(said), {timeout: 30_000}).toEqual(['written while away']);
        await expect.poll(() => kit.texts(waiting)).toEqual([]);
    });
});

const pages = [
    ['/', 'messages have reached'], ['/ticker/', 'Messages per second'], ['/notifications/', 'All notifications'],
    ['/classic/', 'Welcome to the WebSocket server'], ['/whiteboard/?name=Kit', 'Kit (you)'], ['/device/', 'It says: off.'],
    ['/drop/', 'Nobody has dropped anything yet.'],
    ['/game/?name=Kit', 'Kit (you)'], ['/dashboard/', 'As of '], ['/news/', 'Harbour United'], ['/playground/', 'Both have all'],
] as const;

test('WebKit opens every demo', async ({webkit, server}) => {
    await browsing(webkit, async (kit) => {
        for (const [path, text] of pages) {
            await kit.open(server.origin + path);
            await kit.expectOpen();
            await expect.poll(async () => (await kit.texts('body')).join()).toContain(text);
        }
    });
});

test('WebKit recovers the prices of an outage that the visitor made', async ({webkit, server}) => {
    await browsing(webkit, async (kit) => {
        await kit.open(`${server.origin}/ticker/`);
        await kit.expectOpen();
        await expect.poll(async () => Number(await kit.text('received'))).toBeGreaterThan(0);
        await kit.press('Go offline for 10 s');
        await expect.poll(() => kit.attribute('status', 'data-state')).not.toBe('open');
        await kit.expectOpen();
        await expect.poll(() => kit.text('recovered'), {timeout: 30_000}).toMatch(/none missed|nothing missed/);
        expect(await kit.text('missed')).toBe('0');
    });
});

test('WebKit loses no message when the server is killed and the page is reloaded', async ({webkit, server}) => {
    test.slow();
    await browsing(webkit, async (kit) => {
        const figure = async (id: string): Promise<number> => Number((await kit.text(id)).replaceAll(',', ''));
        await kit.open(`${server.origin}/lose/`);
        await expect.poll(() => figure('arrived'), {timeout: 30_000}).toBeGreaterThan(100);
        await kit.press('Kill the server with SIGKILL');
        await expect.poll(() => kit.text('log'), {timeout: 30_000}).toContain('The server is started again');
        await kit.reload();
        await expect.poll(() => kit.text('log')).toContain('The page was left');
        const before = await figure('arrived');
        await expect.poll(() => figure('arrived'), {timeout: 30_000}).toBeGreaterThan(before + 200);
        await kit.press('Stop writing');
        await expect.poll(() => figure('on-the-way'), {timeout: 30_000}).toBe(0);
        expect([await figure('lost'), await figure('doubled')]).toEqual([0, 0]);
        expect(await figure('arrived')).toBe(await figure('written'));
    });
});
