import text from 'pulsewire.wasm';
import {Client} from './client/client.js';
import type {AnyRequests, ConnectOptions} from './client/options.js';
import {once} from './core/load.js';
import {MachineSession} from './core/machine_session.js';
import {fromModuleText} from './core/module_text.js';

export * from './public.js';

// The module stands in this file, so that every bundler and every page takes it along.
const load = once(async () => (globalThis.WebAssembly ? WebAssembly.compile(fromModuleText(text)) : (await import('./core/plain.js')).plainModule));

/**
 * Connects to a Pulsewire server, by itself and again whenever the connection is lost. Returns at once; what is called
 * before the connection stands is done when it does. Throws a PulsewireError with `invalid_argument` for an address or
 * options that cannot work.
 *
 * @param url The server's base address; `ws` and `sse` are found below it.  @default the page's origin
 */
export function connect<R extends object = AnyRequests>(url: string | URL = '/', options: ConnectOptions = {}): Client<R> {
    return new Client<R>((owner) => new MachineSession(load, url, options, owner), options);
}
