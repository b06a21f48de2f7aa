// A page behind a network that does not keep up, under each policy of a namespace (docs/protocol.md 5.4 to 5.7): it ends with
// exactly the messages it should have, or is told what it misses; and nobody else notices.

import {test, expect, type Page} from './support/test.ts';
import {publish} from './support/http.ts';
import {accountedFor, heardBy, listen} from './support/listener.ts';

const payloadBytes = 50_000;  // the kernel's buffers between server and page hold some megabytes
const count = 320;
const keys = 5;
const everything = {history_count_max: 1000, history_bytes_max: 256 << 20};

test.slow();
test.use({serverOptions: {config: {
    write_timeout_ms: 60_000,
    ping_ms: 60_000,  // being held up for long is no reason to give a connection up here
    recovery_max: 1000,
    namespaces: {
        strict: {...everything, slow_consumer: 'disconnect'},
        old: {...everything, slow_consumer: 'drop_oldest'},
        oldest: {history_count_max: 5, slow_consumer: 'drop_oldest'},
        key: {...everything, slow_consumer: 'latest_per_key'},
    },
}}});

const keyOf = (n: number) => `k${n % keys}`;
const text = 'x'.repeat(payloadBytes);
const all = Array.from({length: count}, (_, index) => index + 1);

const caughtUp = (page: Page, to = count) =>
    expect.poll(async () => accountedFor(await heardBy(page)), {intervals: [5, 10, 50, 250]}).toBe(to);

// As fast as somebody with a good connection hears it: then a queue of theirs never matters.
async function flood(origin: string, channel: string, good: Page, before = 0): Promise<void> {
    for (const n of all) {
        await publish(origin, channel, {key: keyOf(n), text}, {type: 'tick', conflate: keyOf(n)});
        if (n % (keys - 1) === 0) await caughtUp(good, before + n);
    }
}

const metric = async (origin: string, name: string): Promise<number> => {
    const line = (await (await fetch(`${origin}/metrics`)).text()).split('\n').find((each) => each.startsWith(`${name} `));
    return Number(line?.split(' ')[1]);
};

// For good: then there is no catching up, only fair warning. Recovering again and again would make it worse.
test('a network that is too slow for ever: everything comes or is told, and the history is not sent over and over', async ({server, network, visit}) => {
    const slow = await listen(visit, network.origin, 'old:a', 'websocket', {network: 'faulty'});
    const good = await listen(visit, server.origin, 'old:a', 'websocket');
    network.blackhole('from_server');
    await flood(server.origin, 'old:a', good);
    network.heal();
    network.bandwidth(2_000_000);
    await expect.poll(async () => (await heardBy(slow)).subscribed.length, {timeout: 45_000}).toBe(2);
    await flood(server.origin, 'old:a', good, count);
    expect((await heardBy(slow)).subscribed.length).toBeLessThan(6);
    network.heal();
    await caughtUp(slow, 2 * count);
    expect((await heardBy(slow)).lost).toEqual([]);
    expect((await heardBy(good)).stream).toEqual([...all, ...all.map((n) => n + count)]);
});

for (const transport of ['websocket', 'sse'] as const) {
    test.describe(`over ${transport}`, () => {
        // Two pages, of which one falls behind; what both heard in the end.
        const fallBehind = async (channel: string, {server, network, visit}: any) => {
            const slow = await listen(visit, network.origin, channel, transport, {network: 'faulty'});
            const good = await listen(visit, server.origin, channel, transport);
            network.blackhole('from_server');
            await flood(server.origin, channel, good);
            // While the other still hears nothing.
            await caughtUp(good);
            expect(accountedFor(await heardBy(slow))).toBe(0);
            network.heal();
            await caughtUp(slow);
            const unhurt = await heardBy(good);
            expect(unhurt).toEqual({...unhurt, stream: all, subscribed: [undefined], lost: []});
            return heardBy(slow);
        };

        test('disconnect: it is cut off, comes back and recovers everything', async ({server, network, visit}) => {
            const heard = await fallBehind('strict:a', {server, network, visit});
            expect(heard).toEqual({...heard, stream: all, subscribed: [undefined, true], lost: ['slow_consumer']});
            expect(await metric(server.origin, 'pulsewire_slow_consumers_total')).toBe(1);
        });

        test('drop_oldest: it asks for what was dropped, and has everything', async ({server, network, visit}) => {
            const heard = await fallBehind('old:a', {server, network, visit});
            expect(heard).toEqual({...heard, stream: all, subscribed: [undefined, true], lost: []});
            expect(await metric(server.origin, 'pulsewire_queue_dropped_total{policy="drop_oldest"}')).toBeGreaterThan(0);
        });

        test('drop_oldest with a short history: the gap is told once', async ({server, network, visit}) => {
            const heard = await fallBehind('oldest:a', {server, network, visit});
            const gaps = heard.stream.filter((item) => typeof item !== 'number');
            expect(gaps).toHaveLength(1);
            expect(gaps[0]![2]).toBe('expired');
            expect(heard).toEqual({...heard, subscribed: [undefined, false], lost: []});
        });

        test('latest_per_key: the newest of each key, and the gaps between them', async ({server, network, visit}) => {
            const heard = await fallBehind('key:a', {server, network, visit});
            expect(heard.newest).toEqual(Object.fromEntries(all.slice(-keys).map((n) => [keyOf(n), n])));
            const gaps = heard.stream.filter((item) => typeof item !== 'number');
            expect(gaps.length).toBeGreaterThan(0);
            expect(gaps.every(([, , reason]) => reason === 'replaced')).toBe(true);
            expect(heard).toEqual({...heard, subscribed: [undefined], lost: []});
            expect(await metric(server.origin, 'pulsewire_slow_consumers_total')).toBe(0);
        });
    });
}
