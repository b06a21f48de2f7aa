// The first page of the README, word for word: its two files, its server, and what it says will happen.

import {copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {request} from './support/http.ts';
import {test as base, expect, type Page} from './support/test.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const fileOf = (name: string): string => new RegExp(`^cat > ${name} <<'(\\w+)'\\n(.*?)^\\1$`, 'ms').exec(readme)![2]!;

const test = base.extend({
    serverOptions: async ({}, use) => {
        const folder = mkdtempSync(join(tmpdir(), 'pulsewire-readme-'));
        mkdirSync(join(folder, 'hello'));
        copyFileSync(join(root, 'client-wasm/dist/index.js'), join(folder, 'hello/pulsewire.js'));
        for (const name of ['hello/index.html', 'hello/hello.js']) writeFileSync(join(folder, name), fileOf(name));
        const started = /^build\/release\/pulsewired --port \d+ (--web-root .*)$/m.exec(readme)![1]!;
        await use({program: 'pulsewired', args: started.split(' ').map((word) => (word.startsWith('--') ? word : join(folder, word)))});
        rmSync(folder, {recursive: true, force: true});
    },
});

const texts = (page: Page) => page.getByRole('listitem');

async function write(page: Page, text: string): Promise<void> {
    await page.getByRole('textbox', {name: 'Message'}).fill(text);
    await page.getByRole('button', {name: 'Send'}).click();
}

test('two windows of the first page, a stop and a start of the server, and curl', async ({server, visit}) => {
    const ada = await visit(server.origin, {network: 'faulty'});
    const bob = await visit(server.origin, {network: 'faulty'});
    await write(ada, 'before');
    await expect(texts(bob)).toHaveText(['before']);
    await server.stop();
    await write(bob, 'meanwhile');
    await server.restart();
    for (const page of [ada, bob]) await expect(texts(page)).toHaveText(['before', 'meanwhile'], {timeout: 30_000});
    await bob.reload();
    await expect(texts(bob)).toHaveText(['before', 'meanwhile']);
    const [, body, path] = /^curl -d '(.*)' http:\/\/localhost:\d+(\S+)$/m.exec(readme)!;
    expect((await request(server.origin + path!, {body: body!})).status).toBe(200);
    await expect(texts(ada).last()).toHaveText('hello from curl');
});
