// How the package's sources become JavaScript; shared by the build and the tests.

import {basename, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {brotliCompressSync} from 'node:zlib';
import {build} from 'esbuild';

/** This package's folder. */
export const home = fileURLToPath(new URL('.', import.meta.url));
/** Where CMake leaves the module. */
export const wasmPath = join(home, '../build/wasm/pulsewire.wasm');

/**
 * Properties that nobody but the package's own code knows: minified to a letter, the same in every entry. The types that
 * an application sees have none of these. The most frequent ones come first, which compresses best.
 */
export const ownNames = [
    'word', 'byte', 'report', 'tell', 'heard', 'call', 'emit', 'long', 'deliver', 'failed', 'string', 'onClosed',
    'onPresence', 'sent', 'sseUrl', 'broken', 'iterator', 'messageBytesMax', 'opened', 'received', 'unitsMax',
    'answered', 'configure', 'entered', 'header', 'onAsked', 'onGap', 'onRefused', 'onSubscribed', 'outboxMax',
    'payloadOf', 'receive', 'told', 'websocketUrl', 'respond', 'numbers', 'read', 'texts', 'closed', 'moved', 'self',
    'unheard', 'watchers', 'hears', 'watched', 'unparsed', 'leave', 'awaited', 'share', 'sharers', 'settle', 'note',
];

/** The entries for frameworks. Each leaves its framework to the application, and shares its other parts with `list`. */
export const frameworks = ['react', 'vue', 'svelte', 'solid', 'angular'];

/**
 * esbuild's options. `text`: the value of `import text from 'pulsewire.wasm'`. `node`: read files instead of fetching.
 * `apart`: what only a failure or a person who looks into it needs stays a file of its own, which is loaded then.
 */
export function bundleOptions({text, node = false, apart = false}) {
    const plugin = {
        name: 'pulsewire',
        setup({onResolve, onLoad}) {
            onResolve({filter: /^pulsewire\.wasm$/}, ({path}) => ({path, namespace: 'inline'}));
            onLoad({filter: /.*/, namespace: 'inline'}, () => ({contents: `export default ${JSON.stringify(text)};`}));
            if (apart) onResolve({filter: /^\.\/(why|debug)\.js$/}, ({kind, path}) => (kind === 'dynamic-import' ? {path, external: true} : undefined));
            // Two copies would not know of each other's subscriptions.
            if (apart) onResolve({filter: /^\.\.?\/(list|frameworks)\.js$/}, ({path}) => ({path: `./${basename(path)}`, external: true}));
            if (node) onResolve({filter: /^\.\/wasm_default\.js$/}, () => ({path: join(home, 'src/core/wasm_default.node.ts')}));
        },
    };
    return {
        bundle: true,
        format: 'esm',
        target: 'es2022',
        platform: node ? 'node' : 'browser',
        external: ['react', 'vue', 'svelte/store', 'solid-js', '@angular/core'],
        plugins: [plugin],
    };
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
