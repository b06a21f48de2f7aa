/** The WebAssembly module as text (core/module_text.ts); build.mjs puts it in. */
declare module 'pulsewire.wasm' {
    const text: string;
    export default text;
}

/** The module as JavaScript, made by wasm2js; each call is an instance with a memory of its own. */
declare module 'pulsewire.js' {
    export default function plainModule(): WebAssembly.Exports;
}

/** The hub as a server for tests; build.mjs puts it in. */
declare module 'test_server.wasm' {
    const bytes: Uint8Array<ArrayBuffer>;
    export default bytes;
}

/** The part that the entry for Node uses; the package has no dependency, not even on types. */
declare module 'node:fs/promises' {
    export function readFile(path: URL): Promise<Uint8Array>;
}
