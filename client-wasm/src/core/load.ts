import {Core} from './core.js';
import type {CloseReason} from '../client/events.js';

/** The compiled module, or in its place the function that makes instances in JavaScript. */
export type ClientModule = WebAssembly.Module | (() => WebAssembly.Exports);

/** Brings the module; called by connect(). */
export type LoadModule = () => Promise<ClientModule>;

/** One instance of the module is one client. */
export async function instantiate(module: ClientModule): Promise<Core> {
    return new Core(typeof module === 'function' ? {exports: module()} : await WebAssembly.instantiate(module, {}));
}

/**
 * Why WebAssembly did not start, or fails. The three browsers word a Content-Security-Policy's refusal differently, and
 * Cloudflare's workerd has a refusal of its own.
 */
export function whyNot(error: unknown): CloseReason {
    const blocked = /content.security.policy|unsafe-eval|csp|disallowed/i.test(String(error));
    return {
        code: 0,
        name: blocked ? 'wasm_blocked' : 'wasm_failed',
        message: `WebAssembly failed: ${error}${blocked || !globalThis.WebAssembly ? ` (script-src needs 'wasm-unsafe-eval', or import pulsewire/js)` : ''}`,
        reconnect: false,
    };
}

/** Calls `load` once and keeps what it brought; after a failure the next call tries again. */
export function once(load: LoadModule): LoadModule {
    let module: Promise<ClientModule> | undefined;
    return () => {
        module ??= load();
        module.catch(() => (module = undefined));
        return module;
    };
}
