import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {test} from 'node:test';
import {publint} from 'publint';
import {formatMessage} from 'publint/utils';
import {frameworks, home, required} from '../build_options.mjs';
import {project, tarball} from './support.mjs';

const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));

test('the tarball holds the entries, their maps and types, README, llms.txt, LICENSE and the guide, and nothing else', () => {
    const files = execFileSync('tar', ['-tzf', tarball], {encoding: 'utf8'}).trim().split('\n').map((path) => path.replace(/^package\//, ''));
    const scripts = ['dist/index.js', 'dist/js.js', 'dist/plain.js', 'dist/wasm.js', 'dist/wasm.node.js', 'dist/worker.js', 'dist/storage.js', 'dist/requests.js', 'dist/list.js', 'dist/state.js', 'dist/stream.js', 'dist/ai.js', 'dist/yjs.js', 'dist/schema.js', 'dist/test.js', 'dist/why.js', 'dist/debug.js', 'dist/token.js', 'dist/pulsewire.wasm',
        'dist/frameworks.js', ...frameworks.map((name) => `dist/${name}.js`)];
    const forRequire = required.flatMap((name) => [`dist/${name}.cjs`, `dist/${name}.d.cts`]);
    const texts = ['package.json', 'README.md', 'llms.txt', 'LICENSE', ...['sdk', 'frameworks', 'where-it-runs', 'auth', 'migrating', 'test-server', 'state', 'ai', 'protocol'].map((name) => `dist/docs/${name}.md`)];
    const maps = scripts.filter((file) => file.endsWith('.js') && file !== 'dist/plain.js').map((file) => `${file}.map`);
    for (const file of [...texts, 'dist/index.d.ts', 'dist/js.d.ts', 'dist/wasm.d.ts', 'dist/worker.d.ts', 'dist/storage.d.ts', 'dist/requests.d.ts', 'dist/list.d.ts', 'dist/state.d.ts', 'dist/stream.d.ts', 'dist/ai.d.ts', 'dist/yjs.d.ts', 'dist/schema.d.ts', 'dist/test.d.ts', ...frameworks.map((name) => `dist/${name}.d.ts`), ...scripts, ...maps, ...forRequire]) assert.ok(files.includes(file), file);
    const others = files.filter((file) => !file.endsWith('.d.ts') && ![...scripts, ...maps, ...texts, ...forRequire].includes(file));
    assert.deepEqual(others, []);
});

test('the package depends on nothing, and takes the framework that a project has', () => {
    assert.deepEqual([manifest.dependencies, manifest.optionalDependencies], [undefined, undefined]);
    const peers = Object.keys(manifest.peerDependencies);
    assert.equal(peers.length, frameworks.length + ['ai', 'yjs', 'y-protocols'].length);
    assert.deepEqual(manifest.peerDependenciesMeta, Object.fromEntries(peers.map((name) => [name, {optional: true}])));
    assert.equal(manifest.sideEffects, false);
});

test('publint finds nothing', async () => {
    const folder = join(project('publint'), 'node_modules/pulsewire');
    const {messages, pkg} = await publint({pkgDir: folder, level: 'suggestion', strict: true, pack: false});
    assert.deepEqual(messages.map((message) => formatMessage(message, pkg)), []);
});

test('arethetypeswrong finds nothing', () => {
    const cli = createRequire(import.meta.url).resolve('@arethetypeswrong/cli/package.json');
    const program = join(dirname(cli), JSON.parse(readFileSync(cli, 'utf8')).bin.attw);
    try {
        execFileSync(process.execPath, [program, tarball, '--profile', 'esm-only', '--exclude-entrypoints', 'pulsewire.wasm', '--no-emoji'], {encoding: 'utf8', stdio: 'pipe'});
    } catch (error) {
        assert.fail(error.stdout);
    }
});

test('the types work for those who install the package, with and without the DOM’s', () => {
    const source = readFileSync(join(home, 'packaging/typed_app.ts'), 'utf8');
    const folder = project('typed', {'app.ts': source});
    const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
    const types = join(home, '../node_modules/@types');
    const settings = [
        ['--module', 'nodenext', '--types', ''],
        ['--module', 'esnext', '--moduleResolution', 'bundler', '--types', ''],
        ['--module', 'nodenext', '--lib', 'es2022', '--typeRoots', types, '--types', 'node'],
    ];
    for (const setting of settings) {
        try {
            execFileSync(process.execPath, [tsc, '--noEmit', '--strict', '--target', 'es2022', ...setting, 'app.ts'], {cwd: folder, encoding: 'utf8', stdio: 'pipe'});
        } catch (error) {
            assert.fail(`${setting.join(' ')}:\n${error.stdout}`);
        }
    }
});
