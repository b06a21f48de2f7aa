// A map that pages share (docs/state.md): whoever comes late has all of it, whatever breaks. The server keeps it on its disk.

import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {withSdk} from './support/sdk_files.ts';
import {expect, test as base, type Page} from './support/test.ts';

const keysCount = 400;

const test = base.extend({
    serverOptions: async ({}, use) => {
        const folder = mkdtempSync(join(tmpdir(), 'pulsewire-state-'));
        await use({args: ['--data', folder], config: {namespaces: {board: {state_bytes_max: 4 << 20, history_count_max: 10}}}});
        rmSync(folder, {recursive: true, force: true});
    },
});

/** The map of the page, as `window.shared`. */
async function opened(page: Page, transport: 'websocket' | 'sse'): Promise<void> {
    await page.evaluate(async (over) => {
        const [main, state] = ['/sdk/index.js', '/sdk/state.js'];
        const {connect} = await import(main) as typeof import('pulsewire');
        const {map} = await import(state) as typeof import('pulsewire/state');
        const shared = map<number>(connect('/', {transport: over, backoffMaxMs: 1_000}).channel('board:1'));
        await shared.ready;
        Object.assign(window, {shared});
    }, transport);
}

/** What the page knows: how many keys, and the sum of their values. */
const known = (page: Page): Promise<string> => page.evaluate(() => {
    const {shared} = window as unknown as {shared: {getSnapshot(): ReadonlyMap<string, number>}};
    const values = [...shared.getSnapshot().values()];
    return `${values.length} keys, ${values.reduce((sum, value) => sum + value, 0)}`;
});

for (const transport of ['websocket', 'sse'] as const) {
    test(`a map over ${transport} is whole for those who come late, after cuts, a snapshot and a killed server`, async ({server, visit}) => {
        const open = async (): Promise<Page> => {
            const page = await visit(`${server.origin}/`, {network: 'faulty', before: withSdk});
            await opened(page, transport);
            return page;
        };
        const ada = await open();
        // Forty writers at a time, each key twice, so that far more was published than a history keeps.
        await ada.evaluate(async (count) => {
            const {shared} = window as unknown as {shared: {set(key: string, value: number): Promise<void>}};
            for (let at = 0; at < 2 * count; at += 40) await Promise.all(Array.from({length: 40}, (_, i) => shared.set(`key ${(at + i) % count}`, at + i)));
        }, keysCount);
        const truth = await known(ada);
        expect(truth).toMatch(/^400 keys/);
        const bob = await open();
        expect(await known(bob), 'without any snapshot').toBe(truth);

        await bob.evaluate(() => (window as unknown as {shared: {offer(): Promise<unknown>}}).shared.offer());
        await ada.evaluate(() => (window as unknown as {shared: {set(key: string, value: number): Promise<void>}}).shared.set('key 0', 1_000_000));
        const later = await known(ada);
        await expect.poll(() => known(bob)).toBe(later);
        await server.kill9();
        await server.restart();
        const carl = await open();
        expect(await known(carl), 'the snapshot and what came after it, from the disk').toBe(later);
        await carl.evaluate(() => (window as unknown as {shared: {delete(key: string): Promise<void>}}).shared.delete('key 0'));
        const last = await known(carl);
        expect(last).toMatch(/^399 keys/);
        for (const page of [ada, bob]) await expect.poll(() => known(page), {timeout: 20_000}).toBe(last);
    });
}
