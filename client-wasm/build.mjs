// Builds the npm package into dist/: pulsewire.wasm by CMake, the entries by esbuild, the types by tsc; prints the sizes.
//
//   node client-wasm/build.mjs

import {execFileSync} from 'node:child_process';
import {mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {build} from 'esbuild';
import {bundleOptions, home, toText, wasmPath} from './build_options.mjs';
import {printSizes} from './sizes.mjs';

const dist = join(home, 'dist');

function buildWasm() {
    execFileSync(join(home, '../script/build'), ['wasm'], {stdio: ['ignore', 'inherit', 'inherit']});
    writeFileSync(join(dist, 'pulsewire.wasm'), readFileSync(wasmPath));
}

async function buildEntries() {
    const text = await toText(readFileSync(wasmPath));
    const entries = {index: 'index', wasm: 'wasm', 'wasm.node': 'wasm', worker: 'worker'};
    await Promise.all(Object.entries(entries).map(([name, source]) => build({
        ...bundleOptions({text, node: name === 'wasm.node'}),
        entryPoints: [join(home, 'src', `${source}.ts`)],
        outfile: join(dist, `${name}.js`),
        minify: true,
        legalComments: 'none',
    })));
}

function buildTypes() {
    const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
    execFileSync(process.execPath, [tsc, '-p', join(home, 'tsconfig.json')], {stdio: 'inherit'});
    // Only what the entries lead to is public.
    const reached = new Set();
    const visit = (file) => {
        if (reached.has(file)) return;
        reached.add(file);
        for (const [, name] of readFileSync(join(dist, file), 'utf8').matchAll(/['"]\.\/(\w+)\.js['"]/g)) visit(`${name}.d.ts`);
    };
    for (const entry of ['index', 'wasm', 'worker']) visit(`${entry}.d.ts`);
    for (const file of readdirSync(dist)) if (file.endsWith('.d.ts') && !reached.has(file)) rmSync(join(dist, file));
}

rmSync(dist, {recursive: true, force: true});
mkdirSync(dist, {recursive: true});
buildWasm();
await buildEntries();
buildTypes();
printSizes(dist);
