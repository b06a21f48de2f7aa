import {Client} from './client/client.js';
import type {AnyRequests, ConnectOptions} from './client/options.js';
import {MachineSession} from './core/machine_session.js';
import {plainModule} from './core/plain.js';

export * from './public.js';

const load = async () => plainModule;

/** As connect() of the entry `pulsewire`, with the same core as JavaScript: for where WebAssembly is missing or forbidden. */
export function connect<R extends object = AnyRequests>(url: string | URL = '/', options: ConnectOptions = {}): Client<R> {
    return new Client<R>((owner) => new MachineSession(load, url, options, owner), options);
}
