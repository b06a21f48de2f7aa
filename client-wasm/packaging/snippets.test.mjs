// The snippets of docs/sdk.md, docs/state.md, docs/ai.md, docs/frameworks.md, docs/migrating.md, docs/test-server.md, llms.txt and the README: each compiles against the installed package, and the README's runs.

import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {mkdirSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {test} from 'node:test';
import * as esbuild from 'esbuild';
import {home} from '../build_options.mjs';
import {filesOf, linkedProject} from './frameworks/app.mjs';
import {launchChromium, project, startPulsewired} from './support.mjs';

const root = join(home, '..');
const readme = readFileSync(join(home, 'README.md'), 'utf8');
const guide = readFileSync(join(root, 'docs/sdk.md'), 'utf8');
const migrating = readFileSync(join(root, 'docs/migrating.md'), 'utf8');
const state = readFileSync(join(root, 'docs/state.md'), 'utf8');
const testing = readFileSync(join(root, 'docs/test-server.md'), 'utf8');
const ai = readFileSync(join(root, 'docs/ai.md'), 'utf8');
const llms = readFileSync(join(home, 'llms.txt'), 'utf8');
const snippetsOf = (text) => [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code);

// Names that snippets may use without showing where it comes from.
const given = `
    import type {Channel, Client} from 'pulsewire';
    declare global {
        const client: Client;
        const connect: typeof import('pulsewire').connect;
        const chat: Channel<{'chat.message': {user: string; text: string}; 'chat.typing': {user: string}; 'chat.status': {user: string; busy: boolean}}>;
        function show(...values: unknown[]): void;
    }
    export {};`;

test('the snippets of the guide, of the pages on state and on replies, of the notes on moving, of the page on tests, of llms.txt and of the README compile', () => {
    const snippets = {readme: snippetsOf(readme), guide: snippetsOf(guide), state: snippetsOf(state), ai: snippetsOf(ai), migrating: snippetsOf(migrating), testing: snippetsOf(testing), llms: snippetsOf(llms)};
    assert.ok(snippets.readme.length === 1 && snippets.guide.length > 12 && snippets.state.length === 4 && snippets.ai.length === 4 && snippets.migrating.length > 8 && snippets.testing.length === 5 && snippets.llms.length === 2);
    const files = {'given.d.ts': given};
    for (const [from, codes] of Object.entries(snippets)) codes.forEach((code, i) => (files[`${from}_${i + 1}.ts`] = `${code}\nexport {};\n`));
    const folder = project('snippets', files);
    for (const name of ['zod', 'vitest', 'yjs', 'y-protocols', 'lib0', 'ai']) symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
    const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
    const types = join(root, 'node_modules/@types');
    try {
        execFileSync(process.execPath, [tsc, '--noEmit', '--strict', '--target', 'es2022', '--module', 'esnext', '--moduleResolution', 'bundler',
            '--skipLibCheck', '--typeRoots', types, '--types', 'ws,node', ...Object.keys(files)], {cwd: folder, encoding: 'utf8', stdio: 'pipe'});
    } catch (error) {
        assert.fail(error.stdout);
    }
});

// The tests of Vue and Svelte compile their chats, in languages of their own.
for (const [heading, links, settings] of [
    ['React', ['react', '@types/react'], ['--jsx', 'react-jsx']],
    ['Next.js', ['react', '@types/react'], ['--jsx', 'react-jsx']],
    ['Solid', ['solid-js'], ['--jsx', 'preserve', '--jsxImportSource', 'solid-js']],
    ['Angular', ['@angular', 'rxjs'], ['--experimentalDecorators']],
]) {
    test(`the chat for ${heading} is free of type errors`, () => {
        const files = filesOf(heading);
        if (heading === 'Next.js') files['lib/chat.tsx'] = filesOf('React')['chat.tsx'];
        else files['realtime.ts'] = filesOf('One client for the whole page')['realtime.ts'];
        files['given.d.ts'] = `
            interface ImportMeta { readonly hot?: {data: any}; }
            declare const process: {env: Record<string, string | undefined>};`;
        assert.ok(Object.keys(files).length >= 3, Object.keys(files).join());
        const folder = linkedProject('chat', files, links);
        const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
        try {
            execFileSync(process.execPath, [tsc, '--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--module', 'esnext', '--moduleResolution', 'bundler',
                '--types', '', ...settings, ...Object.keys(files)], {cwd: folder, encoding: 'utf8', stdio: 'pipe'});
        } catch (error) {
            assert.fail(error.stdout);
        }
    });
}

test('the README’s page shows what it publishes', async () => {
    const folder = project('readme', {'main.ts': snippetsOf(readme)[0]});
    const site = join(folder, 'site');
    mkdirSync(site);
    await esbuild.build({absWorkingDir: folder, entryPoints: ['main.ts'], bundle: true, format: 'esm', outdir: site, logLevel: 'error'});
    writeFileSync(join(site, 'index.html'), '<!doctype html><meta charset="utf-8"><title>-</title><body><script type="module" src="main.js"></script>');
    const server = await startPulsewired('--web-root', site);
    const browser = await launchChromium();
    try {
        const page = await browser.newPage();
        await page.goto(server.url);
        await page.waitForFunction(() => document.body.innerText.includes('Ada: Hello!') && document.title === 'open');
        await page.reload();
        await page.waitForFunction(() => document.body.innerText.split('Ada: Hello!').length === 3);
    } finally {
        await browser.close();
        await server.stop();
    }
});

test('the codes in the guide’s table exist, and the SDK’s own are all there', () => {
    const {errors} = JSON.parse(readFileSync(join(root, 'common/protocol/codes.json'), 'utf8'));
    const table = guide.slice(guide.indexOf('| code | when |'), guide.indexOf('The full table'));
    const listed = [...table.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, cell]) => [...cell.matchAll(/`(\w+)`/g)].map(([, code]) => code));
    for (const code of listed) assert.ok(errors.some(({name}) => name === code), code);
    for (const {name, origin} of errors) if (origin === 'client') assert.ok(listed.includes(name), name);
});

test('the defaults in the guide are those of the declaration', () => {
    const types = readFileSync(join(home, 'src/client/options.ts'), 'utf8');
    const example = guide.slice(guide.indexOf("    transport: 'auto',"), guide.indexOf('onError: (error'));
    const shown = [...example.matchAll(/(\w+): ([\d_]+)/g)].map(([, name, value]) => [name, value.replaceAll('_', '')]);
    assert.equal(shown.length, 9);
    for (const [name, value] of shown) assert.match(types, new RegExp(`@default ${value}\\n\\s*\\*/\\n\\s*${name}\\?`), name);
});
