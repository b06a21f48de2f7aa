// npm test: checks the types, then runs the unit tests with the real WebAssembly module under Node, and those of a client
// as a whole once more with the entry `pulsewire/js` where there is no WebAssembly.
//
//   node test/run.mjs [OPTION OF node --test]...        for example --test-name-pattern=reconnect
//
// The report for programs is test-results/unit.xml (JUnit).

import {spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, readdirSync, rmSync} from 'node:fs';
import {basename, join} from 'node:path';
import {build} from 'esbuild';
import {bundleOptions, home, hubPath, jsPath, toText, wasmPath} from '../build_options.mjs';

if (![wasmPath, jsPath, hubPath].every(existsSync)) {
    console.error('There is no pulsewire.wasm, pulsewire.js or test_server.wasm; script/build sdk makes them.');
    process.exit(1);
}

const compiled = join(home, '../build/client-wasm-test');
const results = join(home, 'test-results');
const sources = ['src', 'test'].flatMap((folder) =>
    readdirSync(join(home, folder)).filter((name) => name.endsWith('.test.ts')).map((name) => join(home, folder, name)));
// What is the same with every core, or of one core alone.
const ofOneEntry = ['ai', 'arguments', 'core', 'frameworks', 'js', 'keyed', 'list', 'loop', 'map', 'package', 'state', 'stream', 'test_server', 'values', 'worker_port', 'yjs'];
const ofBoth = sources.filter((path) => !ofOneEntry.includes(basename(path, '.test.ts')));

rmSync(compiled, {recursive: true, force: true});
mkdirSync(results, {recursive: true});
const options = {outExtension: {'.js': '.mjs'}, platform: 'node', sourcemap: 'inline', define: {'process.env.PULSEWIRE_SDK': JSON.stringify(home)}};
const text = await toText(readFileSync(wasmPath));
await build({...bundleOptions({text}), ...options, entryPoints: sources, outdir: compiled});
await build({
    ...bundleOptions({entry: 'js', plain: true}), ...options, entryPoints: ofBoth, outdir: join(compiled, 'js'), outbase: home,
    // Only for what is tested: Node's own fetch() is made with WebAssembly.
    define: {...options.define, WebAssembly: 'undefined', 'globalThis.WebAssembly': 'undefined'},
});

const {status} = spawnSync(
    process.execPath,
    [
        '--test', '--test-timeout=60000', '--enable-source-maps', '--disable-warning=ExperimentalWarning', '--test-reporter=spec', '--test-reporter-destination=stdout',
        '--test-reporter=junit', `--test-reporter-destination=${join(results, 'unit.xml')}`,
        ...process.argv.slice(2),
        ...readdirSync(compiled, {recursive: true}).filter((name) => name.endsWith('.mjs')).map((name) => join(compiled, name)),
    ],
    {stdio: 'inherit'},
);
process.exit(status ?? 1);
