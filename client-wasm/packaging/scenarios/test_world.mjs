// The test server as a world for scenarios, in virtual time.

import {clientOptions, limits, limitsOfSlow, namespaces, withTokens} from './settings.mjs';

const patienceMs = 60_000;
const stepMs = 50;

export async function testWorld({testServer}, {tokens = false, slow = false} = {}) {
    const server = await testServer({namespaces: tokens ? withTokens : namespaces, limits: slow ? limitsOfSlow : limits, tokens, virtualTime: true});
    const streams = new Set();
    // Streams are on the path of everybody without a client.
    const clientOf = (who) => (streams.has(who) ? undefined : who);
    return {
        connect: (options) => server.connect({...clientOptions, ...options}),
        async events(path) {
            const stream = new server.EventSource(path);
            streams.add(stream);
            return stream;
        },
        token: (user, allow) => server.token({user, allow}),
        publish: async (...what) => server.publish(...what),
        fetch: (path, init) => server.fetch(server.url + path, init),
        cut: (who) => server.cut(clientOf(who)),
        offline: (who) => server.offline(clientOf(who)),
        online: (who) => server.online(clientOf(who)),
        stall: (direction, client) => server.stall(direction, client),
        restart: async ({keepLog = true} = {}) => server.restart({keepLog}),
        drain: async () => server.drain(),
        pass: (ms) => server.advance(ms),
        async until(holds) {
            for (let ms = 0; ms < patienceMs; ms += stepMs) {
                await server.settled();
                if (await holds()) return;
                await server.advance(stepMs);
            }
            throw new Error(`it does not come to that: ${holds}\n${server.trace().slice(-30).join('\n')}`);
        },
        close: async () => server.close(),
    };
}
