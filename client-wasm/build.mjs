// Builds the npm package into dist/: pulsewire.wasm by CMake, the entries by esbuild, the types by tsc; prints the sizes.
//
//   node client-wasm/build.mjs

import {execFileSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {build, transform} from 'esbuild';
import {minify} from 'terser';
import {bundleOptions, frameworks, home, ownNames, publicNames, required, toText, wasmPath} from './build_options.mjs';
import {printSizes} from './sizes.mjs';

// Built apart and moved at the end, so that whoever uses dist/ meanwhile sees whole files.
mkdirSync(join(home, '../build'), {recursive: true});
const dist = mkdtempSync(join(home, '../build/client-wasm-dist-'));

function buildWasm() {
    execFileSync(join(home, '../script/build'), ['wasm'], {stdio: ['ignore', 'inherit', 'inherit']});
    writeFileSync(join(dist, 'pulsewire.wasm'), readFileSync(wasmPath));
}

async function buildEntries() {
    const text = await toText(readFileSync(wasmPath));
    const letter = (i) => String.fromCharCode((i < 26 ? 97 : 39) + i);
    const short = Object.fromEntries(ownNames.map((name, i) => [`$${name}`, letter(i)]));
    const entries = {index: 'index', js: 'js', wasm: 'wasm', 'wasm.node': 'wasm', worker: 'worker', storage: 'storage', requests: 'requests', list: 'list', state: 'state', stream: 'stream', ai: 'ai', yjs: 'yjs', schema: 'schema', test: 'test', why: 'core/why', token: 'core/token', debug: 'core/debug', plain: 'core/plain'};
    // They see of the SDK only what an application does, so none of their properties is minified.
    const outside = ['test', 'frameworks', ...frameworks];
    for (const name of outside) entries[name] = name;
    const files = [...Object.entries(entries).map((entry) => [...entry, '.js']), ...required.map((name) => [name, entries[name], '.cjs'])];
    await Promise.all(files.map(async ([name, source, ending]) => {
        const {outputFiles} = await build({
            // React Native's engine has no import(), so that its entry is one file.
            ...bundleOptions({text, node: name === 'wasm.node', apart: name === 'js' ? '' : ending, plain: name === 'js' || ending === '.cjs'}),
            // Nor does each of its parsers know these.
            ...(name === 'js' && {supported: {'class-static-blocks': false}}),
            entryPoints: [join(home, 'src', `${source}.ts`)],
            write: false,
            minify: true,
            legalComments: 'none',
            sourcemap: 'external',
            outfile: join(dist, `${name}.js`),
        });
        const [{text: map}, {text: bundled}] = outputFiles;
        // Once more by terser, which finds another 200 bytes of 12 KB, compressed; with these options the most.
        const compress = {passes: 2, unsafe_arrows: true, hoist_funs: true, if_return: false, sequences: false, pure_getters: true};
        const properties = outside.includes(name) ? false : {builtins: true, regex: new RegExp(`^(${ownNames.filter((own) => !publicNames[name]?.includes(own)).join('|')})$`)};
        // Statements end with a line instead of a semicolon, so that a program that ends with an error shows a line of code.
        const {code, map: shipped} = await minify(bundled, {
            module: true, ecma: 2022, compress, mangle: {properties}, nameCache: {props: {props: short}}, format: {semicolons: false},
            sourceMap: {content: withoutModule(map), url: `${name}.js.map`},
        });
        // What is required is there for tests and tools, and plain.js has no source, so these have no map.
        const bare = code.replace(/^\/\/# sourceMappingURL.*/m, '');
        if (ending === '.cjs') return writeFileSync(join(dist, `${name}.cjs`), (await transform(bare, {format: 'cjs', target: 'es2022'})).code);
        if (name === 'plain') return writeFileSync(join(dist, 'plain.js'), bare);
        writeFileSync(join(dist, `${name}.js`), code);
        writeFileSync(join(dist, `${name}.js.map`), shipped);
    }));
}

/** The map without the text of the WebAssembly module, which is no source. */
function withoutModule(map) {
    const parsed = JSON.parse(map);
    parsed.sourcesContent = parsed.sourcesContent.map((text, i) => (/(pulsewire|test_server)\.(wasm|js)$/.test(parsed.sources[i]) ? '' : text));
    parsed.sources = parsed.sources.map((source) => source.replace(/^(\.\.\/)+client-wasm\//, '../').replace(/^.*\/src\//, '../src/'));
    return parsed;
}

function buildTypes() {
    const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
    execFileSync(process.execPath, [tsc, '-p', join(home, 'tsconfig.json'), '--noEmit', 'false', '--emitDeclarationOnly', '--outDir', dist], {stdio: 'inherit'});
    // Only what the entries lead to is public.
    const reached = new Set();
    const visit = (file) => {
        if (reached.has(file)) return;
        reached.add(file);
        const folder = dirname(file);
        for (const [, path] of readFileSync(join(dist, file), 'utf8').matchAll(/['"](\.\.?\/[\w/]+)\.js['"]/g)) visit(join(folder, `${path}.d.ts`));
    };
    for (const entry of ['index', 'js', 'wasm', 'worker', 'storage', 'requests', 'list', 'state', 'stream', 'ai', 'yjs', 'schema', 'test', ...frameworks]) visit(`${entry}.d.ts`);
    for (const file of filesIn(dist)) if (file.endsWith('.d.ts') && !reached.has(file)) rmSync(join(dist, file));
    for (const name of required) writeFileSync(join(dist, `${name}.d.cts`), typesRequired(name));
}

/** The types of an entry that is required: the same ones, so that a value of one kind fits the other. */
function typesRequired(name) {
    const mode = `{'resolution-mode': 'import'}`;
    const from = (file) => readFileSync(join(dist, `${file}.d.ts`), 'utf8');
    const text = from(name) + (name === 'js' ? from('public') : '');
    const values = [...text.matchAll(/^export declare function (\w+)|^export \{ (\w+)/gm)].map(([, declared, passedOn]) => declared ?? passedOn);
    const lines = values.map((value) => {
        const type = `import('./${name}.js', {with: ${mode}}).${value}`;
        return `export declare const ${value}: typeof ${type};\n${/^[A-Z]/.test(value) ? `export type ${value} = ${type};\n` : ''}`;
    });
    return `export type * from './${name}.js' with ${mode};\n${lines.join('')}`;
}

/** The guide and what it leads to come with the package. */
function copyGuide() {
    mkdirSync(join(dist, 'docs'));
    for (const name of ['sdk.md', 'frameworks.md', 'where-it-runs.md', 'auth.md', 'migrating.md', 'test-server.md', 'state.md', 'ai.md', 'protocol.md']) writeFileSync(join(dist, 'docs', name), readFileSync(join(home, '../docs', name)));
}

/** The paths of the files below a folder. */
function filesIn(folder) {
    return readdirSync(folder, {recursive: true}).filter((path) => statSync(join(folder, path)).isFile());
}

// File by file, since a folder cannot be renamed onto one that has files.
function moveInto(target) {
    const files = filesIn(dist);
    for (const file of files) {
        mkdirSync(dirname(join(target, file)), {recursive: true});
        renameSync(join(dist, file), join(target, file));
    }
    for (const file of filesIn(target)) if (!files.includes(file)) rmSync(join(target, file));
}

try {
    buildWasm();
    await buildEntries();
    buildTypes();
    copyGuide();
    moveInto(join(home, 'dist'));
} finally {
    rmSync(dist, {recursive: true, force: true});
}
printSizes(join(home, 'dist'));
