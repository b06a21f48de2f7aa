// The bytes that a page downloads, for each way to take the package.

import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {brotliCompressSync, constants, gzipSync} from 'node:zlib';

const entries = {
    'pulsewire': ['index.js'],
    'pulsewire/js': ['js.js'],
    'pulsewire/wasm': ['wasm.js', 'pulsewire.wasm'],
    'pulsewire/worker': ['worker.js'],
    'pulsewire/storage': ['storage.js'],
    'pulsewire/requests': ['requests.js'],
    'pulsewire/list': ['list.js'],
    'pulsewire/state': ['state.js', 'list.js'],
    'pulsewire/stream': ['stream.js', 'state.js', 'list.js'],
    'pulsewire/ai': ['ai.js', 'state.js', 'list.js'],
    'pulsewire/yjs': ['yjs.js', 'list.js'],
    'pulsewire/schema': ['schema.js'],
    'pulsewire/test': ['test.js', 'index.js'],
    'pulsewire/react': ['react.js', 'frameworks.js', 'list.js'],
    'pulsewire/vue': ['vue.js', 'frameworks.js', 'list.js'],
    'pulsewire/svelte': ['svelte.js', 'frameworks.js', 'list.js'],
    'pulsewire/solid': ['solid.js', 'frameworks.js', 'list.js'],
    'pulsewire/angular': ['angular.js', 'frameworks.js', 'list.js'],
    'after a failure': ['why.js'],
    'with debug': ['debug.js'],
    'with a token': ['token.js'],
    'no WebAssembly': ['index.js', 'plain.js'],
};

/** Bytes of an entry's files: as they are, gzip -9, brotli 11. Each file is compressed alone, as servers do. */
export function sizesOf(dist) {
    return Object.entries(entries).map(([entry, files]) => {
        const sum = {entry, raw: 0, gzip: 0, brotli: 0};
        for (const file of files) {
            const bytes = readFileSync(join(dist, file));
            const params = {[constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length};
            sum.raw += bytes.length;
            sum.gzip += gzipSync(bytes, {level: 9}).length;
            sum.brotli += brotliCompressSync(bytes, {params}).length;
        }
        return sum;
    });
}

export function printSizes(dist) {
    const row = (name, ...cells) => console.log(`  ${name.padEnd(20)}${cells.map((cell) => String(cell).padStart(9)).join('')}`);
    row('entry', 'raw', 'gzip', 'brotli');
    for (const {entry, raw, gzip, brotli} of sizesOf(dist)) row(entry, raw, gzip, brotli);
}
