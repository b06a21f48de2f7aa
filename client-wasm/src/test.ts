import bytes from 'test_server.wasm';
import type {TestServerOptions} from './test/options.js';
import {TestServer} from './test/server.js';
import {VirtualTime} from './test/virtual_time.js';
import {warmUp} from './test/warm_up.js';

export type {TestServer} from './test/server.js';
export type {ChannelView, KeptMessage} from './test/channel_view.js';
export type {TestEventSource, TestEventSourceConstructor} from './test/event_source.js';
export type * from './test/options.js';

let module: Promise<WebAssembly.Module> | undefined;

/**
 * Makes a server for tests out of the real server's hub, in this process: without a socket, without a port, with a network
 * that fails when the test says so. Rejects with `invalid_argument` for options that the real server would refuse.
 */
export async function testServer(options: TestServerOptions = {}): Promise<TestServer> {
    module ??= WebAssembly.compile(bytes);
    const [compiled] = await Promise.all([module, warmUp()]);
    const time = options.virtualTime ? VirtualTime.begin(options.seed ?? 1) : undefined;
    try {
        return new TestServer(compiled, options, time);
    } catch (error) {
        time?.end();
        throw error;
    }
}
