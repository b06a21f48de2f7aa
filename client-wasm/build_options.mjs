// How the package's sources become JavaScript; shared by the build and the tests.

import {readFileSync} from 'node:fs';
import {basename, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {brotliCompressSync} from 'node:zlib';
import {build} from 'esbuild';

/** This package's folder. */
export const home = fileURLToPath(new URL('.', import.meta.url));
/** Where CMake leaves the module, and the same as JavaScript. */
export const wasmPath = join(home, '../build/wasm/pulsewire.wasm');
export const jsPath = join(home, '../build/wasm/pulsewire.js');
/** The hub, for the entry `pulsewire/test`. */
export const hubPath = join(home, '../build/wasm/test_server.wasm');

/**
 * Properties that nobody but the package's own code knows: minified to a letter, the same in every entry. The types that
 * an application sees have none of these. The most frequent ones come first, which compresses best.
 */
export const ownNames = [
    'word', 'byte', 'report', 'tell', 'heard', 'call', 'emit', 'long', 'deliver', 'failed', 'string', 'onClosed',
    'onPresence', 'sent', 'sseUrl', 'broken', 'iterator', 'messageBytesMax', 'opened', 'received', 'unitsMax',
    'answered', 'configure', 'entered', 'header', 'onAsked', 'onGap', 'onRefused', 'onSubscribed', 'outboxMax',
    'payloadOf', 'receive', 'told', 'websocketUrl', 'respond', 'numbers', 'read', 'texts', 'closed', 'moved', 'self',
    'unheard', 'watchers', 'again', 'signedOut', 'signsIn', 'hears', 'watched', 'unparsed', 'leave', 'awaited', 'share', 'sharers', 'settle', 'note', 'found', 'whenKnown', 'pass',
];

/** Of these, what an application knows of some entries all the same. */
export const publicNames = {stream: ['read'], ai: ['read']};

/** The entries for frameworks. Each leaves its framework to the application, and shares its other parts with `list`. */
export const frameworks = ['react', 'vue', 'svelte', 'solid', 'angular'];

/** The entries that can be required too, as Jest does; what they share comes with them. */
export const required = ['js', 'storage', 'requests', 'list', 'state', 'stream', 'schema', 'frameworks', 'react', 'vue', 'test'];

/**
 * esbuild's options. `text`: the value of `import text from 'pulsewire.wasm'`. `node`: read files instead of fetching.
 * `apart`: what entries share stays in files of its own with that ending, and so does what only a failure, a
 * person who looks into it or a client with tokens needs, which is loaded then. `plain`: for where less is to be had than in a browser. `entry`: the source that tests get for src/index.ts.
 */
export function bundleOptions({text = '', node = false, apart = '', plain = false, entry = 'index'}) {
    const plugin = {
        name: 'pulsewire',
        setup({onResolve, onLoad}) {
            onResolve({filter: /^pulsewire\.wasm$/}, ({path}) => ({path, namespace: 'inline'}));
            onLoad({filter: /.*/, namespace: 'inline'}, () => ({contents: `export default ${JSON.stringify(text)};`}));
            onResolve({filter: /^pulsewire\.js$/}, ({path}) => ({path, namespace: 'core'}));
            onLoad({filter: /.*/, namespace: 'core'}, () => ({contents: coreFrom(readFileSync(jsPath, 'utf8'))}));
            onResolve({filter: /^test_server\.wasm$/}, ({path}) => ({path, namespace: 'hub'}));
            onLoad({filter: /.*/, namespace: 'hub'}, () => ({contents: readFileSync(hubPath), loader: 'binary'}));
            // Test servers use the SDK that the application gets.
            const whole = {'': {path: join(home, `src/${entry}.ts`)}, '.js': {path: './index.js', external: true}, '.cjs': {path: './js.cjs', external: true}}[apart];
            onResolve({filter: /^\.\.\/(src\/)?index\.js$/}, () => whole);
            // What is required needs this: Jest has no import(), and nobody downloads it.
            const later = apart === '.js' ? /\/(why|debug|plain|token)\.js$/ : /\/(why|debug|plain)\.js$/;
            if (apart) onResolve({filter: later}, ({kind, path}) => (kind === 'dynamic-import' ? {path: `./${basename(path)}`, external: true} : undefined));
            // Two copies would not know of each other's subscriptions.
            if (apart) onResolve({filter: /^(\.\.?\/(list|frameworks)|\.\.\/state)\.js$/}, ({path}) => ({path: `./${basename(path, '.js')}${apart}`, external: true}));
            if (plain) onResolve({filter: /\/utf8\.js$/}, () => ({path: join(home, 'src/base/utf8.plain.ts')}));
            if (node) onResolve({filter: /^\.\/wasm_default\.js$/}, () => ({path: join(home, 'src/core/wasm_default.node.ts')}));
        },
    };
    return {
        bundle: true,
        format: 'esm',
        target: 'es2022',
        platform: node ? 'node' : 'browser',
        external: ['react', 'vue', 'svelte/store', 'solid-js', '@angular/core', 'yjs', 'y-protocols/awareness', 'ai', 'ai/test'],
        plugins: [plugin],
    };
}

/**
 * The module that makes instances, of wasm2js's output: a module that is one instance. Views of a memory that has grown do
 * not become empty in JavaScript, so `moved` tells it, once.
 */
function coreFrom(text) {
    const end = text.indexOf('export var');
    const grown = 'buffer = newBuffer;';
    if (end < 0 || !text.includes(grown)) throw new Error('wasm2js writes something else than it did; coreFrom() has to follow.');
    return `export default () => {
        let moved = false;
        ${text.slice(0, end).replace(grown, `${grown} moved = true;`)}
        Object.defineProperties(retasmFunc.memory, {moved: {get: () => [moved, (moved = false)][0]}});
        return retasmFunc;
    };`;
}

/** The text that src/core/module_text.ts turns back into the bytes. */
export async function toText(bytes) {
    const {outputFiles} = await build({
        entryPoints: [join(home, 'src/core/module_text.ts')], bundle: true, format: 'esm', write: false,
    });
    const code = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
    const texts = Array.from({length: code.turns}, (_, turn) => code.toModuleText(bytes, turn));
    const sizes = texts.map((text) => brotliCompressSync(text).length);
    return texts[sizes.indexOf(Math.min(...sizes))];
}
