// What the tests of shared state have in common: a real hub whose namespace `board` keeps state, and clients on it.

import {afterEach} from 'node:test';
import type {Client} from '../src/client/client.js';
import type {ConnectOptions} from '../src/client/options.js';
import {testServer, type TestServer, type TestServerOptions} from '../src/test.js';

const servers = new Set<TestServer>();
afterEach(() => {
    for (const server of servers) server.close();
    servers.clear();
});

/** `stateBytesMax`: of the namespace. */
export async function stateServer(stateBytesMax = 1_000_000, options: TestServerOptions = {}): Promise<TestServer> {
    const server = await testServer({
        virtualTime: true, namespaces: {board: {state_bytes_max: stateBytesMax, history_count_max: 5}}, ...options,
    });
    servers.add(server);
    return server;
}

/** A client, and the errors that it tells the application. */
export function clientOf(server: TestServer, options: ConnectOptions = {}): {client: Client; errors: string[]} {
    const errors: string[] = [];
    const client = server.connect({onError: (error) => errors.push((error as {code?: string}).code ?? String(error)), ...options});
    return {client, errors};
}

/** What has become of a promise: `pending`, its value, or the code of its error. */
export async function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
    let outcome: unknown = 'pending';
    promise.then((value) => (outcome = value), (error: {code?: string}) => (outcome = error.code ?? String(error)));
    await new Promise<void>((resolve) => setImmediate(resolve));
    return outcome;
}
