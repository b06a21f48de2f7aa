// npm test: checks the types, then runs the unit tests with the real WebAssembly module under Node.
//
//   node test/run.mjs [OPTION OF node --test]...        for example --test-name-pattern=reconnect
//
// The report for programs is test-results/unit.xml (JUnit).

import {spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, readdirSync, rmSync} from 'node:fs';
import {basename, join} from 'node:path';
import {build} from 'esbuild';
import {bundleOptions, home, toText, wasmPath} from '../build_options.mjs';

if (!existsSync(wasmPath)) {
    console.error('There is no pulsewire.wasm; script/build sdk makes it.');
    process.exit(1);
}

const compiled = join(home, '../build/client-wasm-test');
const results = join(home, 'test-results');
const sources = ['src', 'test'].flatMap((folder) =>
    readdirSync(join(home, folder)).filter((name) => name.endsWith('.test.ts')).map((name) => join(home, folder, name)));

rmSync(compiled, {recursive: true, force: true});
mkdirSync(results, {recursive: true});
await build({
    ...bundleOptions({text: await toText(readFileSync(wasmPath))}),
    entryPoints: sources,
    outdir: compiled,
    outExtension: {'.js': '.mjs'},
    platform: 'node',
    sourcemap: 'inline',
    define: {'process.env.PULSEWIRE_SDK': JSON.stringify(home)},
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
