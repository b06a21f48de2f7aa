// Where things are on the pages: their roles, names and data-* hooks, in one place.

import {expect, type Locator, type Page} from '@playwright/test';

/** The connection as the page's header shows it. */
export const status = (page: Page): Locator => page.getByTestId('status');

export async function expectOpen(page: Page, transport?: 'websocket' | 'sse'): Promise<void> {
    const via = transport ? `[data-transport=${transport}]` : '';
    await expect(status(page).and(page.locator(`[data-state=open]${via}`))).toBeVisible({timeout: 30_000});
}

export async function openChat(page: Page, transport?: 'websocket' | 'sse'): Promise<void> {
    await expectOpen(page, transport);
    // Listed among those who are here: so subscribed.
    await expect(page.getByTestId('members').getByText('you', {exact: true})).toBeVisible();
}

/** The texts of the chat that came from the server, in order. */
export const chatTexts = (page: Page): Locator => page.getByTestId('messages').getByTestId('message-text');

/** The texts of the chat that wait to be sent, in order. */
export const waitingTexts = (page: Page): Locator => page.getByTestId('pending').getByTestId('message-text');

/** The note beside each of them: why it is not sent yet. */
export const waitingNotes = (page: Page): Locator => page.getByTestId('pending').locator('.message__note');

/** Where a chat message is written. */
export const composer = (page: Page): Locator => page.getByRole('textbox', {name: 'Message', exact: true});

export async function say(page: Page, text: string): Promise<void> {
    await composer(page).fill(text);
    await composer(page).press('Enter');
}

export type PanelId = 'ws-sdk' | 'ws-plain' | 'sse-sdk' | 'sse-plain';

/** Presses “Try now”, be it there to press or not: where nothing waits, it changes nothing. */
export async function hurry(page: Page): Promise<void> {
    await status(page).getByRole('button', {includeHidden: true}).dispatchEvent('click');
}

/** One of the four panels of the classic page. */
export class ClassicPanel {
    readonly root: Locator;

    constructor(page: Page, id: PanelId) {
        this.root = page.getByTestId(id);
    }

    get status(): Locator {
        return this.root.getByRole('group');
    }

    /** The texts of one kind: 'server', 'you', 'custom', 'note', 'error'. */
    texts(kind: string): Locator {
        return this.root.getByRole('log').locator(`[data-kind=${kind}] .log__text`);
    }

    async send(text: string): Promise<void> {
        await this.root.getByRole('textbox').fill(text);
        await this.root.getByRole('button', {name: 'Send'}).click();
    }
}

export interface StateSeen {
    state: string;
    attempt: number | undefined;
    retryInMs: number | undefined;
    transport: string | undefined;
    /** The reason that the state gives: why it waits, or why it is closed. */
    reason: string;
}

/** Notes every state that the header shows, however short, from before the page's own scripts run. */
export async function recordStates(page: Page): Promise<void> {
    await page.addInitScript(() => {
        const seen: unknown[] = [];
        (globalThis as {statesSeen?: unknown[]}).statesSeen = seen;
        const note = (element: HTMLElement): void => {
            const {state, attempt, retryInMs, transport} = element.dataset;
            const number = (text: string | undefined) => (text === undefined ? undefined : Number(text));
            const next = {state, attempt: number(attempt), retryInMs: number(retryInMs), transport, reason: element.title};
            if (JSON.stringify(next) !== JSON.stringify(seen.at(-1))) seen.push(next);
        };
        document.addEventListener('DOMContentLoaded', () => {
            const element = document.querySelector<HTMLElement>('[data-testid=status]');
            if (!element) return;
            note(element);
            new MutationObserver(() => note(element)).observe(element, {
                attributes: true, attributeFilter: ['data-state', 'data-attempt', 'data-retry-in-ms', 'data-transport', 'title'],
            });
        });
    });
}

export async function statesSeen(page: Page): Promise<StateSeen[]> {
    return page.evaluate(() => (globalThis as unknown as {statesSeen: StateSeen[]}).statesSeen);
}
