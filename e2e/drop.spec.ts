// Files as bytes (docs/protocol.md 2.5): whole for everybody, over either transport, and for whoever comes late.

import {createHash, randomBytes} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import type {Locator} from '@playwright/test';
import {test, expect, type Page} from './support/test.ts';
import {expectOpen} from './support/pages.ts';

const files = (page: Page): Locator => page.getByTestId('file');
const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

async function choose(page: Page, name: string, buffer: Buffer, mimeType = 'application/octet-stream'): Promise<void> {
    await page.getByTestId('choose').setInputFiles({name, mimeType, buffer});
}

/** What the page saves when asked to. */
async function saved(page: Page, file: Locator): Promise<Buffer> {
    const waiting = page.waitForEvent('download');
    await file.getByRole('link', {name: 'Save'}).click();
    return readFile(await (await waiting).path());
}

for (const transport of ['websocket', 'sse'] as const) {
    test(`a file arrives whole over ${transport}, also for whoever comes late`, async ({engine, server, visit}) => {
        const ada = await visit(`${server.origin}/drop/?transport=${transport}`);
        const bob = await visit(`${server.origin}/drop/`);
        for (const page of [ada, bob]) await expectOpen(page);
        // Every byte there is, and a last part that is shorter than the others.
        const content = Buffer.concat([Buffer.from(Uint8Array.from({length: 256}, (_, i) => i)), randomBytes(150_000)]);
        await choose(ada, 'every byte.bin', content);
        const late = await visit(`${server.origin}/drop/?transport=${transport}`);
        for (const page of [ada, bob, late]) {
            await expect(files(page)).toHaveAttribute('data-whole', 'true');
            await expect(files(page)).toContainText('every byte.bin');
        }
        // Playwright is not told of downloads by Firefox, over WebDriver BiDi.
        for (const page of engine === 'firefox' ? [] : [bob, late]) expect(hash(await saved(page, files(page)))).toBe(hash(content));
        await expect(files(ada)).toContainText('from you');
        await expect(files(bob)).toContainText('from somebody else');
    });
}

test('a picture is shown, a page is not run, and too large a file is refused', async ({server, visit}) => {
    const page = await visit(`${server.origin}/drop/`);
    await expectOpen(page);
    const dot = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
    await choose(page, 'dot.png', dot, 'image/png');
    await expect(files(page)).toHaveCount(1);
    await choose(page, '<b>page</b>.html', Buffer.from('<script>document.title = "run"</script>'), 'text/html');
    await expect(files(page)).toHaveCount(2);
    await choose(page, 'empty.txt', Buffer.alloc(0), 'text/plain');
    await expect(files(page)).toHaveCount(3);
    for (const index of [0, 1, 2]) await expect(files(page).nth(index)).toHaveAttribute('data-whole', 'true');
    await expect(files(page).filter({has: page.locator('img')})).toContainText('dot.png');
    await expect.poll(() => page.locator('.file img').evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBe(1);
    await expect(files(page).nth(1)).toContainText('<b>page</b>.html');
    await choose(page, 'too large.bin', Buffer.alloc(4 * 2 ** 20 + 1));
    await expect(page.getByTestId('error')).toContainText('more than 4 MiB');
    await expect(files(page)).toHaveCount(3);
});
