import {Client} from './client/client.js';
import type {AnyRequests, ConnectOptions, WasmSource} from './client/options.js';
import {MachineSession} from './core/machine_session.js';
import {compile, setSource} from './core/wasm_source.js';

export * from './public.js';

/**
 * Says where the WebAssembly module comes from and compiles it; to be called before the first connect(), where the
 * default (`pulsewire.wasm` beside this file) does not do. Resolves when it is compiled, so it also serves to load it
 * ahead of time.
 */
export async function init(source?: WasmSource): Promise<void> {
    if (source !== undefined) setSource(source);
    await compile();
}

/** As connect() of the entry `pulsewire`, with the WebAssembly module in a file of its own. */
export function connect<R extends object = AnyRequests>(url: string | URL = '/', options: ConnectOptions = {}): Client<R> {
    return new Client<R>((owner) => new MachineSession(compile, url, options, owner), options);
}
