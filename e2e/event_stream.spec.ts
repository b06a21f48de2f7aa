// The plain event stream: a first-class client without any SDK (docs/protocol.md 8.4).

import {test, expect, type Page} from './support/test.ts';
import {EventStream} from './support/event_stream.ts';
import {publish, request} from './support/http.ts';

interface Heard {
    event: string;
    id: string;
    data: any;
}

// An EventSource in the page, as anybody would write it, that notes what it hears.
async function listen(page: Page, query: string, events: string[]): Promise<{heard: () => Promise<Heard[]>}> {
    await page.evaluate(({query, events}) => {
        const heard: unknown[] = [];
        Object.assign(globalThis, {heard});
        const source = new EventSource(`/events?${query}`);
        for (const name of ['message', 'pulsewire.open', 'pulsewire.gap', 'pulsewire.close', ...events]) {
            source.addEventListener(name, (event) => heard.push({event: event.type, id: event.lastEventId, data: JSON.parse(event.data)}));
        }
    }, {query, events});
    return {heard: () => page.evaluate(() => (globalThis as unknown as {heard: Heard[]}).heard)};
}

const payloads = (heard: Heard[], channel: string) =>
    heard.filter(({data}) => data.channel === channel && data.offset).map(({data}) => data.payload);

test('EventSource comes back with Last-Event-ID and misses nothing of its channels (8.4.3, 8.4.4)', async ({server, network, visit}) => {
    const page = await visit(`${network.origin}/favicon.svg`, {network: 'faulty'});
    await publish(server.origin, 'test:b', 'before');
    const {heard} = await listen(page, 'channel=test:a&channel=test:b', ['test.count']);
    await expect.poll(async () => (await heard()).map(({event}) => event)).toEqual(['pulsewire.open']);
    const expected = {a: [] as number[], b: [] as number[]};
    const write = async (count: number) => {
        for (let n = 0; n < count; n += 1) {
            expected.a.push(expected.a.length + 1);
            await publish(server.origin, 'test:a', expected.a.length, {type: 'test.count'});
            if (n % 2) continue;
            expected.b.push(expected.b.length + 1);
            await publish(server.origin, 'test:b', expected.b.length);
        }
    };
    await write(4);
    for (let round = 1; round <= 2; round += 1) {
        network.cut();
        await write(10);
        network.heal();
        // Opened again by the browser after `retry`, two seconds.
        await expect.poll(async () => (await heard()).filter(({event}) => event === 'pulsewire.open').length).toBe(round + 1);
        await write(4);
        await expect.poll(async () => payloads(await heard(), 'test:a')).toEqual(expected.a);
        await expect.poll(async () => payloads(await heard(), 'test:b')).toEqual(expected.b);
    }
    const all = await heard();
    expect(all.filter(({event}) => event === 'pulsewire.gap')).toEqual([]);
    // `message` has no event: line, so onmessage hears it (8.4.2).
    expect(new Set(all.filter(({data}) => data.channel === 'test:b').map(({event}) => event))).toEqual(new Set(['message']));
    expect(all.every(({id}) => /^1\./.test(id))).toBe(true);
});

test('after a restart with an empty memory each channel is told its gap, and goes on (8.4.5)', async ({server, visit}) => {
    const page = await visit(`${server.origin}/favicon.svg`, {network: 'faulty'});
    const {heard} = await listen(page, 'channel=test:a&channel=test:b', []);
    await expect.poll(async () => (await heard()).length).toBe(1);
    await publish(server.origin, 'test:a', 'one');
    await expect.poll(async () => payloads(await heard(), 'test:a')).toEqual(['one']);
    await server.kill9();
    await server.restart();
    await publish(server.origin, 'test:a', 'while it was away');
    // In the order in which the channels' owners answer, which is not promised.
    const gaps = (all: Awaited<ReturnType<typeof heard>>) => all.filter(({event}) => event === 'pulsewire.gap').map(({data}) => JSON.stringify(data)).sort();
    await expect.poll(async () => gaps(await heard())).toEqual(['test:a', 'test:b'].map((channel) => JSON.stringify({channel, recovered: false, reason: 'epoch_changed'})));
    await publish(server.origin, 'test:a', 'two');
    await publish(server.origin, 'test:b', 'three');
    await expect.poll(async () => payloads(await heard(), 'test:b')).toEqual(['three']);
    expect(payloads(await heard(), 'test:a').at(-1)).toBe('two');
});

