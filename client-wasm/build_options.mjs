// How the package's sources become JavaScript; shared by the build and the tests.

import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';

/** This package's folder. */
export const home = fileURLToPath(new URL('.', import.meta.url));
/** Where CMake leaves the module. */
export const wasmPath = join(home, '../build/wasm/pulsewire.wasm');

/**
 * Properties that nobody but the package's own code knows: minified to a letter, the same in every entry. The types that
 * an application sees have none of these.
 */
export const ownNames = [
    'answered', 'broken', 'byte', 'configure', 'deliver', 'emit', 'endpoints', 'header', 'heard', 'iterator', 'long',
    'messageBytesMax', 'numbers', 'opened', 'payloadOf', 'receive', 'received', 'report',
    'sseUrl', 'string', 'texts', 'told', 'unitsMax', 'websocketUrl', 'word',
];

/** esbuild's options. `text`: what `import text from 'pulsewire.wasm'` gives. `node`: read files instead of fetching. */
export function bundleOptions({text, node = false}) {
    const plugin = {
        name: 'pulsewire',
        setup({onResolve, onLoad}) {
            onResolve({filter: /^pulsewire\.wasm$/}, ({path}) => ({path, namespace: 'inline'}));
            onLoad({filter: /.*/, namespace: 'inline'}, () => ({contents: `export default ${JSON.stringify(text)};`}));
            if (node) onResolve({filter: /^\.\/wasm_default\.js$/}, () => ({path: join(home, 'src/core/wasm_default.node.ts')}));
        },
    };
    return {
        bundle: true,
        format: 'esm',
        target: 'es2022',
        platform: node ? 'node' : 'browser',
        plugins: [plugin],
    };
}

/** The text that src/core/inline_bytes.ts turns back into the bytes. */
export async function toText(bytes) {
    const {outputFiles} = await build({
        entryPoints: [join(home, 'src/core/inline_bytes.ts')], bundle: true, format: 'esm', write: false,
    });
    const code = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
    return code.toText(bytes);
}
