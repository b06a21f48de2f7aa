// A page that does nothing but listen with the SDK, as an application does: every message, gap and subscription in order.

import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import type {GapEvent, SubscribedEvent} from 'pulsewire';
import type {Page, Visit, VisitOptions} from './test.ts';

const sdk = readFileSync(fileURLToPath(import.meta.resolve('pulsewire')), 'utf8');
const sdkPath = '/listener/pulsewire.js';

export interface Heard {
    /** Offsets of messages as they came, and gaps as pairs of their ends. */
    stream: (number | [from: number, to: number, reason: GapEvent['reason']])[];
    /** The last message of each key, by its offset. */
    newest: Record<string, number>;
    subscribed: SubscribedEvent['recovered'][];
    /** Why connections were lost. */
    lost: string[];
}

/** Opens a page at `origin` whose script subscribes to the channel; resolves when it is subscribed. */
export async function listen(
    visit: Visit, origin: string, channel: string, transport: 'websocket' | 'sse', options: VisitOptions = {},
): Promise<Page> {
    // A page on which nothing moves.
    const page = await visit(`${origin}/notifications/`, {
        ...options,
        before: (opened) => opened.route(`**${sdkPath}`, (route) => route.fulfill({contentType: 'text/javascript', body: sdk})),
    });
    await page.evaluate(async ({path, name, over}) => {
        const {connect} = await import(path) as typeof import('pulsewire');
        const heard: Heard = {stream: [], newest: {}, subscribed: [], lost: []};
        (globalThis as {heard?: Heard}).heard = heard;
        const client = connect('/', {transport: over});
        client.on('waiting', ({reason}) => { heard.lost.push(reason.name); });
        const listened = client.channel<{tick: {key: string}}>(name);
        listened.on('tick', ({key}, {offset}) => {
            heard.stream.push(offset!);
            heard.newest[key] = offset!;
        });
        listened.watch('gap', ({from, to, reason}) => { heard.stream.push([from, to, reason]); });
        await new Promise<void>((ready) => {
            listened.watch('subscribed', ({recovered}) => {
                heard.subscribed.push(recovered);
                ready();
            });
        });
    }, {path: sdkPath, name: channel, over: transport});
    return page;
}

export const heardBy = (page: Page): Promise<Heard> =>
    page.evaluate(() => (globalThis as unknown as {heard: Heard}).heard);

/** Up to where everything has come or was told to be missing, from 1 and in order; throws where something is not. */
export function accountedFor({stream}: Heard): number {
    return stream.reduce<number>((position, item) => {
        const [from, to] = typeof item === 'number' ? [item, item] : item;
        if (from !== position + 1 || to < from) throw new Error(`after ${position} came ${JSON.stringify(item)}`);
        return to;
    }, 0);
}
