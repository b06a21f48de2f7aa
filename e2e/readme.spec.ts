// The first page of the README and its private channel, word for word: their files, their servers, and what it says will happen.

import {execFileSync} from 'node:child_process';
import {copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {request} from './support/http.ts';
import {pythonWithJwt} from './support/python.ts';
import {test as base, expect, type Page} from './support/test.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const fileOf = (name: string): string => new RegExp(`^cat > ${name} <<'(\\w+)'\\n(.*?)^\\1$`, 'ms').exec(readme)![2]!;

/** The files of the first page in a folder of their own. */
function firstPage(): string {
    const folder = mkdtempSync(join(tmpdir(), 'pulsewire-readme-'));
    mkdirSync(join(folder, 'hello'));
    for (const [, from, to] of readme.matchAll(/\bcp (client-wasm\/dist\/\S+) (hello\/\S+)/g)) copyFileSync(join(root, from!), join(folder, to!));
    for (const name of ['hello/index.html', 'hello/hello.js']) writeFileSync(join(folder, name), fileOf(name));
    return folder;
}

const test = base.extend({
    serverOptions: async ({}, use) => {
        const folder = firstPage();
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

// --- the private channel ---

const section = readme.split('\n## A private channel\n')[1]!.split('\n## ')[0]!;
const blocks = [...section.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, code]) => ({language, code: code!}));
const blockOf = (language: string, piece: string): string => blocks.find((one) => one.language === language && one.code.includes(piece))!.code;
const secret = '0123456789abcdef'.repeat(4);

type TokenFor = (user: string, channel: string) => Promise<string> | string;

const privately = base.extend<{folder: string; inNode: TokenFor; inPython: TokenFor | undefined}>({
    folder: async ({}, use) => {
        const folder = firstPage();
        const first = /^const channel = .*$/m;
        writeFileSync(join(folder, 'hello/hello.js'), fileOf('hello/hello.js').replace(first, () => blockOf('js', 'fetch').trim()));
        await use(folder);
        rmSync(folder, {recursive: true, force: true});
    },
    serverOptions: async ({folder}, use) => {
        const words = /pulsewired --port \d+ (--web-root [^]*?)\n$/.exec(blockOf('sh', 'pulsewired'))![1]!.replace('\\\n', '').split(/\s+/);
        const args = words.map((word, index) => (words[index - 1] === '--web-root' ? join(folder, word) : word));
        await use({program: 'pulsewired', args, env: {PULSEWIRE_TOKEN_SECRET: secret}});
    },
    inNode: async ({folder}, use) => {
        mkdirSync(join(folder, 'node_modules'));
        symlinkSync(join(root, 'node_modules/jose'), join(folder, 'node_modules/jose'));
        writeFileSync(join(folder, 'token.mjs'), blockOf('js', 'SignJWT'));
        process.env.TOKEN_SECRET = secret;
        const {tokenFor} = await import(pathToFileURL(join(folder, 'token.mjs')).href) as {tokenFor: TokenFor};
        await use(tokenFor);
    },
    inPython: async ({}, use) => {
        const python = pythonWithJwt();
        const program = `${blockOf('python', 'jwt.encode')}\nimport sys\nprint(token_for(*sys.argv[1:]), end="")`;
        await use(python === undefined ? undefined : ((...of) => execFileSync(python, ['-c', program, ...of], {encoding: 'utf8', env: {TOKEN_SECRET: secret}})));
    },
});

privately('the private channel: two with tokens of the backend in Node, and those who have none for it', async ({server, visit, inNode}) => {
    const enter = (token: string, expected?: RegExp): Promise<Page> => visit(server.origin, {
        ...(expected ? {expected} : {}), before: (page) => page.route('**/token', (route) => route.fulfill({body: token})),
    });
    const ada = await enter(await inNode('ada', 'private:tea'));
    const bob = await enter(await inNode('bob', 'private:tea'));
    const eve = await enter(await inNode('eve', 'private:coffee'), /this needs the permission "subscribe"/);
    await write(ada, 'a secret');
    await expect(texts(bob)).toHaveText(['a secret']);
    await write(bob, 'well kept');
    await expect(texts(ada)).toHaveText(['a secret', 'well kept']);
    await expect(texts(eve)).toHaveCount(0);
    const path = '/api/channels/private:tea/messages';
    expect((await request(server.origin + path)).status).toBe(401);
    const asEve = {authorization: `Bearer ${await inNode('eve', 'private:coffee')}`};
    expect((await request(server.origin + path, {headers: asEve})).status).toBe(403);
    const asAda = {authorization: `Bearer ${await inNode('ada', 'private:tea')}`};
    expect((await request(server.origin + path, {headers: asAda})).json.messages).toHaveLength(2);
});

privately('the private channel: the backend in Python makes tokens that are as good', async ({server, inPython}) => {
    privately.skip(!inPython, 'there is no PyJWT here (script/bootstrap brings it)');
    const headers = {authorization: `Bearer ${await inPython!('bob', 'private:tea')}`};
    const knock = (channel: string) => request(`${server.origin}/api/channels/${channel}/messages`, {headers, body: '{"payload": "well kept"}'});
    expect((await knock('private:tea')).status).toBe(200);
    expect((await knock('private:coffee')).status).toBe(403);
});
