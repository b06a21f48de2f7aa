import {Core} from './core.js';
import type {CloseReason} from '../client/events.js';

/** Brings the compiled module; called by connect(). */
export type LoadModule = () => Promise<WebAssembly.Module>;

/** One instance of the module is one client. */
export async function instantiate(module: WebAssembly.Module): Promise<Core> {
    return new Core(await WebAssembly.instantiate(module, {}));
}

/** Why WebAssembly did not start, or fails. The three browsers word a Content-Security-Policy's refusal differently. */
export function whyNot(error: unknown): CloseReason {
    const blocked = /content.security.policy|unsafe-eval|csp/i.test(String(error));
    return {
        code: 0,
        name: blocked ? 'wasm_blocked' : 'wasm_failed',
        message: globalThis.WebAssembly ? `WebAssembly failed: ${error}${blocked ? ` (script-src needs 'wasm-unsafe-eval')` : ''}` : 'There is no WebAssembly here: see docs/where-it-runs.md.',
        reconnect: false,
    };
}

/** Calls `load` once and keeps what it brought; after a failure the next call tries again. */
export function once(load: LoadModule): LoadModule {
    let module: Promise<WebAssembly.Module> | undefined;
    return () => {
        module ??= load();
        module.catch(() => (module = undefined));
        return module;
    };
}
