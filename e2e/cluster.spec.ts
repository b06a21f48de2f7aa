// Several servers over one Redis, behind load balancers without sticky sessions: docs/cluster.md from outside.
// CLUSTER_KILLS says how often servers and the broker are killed under load; a nightly run takes 50.

import {BlackBox} from './support/black_box.ts';
import {missingFor, type ProxyKind} from './support/cluster.ts';
import {history, request} from './support/http.ts';
import {chatTexts, openChat, say} from './support/pages.ts';
import {test, expect, type Page} from './support/test.ts';

const kills = Number(process.env.CLUSTER_KILLS ?? 5);
const unbounded = {
    commands_per_second: 0, recovery_max: 100_000,
    default_namespace: {history_count_max: 1_000_000, history_bytes_max: 1_000_000_000, history_age_ms: 3_600_000},
};
const members = (page: Page) => page.getByTestId('members').locator('.member__name');

test.beforeEach(({}, testInfo) => {
    const missing = missingFor('redis-server', 'haproxy', 'nginx');
    testInfo.skip(missing !== undefined, missing);
});

for (const proxy of ['haproxy', 'nginx'] as ProxyKind[]) {
    test(`servers and the broker killed ${kills} times under load, behind ${proxy}: nothing acknowledged is lost, nothing comes twice`, async ({startCluster}, testInfo) => {
        test.setTimeout(90_000 + kills * 15_000);
        const cluster = await startCluster(3, {program: 'pulsewired', config: unbounded});
        const box = new BlackBox(await cluster.proxy(proxy), ['load:a', 'load:b', 'load:c', 'load:d']);
        try {
            box.start();
            for (let kill = 1; kill <= kills; kill += 1) {
                await box.progress(50 + Math.floor(Math.random() * 200));
                if (kill % 3 === 0) {
                    await cluster.redis.kill9();
                    await cluster.redis.start();
                } else {
                    // Each in its turn: whoever is never killed would soon have all clients.
                    const node = cluster.nodes[(kill + Math.floor(kill / 3)) % cluster.nodes.length]!;
                    await node.kill9();
                    await box.progress(50);
                    await node.restart();
                }
                await box.progress(50);
            }
            await box.settle();
            await box.judge();
            const {delivered, reconnects, repeated} = box.figures;
            const figures = `${box.acknowledged.length} acknowledged, ${delivered} delivered, ${reconnects} reconnects, `
                + `${repeated} requests repeated; ${box.faults.length} faults`;
            console.log(`    ${figures}`);
            testInfo.annotations.push({type: 'figures', description: figures});
            expect(box.faults.slice(0, 20)).toEqual([]);
        } finally {
            box.close();
        }
    });
}

test('two people on two servers talk and see each other; a server is killed under one, the broker under both', async ({startCluster, visit}) => {
    test.setTimeout(90_000);
    const cluster = await startCluster(3);
    const [one, two] = cluster.nodes as [typeof cluster.nodes[0], typeof cluster.nodes[0]];
    const origin = await cluster.proxy('haproxy');
    const ada = await visit(`${origin}/chat/?name=Ada`, {network: 'faulty'});
    const bob = await visit(`${two!.origin}/chat/?name=Bob`);
    await openChat(ada);
    await openChat(bob);
    await expect(members(ada)).toHaveText(['Ada', 'Bob']);
    await expect(members(bob)).toHaveText(['Bob', 'Ada']);
    await say(ada, 'From one server');
    await expect(chatTexts(bob)).toHaveText(['From one server']);
    await say(bob, 'From another');
    await expect(chatTexts(ada)).toHaveText(['From one server', 'From another']);

    // Ada's server is one of the others; she comes back to whichever is left.
    await one!.kill9();
    await cluster.nodes[2]!.kill9();
    await say(bob, 'Are you still there?');
    await expect(chatTexts(ada).last()).toHaveText('Are you still there?', {timeout: 20_000});
    await expect(chatTexts(ada)).toHaveCount(3);

    await cluster.redis.kill9();
    await say(ada, 'The broker is away');
    await cluster.redis.start();
    await expect(chatTexts(bob).last()).toHaveText('The broker is away', {timeout: 20_000});
    await expect(chatTexts(bob)).toHaveCount(4);
    await expect(members(bob)).toHaveText(['Bob', 'Ada']);
    const {messages} = await history(two!.origin, 'chat:lobby');
    expect(messages.map(({payload}) => (payload as {text: string}).text)).toEqual(
        ['From one server', 'From another', 'Are you still there?', 'The broker is away']);
});

for (const proxy of ['haproxy', 'nginx'] as ProxyKind[]) {
    test(`over SSE, the posts of a page land anywhere behind ${proxy}`, async ({startCluster, visit}) => {
        test.setTimeout(60_000);
        const cluster = await startCluster(3);
        const origin = await cluster.proxy(proxy);
        const ada = await visit(`${origin}/chat/?name=Ada&transport=sse`);
        const bob = await visit(`${origin}/chat/?name=Bob&transport=sse`);
        await openChat(ada, 'sse');
        await openChat(bob, 'sse');
        for (let n = 1; n <= 4; n += 1) {
            await say(ada, `Ada ${n}`);
            await expect(chatTexts(bob).last()).toHaveText(`Ada ${n}`);
            await say(bob, `Bob ${n}`);
            await expect(chatTexts(ada).last()).toHaveText(`Bob ${n}`);
        }
        await expect(chatTexts(ada)).toHaveCount(8);
    });
}

test('a rolling restart under load loses nothing', async ({startCluster}) => {
    test.setTimeout(120_000);
    const cluster = await startCluster(3, {program: 'pulsewired', config: {...unbounded, drain_spread_ms: 300}});
    const box = new BlackBox(await cluster.proxy('haproxy'), ['load:a', 'load:b']);
    try {
        box.start();
        for (const node of cluster.nodes) {
            await box.progress(100);
            await node.stop();
            await box.progress(100);
            await node.restart();
        }
        await box.progress(100);
        await box.settle();
        await box.judge();
        expect(box.faults.slice(0, 20)).toEqual([]);
    } finally {
        box.close();
    }
});

test('a key of an idempotent publish counts once, whichever server gets the second', async ({startCluster}) => {
    const cluster = await startCluster(2, {program: 'pulsewired'});
    const body = {type: 't', key: 'once-and-for-all', payload: 1};
    const answers = [];
    for (const node of [...cluster.nodes, ...cluster.nodes]) {
        answers.push((await request(`${node.origin}/api/channels/room/messages`, {body})).json.offset);
    }
    expect(answers).toEqual([1, 1, 1, 1]);
});
