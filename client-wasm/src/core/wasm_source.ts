import {once} from './load.js';
import type {WasmSource} from '../client/options.js';
import {readDefault} from './wasm_default.js';

let source: WasmSource | undefined;

export function setSource(wanted: WasmSource): void {
    source = wanted;
    compile = once(compileSource);
}

async function compileSource(): Promise<WebAssembly.Module> {
    const from = await ((source ?? readDefault()) as WasmSource);
    if (from instanceof WebAssembly.Module) return from;
    if (ArrayBuffer.isView(from) || from instanceof ArrayBuffer) return WebAssembly.compile(from as BufferSource);
    const response = from instanceof Response ? from : await fetch(from as string | URL);
    if (!response.ok) throw new Error(`${response.url} answered ${response.status}`);
    // Streaming insists on the right content type, which not every server gives.
    const type = response.headers.get('Content-Type') ?? '';
    if (type.startsWith('application/wasm')) return WebAssembly.compileStreaming(response);
    return WebAssembly.compile(await response.arrayBuffer());
}

export let compile = once(compileSource);
