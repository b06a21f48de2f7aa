// The frames that a page's own WebSockets and EventSources brought, recorded unknown to the SDK and the page.

import type {Page} from '@playwright/test';
import type {Frame} from './raw_socket.ts';

/** Notes every frame that reaches the page, and every WebSocket or EventSource it opens, from before its scripts run. */
export async function recordWire(page: Page): Promise<void> {
    await page.addInitScript(() => {
        const wire = {frames: [] as string[], opened: [] as string[]};
        (globalThis as {wire?: unknown}).wire = wire;
        const note = (event: MessageEvent): void => { wire.frames.push(...String(event.data).split('\n').filter(Boolean)); };
        globalThis.WebSocket = class extends WebSocket {
            constructor(url: string | URL, protocols?: string | string[]) {
                super(url, protocols ?? []);
                wire.opened.push('websocket');
                this.addEventListener('message', note);
            }
        };
        globalThis.EventSource = class extends EventSource {
            constructor(url: string | URL, init?: EventSourceInit) {
                super(url, init);
                wire.opened.push('sse');
                this.addEventListener('message', note);
            }
        };
    });
}

interface Wire {
    frames: Frame[];
    opened: ('websocket' | 'sse')[];
}

export async function wireSeen(page: Page): Promise<Wire> {
    const {frames, opened} = await page.evaluate(() =>
        (globalThis as unknown as {wire: {frames: string[]; opened: ('websocket' | 'sse')[]}}).wire);
    return {frames: frames.map((line) => JSON.parse(line) as Frame), opened};
}

/** The offsets of a channel's publications as they came, replays included. */
export async function offsetsSeen(page: Page, channel: string): Promise<number[]> {
    const {frames} = await wireSeen(page);
    return frames.filter((frame) => !frame.op && frame.channel === channel && frame.offset).map(({offset}) => offset!);
}
