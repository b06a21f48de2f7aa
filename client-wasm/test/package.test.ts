// Promises about the package's sources and the built dist/.

import assert from 'node:assert/strict';
import {execFileSync, spawnSync} from 'node:child_process';
import {copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {test} from 'node:test';
import {pathToFileURL} from 'node:url';

const home = process.env.PULSEWIRE_SDK!;
const sizeMax = 19.1 * 1024;

function typeCheck(project: string): void {
    const tsc = join(dirname(createRequire(join(home, 'package.json')).resolve('typescript/package.json')), 'bin/tsc');
    try {
        execFileSync(process.execPath, [tsc, '-p', join(home, project)], {encoding: 'utf8'});
    } catch (error) {
        assert.fail((error as {stdout: string}).stdout);
    }
}

test('the sources are free of type errors, without Node’s types', () => typeCheck('tsconfig.json'));

test('the tests and the type tests are free of type errors', () => typeCheck('tsconfig.test.json'));

test('the default entry, WebAssembly included, is not larger than documented', async (t) => {
    assert.ok(existsSync(join(home, 'dist/index.js')), 'script/build sdk builds it');
    const {sizesOf} = await import(pathToFileURL(join(home, 'sizes.mjs')).href);
    const sizes: {entry: string; gzip: number; brotli: number}[] = sizesOf(join(home, 'dist'));
    const {gzip, brotli} = sizes.find(({entry}) => entry === 'pulsewire')!;
    t.diagnostic(`gzip ${gzip}, brotli ${brotli} bytes`);
    assert.ok(brotli <= sizeMax, `${brotli} bytes`);
    // Of the entry without WebAssembly the documentation has the sizes.
    const guide = readFileSync(join(home, '../docs/where-it-runs.md'), 'utf8');
    const [, brotliMax, gzipMax] = /is one file.*?, ([\d.]+) KiB with brotli and ([\d.]+) KiB with gzip/s.exec(guide)!;
    const plain = sizes.find(({entry}) => entry === 'pulsewire/js')!;
    assert.ok(plain.brotli <= Number(brotliMax) * 1024 && plain.gzip <= Number(gzipMax) * 1024, JSON.stringify(plain));
});

test('the package and the guide state today’s sizes, and what else one wants to know before installing it', async () => {
    const {sizesOf} = await import(pathToFileURL(join(home, 'sizes.mjs')).href);
    const {gzip, brotli} = sizesOf(join(home, 'dist')).find(({entry}: {entry: string}) => entry === 'pulsewire');
    for (const path of ['README.md', 'llms.txt', '../README.md', '../docs/sdk.md']) {
        const text = readFileSync(join(home, path), 'utf8').replace(/\s+/g, ' ');
        const [, ...stated] = /([\d.]+) KiB (?:on the wire )?with brotli[ (,]+([\d.]+) KiB with gzip/.exec(text) ?? assert.fail(path);
        for (const [at, bytes] of [brotli, gzip].entries()) {
            const kib = Number(stated[at]);
            assert.ok(bytes / 1024 <= kib && kib < bytes / 1024 + 0.2, `${path} says ${kib} KiB of ${bytes} bytes`);
        }
    }
    const readme = readFileSync(join(home, 'README.md'), 'utf8');
    assert.match(readme, /TypeScript 5\.0 or newer/);
    const llms = readFileSync(join(home, 'llms.txt'), 'utf8');
    for (const [file] of (readme + llms).matchAll(/dist\/docs\/[\w-]+\.md/g)) assert.ok(existsSync(join(home, file)), file);
    assert.match(llms, new RegExp(`Version ${JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')).version}\\b`));
    assert.match(readme, /dist\/docs\/sdk\.md/);
});

test('no property that is minified can be seen by an application', async () => {
    const {frameworks, ownNames, publicNames} = await import(pathToFileURL(join(home, 'build_options.mjs')).href);
    const memberBut = (names: readonly string[]) => new RegExp(`^\\s*(?:readonly )?(${ownNames.filter((name: string) => !names.includes(name)).join('|')})\\b[?(:<]`, 'm');
    const member = memberBut([]);
    const types = readdirSync(join(home, 'dist'), {encoding: 'utf8', recursive: true}).filter((file) => file.endsWith('.d.ts'));
    assert.ok(types.includes(join('client', 'options.d.ts')));
    // Nothing leads to the package's inside, and nothing has written it there since (npm run types only checks).
    assert.deepEqual(types.filter((file) => file.startsWith('core')), []);
    // These are built without it, and have names such as `failed` of their own.
    const whole = new RegExp(`^(${['test', 'frameworks', ...frameworks].join('|')})\\b`);
    for (const file of types) {
        const names = publicNames[/^\w+/.exec(file)![0]];
        if (!whole.test(file)) assert.doesNotMatch(readFileSync(join(home, 'dist', file), 'utf8'), names ? memberBut(names) : member, file);
    }
    // One of these would be found.
    assert.match('    readonly sseUrl: string;\n', member);
    assert.match('    told(kind: Kind): void;\n', member);
});

test('the defaults that the documentation states are those that are used', () => {
    const documented = Object.fromEntries(
        [...readFileSync(join(home, 'src/client/options.ts'), 'utf8').matchAll(/@default (\d+)\n\s*\*\/\n\s*(\w+)\?: number/g)].map(([, value, name]) => [name, Number(value)]),
    );
    const source = readFileSync(join(home, 'src/core/machine_session.ts'), 'utf8');
    const used = Object.fromEntries([...source.matchAll(/^    (\w+): ([\d_]+),$/gm)].map(([, name, value]) => [name, Number(value!.replaceAll('_', ''))]));
    assert.equal(Object.keys(used).length, 8);
    for (const [name, value] of Object.entries(used)) assert.equal(documented[name!], value, name);
});

test('importing the package touches nothing', async () => {
    const script = `
        const before = Object.getOwnPropertyNames(globalThis).length;
        delete globalThis.WebSocket; delete globalThis.EventSource; delete globalThis.crypto; delete globalThis.WebAssembly;
        delete globalThis.navigator; globalThis.fetch = globalThis.setTimeout = () => { throw new Error('touched'); };
        await import(process.argv[1]);`;
    for (const entry of ['index.js', 'js.js', 'plain.js', 'js.cjs', 'wasm.js', 'wasm.node.js', 'storage.js', 'requests.js', 'list.js', 'state.js', 'state.cjs', 'schema.js', 'test.js', 'test.cjs', 'why.js', 'debug.js', 'token.js']) {
        execFileSync(process.execPath, ['--input-type=module', '-e', script, pathToFileURL(join(home, 'dist', entry)).href]);
    }
});

test('a client with a token that lacks the file for it says so, connects as nobody to nothing, and tries again', () => {
    const folder = mkdtempSync(join(tmpdir(), 'pulsewire-'));
    try {
        copyFileSync(join(home, 'dist/index.js'), join(folder, 'index.mjs'));
        const script = `
            const {connect} = await import(process.argv[1]);
            let opened = 0, asked = 0;
            const client = connect('http://a.test', {token: () => 'abc', backoffMinMs: 1, WebSocket: class { constructor() { opened++; } }});
            client.on('waiting', ({reason, attempt}) => {
                console.log(reason.name, opened, reason.message);
                if (attempt > 1) process.exit();
            });
            setInterval(() => {}, 1000);`;
        const {stdout, stderr} = spawnSync(process.execPath, ['--input-type=module', '-e', script, pathToFileURL(join(folder, 'index.mjs')).href], {encoding: 'utf8'});
        const lines = stdout.trim().split('\n');
        assert.equal(lines.length, 2, stdout + stderr);
        for (const line of lines) assert.match(line, /^token_failed 0 There is no token: .*token\.js/);
    } finally {
        rmSync(folder, {recursive: true});
    }
});

test('an error that ends a program shows its sentence and its name, not the code', () => {
    const script = `const {connect} = await import(process.argv[1]); delete globalThis.WebSocket; connect('http://a.test');`;
    const url = pathToFileURL(join(home, 'dist/index.js')).href;
    const {stderr} = spawnSync(process.execPath, ['--input-type=module', '-e', script, url], {encoding: 'utf8'});
    assert.match(stderr, /PulsewireError: There is no WebSocket here/);
    assert.ok(stderr.length < 8000, `${stderr.length} characters`);
});

test('what is shipped takes what has no offset, or none yet, as the sources do', async () => {
    const shipped = (name: string) => import(pathToFileURL(join(home, `dist/${name}.js`)).href);
    const [{testServer}, {open}, {keyed}] = await Promise.all(['test', 'list', 'state'].map(shipped));
    const server = await testServer({virtualTime: true, namespaces: {board: {state_bytes_max: 100_000, keyed: true}}});
    try {
        const client = server.connect();
        const heard: unknown[] = [];
        for (const channel of [client.channel('room:1'), open(client.channel('room:1'))]) channel.on('hint', (hint: unknown) => heard.push(hint));
        const store = keyed(client.channel('board:1'));
        await server.settled();
        server.publish('room:1', 'hint', 'transient', {transient: true});
        const flow = server.stall('up');
        const set = store.set('color', 'red');
        server.publish('board:1', 'value', 1, {conflate: 'other'});
        await server.settled();
        assert.equal(store.get('color'), 'red', 'what has no offset yet is not confirmed');
        flow();
        await server.settled();
        await set;
        await client.channel('room:1').publish('hint', 'plain');
        await server.settled();
        assert.deepEqual(heard, ['transient', 'transient', 'plain', 'plain']);
        assert.deepEqual(Object.fromEntries(store.getSnapshot()), {color: 'red', other: 1});
    } finally {
        server.close();
    }
});

test('the entry for tests is as large as documented, and nothing of it is in the default entry', async () => {
    const {sizesOf} = await import(pathToFileURL(join(home, 'sizes.mjs')).href);
    const sizes: {entry: string; brotli: number}[] = sizesOf(join(home, 'dist'));
    const brotli = (name: string) => sizes.find(({entry}) => entry === name)!.brotli;
    const [, kib] = /and of its own, `pulsewire\/test` weighs (\d+) KiB with brotli/.exec(readFileSync(join(home, '../docs/test-server.md'), 'utf8'))!;
    const own = (brotli('pulsewire/test') - brotli('pulsewire')) / 1024;
    assert.ok(own <= Number(kib) && Number(kib) < own + 5, `${own} KiB`);
    const entry = readFileSync(join(home, 'dist/index.js'), 'utf8');
    assert.doesNotMatch(entry, /test_server|refuse_next|virtualTime/);
    assert.match(readFileSync(join(home, 'dist/test.js'), 'utf8'), /refuse_next/);
});

test('source maps lead to the sources, without the text of the module', () => {
    for (const entry of ['index', 'js', 'wasm', 'wasm.node', 'storage', 'requests', 'list', 'state', 'yjs', 'schema', 'test', 'why', 'debug', 'token', 'worker']) {
        assert.match(readFileSync(join(home, `dist/${entry}.js`), 'utf8'), new RegExp(`//# sourceMappingURL=${entry}\\.js\\.map\\s*$`));
        const {sources, sourcesContent} = JSON.parse(readFileSync(join(home, `dist/${entry}.js.map`), 'utf8'));
        assert.ok(sources.some((source: string) => /^\.\.\/src\/.*\.ts$/.test(source)), sources.join());
        assert.equal(sources.length, sourcesContent.length);
        assert.ok(sourcesContent.join('').length < 200_000);
    }
});