test('the stream’s head, its first event and its form (8.1, 8.4.1, 8.4.2, 8.4.6)', async ({server}) => {
    const stream = await EventStream.open(`${server.origin}/events?channel=test:form&channel=test:also`);
    expect(stream.headers['content-type']).toMatch(/^text\/event-stream/);
    expect(stream.headers['cache-control']).toContain('no-store');
    expect(stream.headers['x-accel-buffering']).toBe('no');
    const open = await stream.next('pulsewire.open');
    // Each stream has a wait of its own, so that those that end together do not come back together.
    const wait = Number(stream.events.items.find(({retry}) => retry)?.retry);
    expect(wait).toBeGreaterThanOrEqual(1_000);
    expect(wait).toBeLessThanOrEqual(5_000);
    expect(open.id).toMatch(/^1\./);
    const {epoch} = await publish(server.origin, 'test:form', {text: 'two\nlines'}, {type: 'test.text'});
    const event = await stream.next('test.text');
    expect(JSON.parse(event.data)).toEqual({
        type: 'test.text', channel: 'test:form', offset: 1, time: expect.any(Number), payload: {text: 'two\nlines'},
    });
    expect(event.id).toContain(`${epoch}.1`);
    await publish(server.origin, 'test:form', 'hint', {transient: true});
    expect((await stream.next('message')).id).toBeUndefined();
    stream.close();
});

test('a cursor covers every channel of the stream, whatever their order in the address (8.4.3, 8.4.4)', async ({server}) => {
    for (const [channel, count] of [['test:one', 3], ['test:two', 2]] as const) {
        for (let n = 1; n <= count; n += 1) await publish(server.origin, channel, n);
    }
    const first = await EventStream.open(`${server.origin}/events?channel=test:one&channel=test:two&latest=1`);
    // Channels have no order among each other.
    const replayed = [await first.next('message'), await first.next('message')].map(({data}) => JSON.parse(data).payload);
    expect(replayed.sort()).toEqual([2, 3]);
    const {id} = first.events.items.at(-1)!;
    first.close();
    await publish(server.origin, 'test:two', 3);
    await publish(server.origin, 'test:one', 4);
    for (const [query, headers] of [
        ['channel=test:two&channel=test:one', {'last-event-id': id!}], [`channel=test:one&channel=test:two&last_event_id=${id}`, {}],
    ] as [string, Record<string, string>][]) {
        const again = await EventStream.open(`${server.origin}/events?${query}`, headers);
        const missed = [await again.next('message'), await again.next('message')].map(({data}) => JSON.parse(data));
        expect(missed.map(({channel, payload}) => [channel, payload]).sort()).toEqual([['test:one', 4], ['test:two', 3]]);
        again.close();
    }
    for (const cursor of ['nonsense', '1.', '2.aaaa.1', id!.split('.').slice(0, 3).join('.'), `${id}.${id}`]) {
        const answer = await request(`${server.origin}/events?channel=test:one&channel=test:two`, {headers: {'last-event-id': cursor}});
        expect(answer.status, cursor).toBe(400);
    }
});

test.describe('with a history of ten', () => {
    test.use({serverOptions: {config: {namespaces: {test: {history_count_max: 10}}}}});

    test('what the history no longer holds is told as expired (8.4.5)', async ({server}) => {
        await publish(server.origin, 'test:long', 0);
        const first = await EventStream.open(`${server.origin}/events?channel=test:long&latest=1`);
        const {id} = await first.next('message');
        first.close();
        for (let n = 1; n <= 11; n += 1) await publish(server.origin, 'test:long', n);
        const again = await EventStream.open(`${server.origin}/events?channel=test:long`, {'last-event-id': id!});
        expect(JSON.parse((await again.next('pulsewire.gap')).data)).toEqual({channel: 'test:long', recovered: false, reason: 'expired'});
        await publish(server.origin, 'test:long', 'next');
        expect(JSON.parse((await again.next('message')).data)).toMatchObject({payload: 'next'});
        again.close();
    });
});

test('no address without channels, with too many, or with one that is no name (8.4.1, 1.2)', async ({server}) => {
    const many = Array.from({length: 33}, (_, n) => `channel=test:${n}`).join('&');
    for (const query of ['', '?channel=', '?channel=a%20b', `?${many}`, '?channel=test:a&latest=many']) {
        expect((await request(`${server.origin}/events${query}`)).status, query).toBe(400);
    }
    const stream = await EventStream.open(`${server.origin}/events?${many.split('&').slice(1).join('&')}`);
    await stream.next('pulsewire.open');
    stream.close();
});

test.describe('heartbeats', () => {
    test.use({serverOptions: {env: {PULSEWIRE_PING_MS: '300'}}});

    test('silence is broken by events that a page can see (8.4.6)', async ({server}) => {
        const stream = await EventStream.open(`${server.origin}/events?channel=test:quiet`);
        for (let n = 0; n < 3; n += 1) expect(JSON.parse((await stream.next('pulsewire.ping')).data).time).toBeGreaterThan(0);
        stream.close();
    });
});
