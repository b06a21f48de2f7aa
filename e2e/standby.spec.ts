// Two servers with one data folder behind a proxy: one serves, the other stands by. Restarts, planned and not, lose nothing
// and double nothing: checked from outside, with real sockets (docs/operating.md, docs/protocol.md 4.4, 4.9, 5.3, 7.1).

import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Balancer} from './support/balancer.ts';
import {BlackBox} from './support/black_box.ts';
import {PulsewireServer} from './support/server.ts';
import {test, expect} from './support/test.ts';

const restarts = Number(process.env.BLACK_BOX_RESTARTS ?? 6);

test(`${restarts} restarts back and forth between two servers under load, one by kill -9`, async ({}, testInfo) => {
    test.setTimeout(60_000 + restarts * 10_000);
    const folder = mkdtempSync(join(tmpdir(), 'pulsewire-standby-'));
    const options = {
        program: 'pulsewired' as const,
        args: ['--data', folder, '--standby'],
        config: {
            commands_per_second: 0, recovery_max: 100_000, drain_spread_ms: 200,
            default_namespace: {history_count_max: 1_000_000, history_bytes_max: 1_000_000_000, history_age_ms: 3_600_000},
        },
    };
    let active = await PulsewireServer.start(options);
    let other = await PulsewireServer.standBy(options);
    const proxy = await Balancer.start([active.port, other.port]);
    const box = new BlackBox(proxy.origin, ['load:a', 'load:b', 'load:c', 'load:d']);
    try {
        box.start();
        const pauses: string[] = [];
        for (let restart = 1; restart <= restarts; restart += 1) {
            await box.progress(50 + Math.floor(Math.random() * 300));
            const killed = restart === Math.ceil(restarts / 2);
            const begun = performance.now();
            const ended = killed ? active.kill9() : active.stop();
            await other.untilHealthy();
            await box.progress(200);
            pauses.push(`${Math.round(box.longestPauseMs(begun))}${killed ? ' (kill -9)' : ''}`);
            const exit = await ended;
            if (exit) expect(exit.code).toBe(0);
            await active.standByAgain();
            [active, other] = [other, active];
        }
        await box.settle();
        await box.judge();
        const {delivered, reconnects, repeated} = box.figures;
        const figures = `${restarts} restarts: ${box.acknowledged.length} acknowledged, ${delivered} delivered, ${reconnects} reconnects, `
            + `${repeated} requests repeated, ${proxy.refused} refused by both; ${box.faults.length} faults; `
            + `longest time without an acknowledgement, ms: ${pauses.join(', ')}`;
        console.log(`    ${figures}`);
        testInfo.annotations.push({type: 'figures', description: figures});
        expect(box.faults.slice(0, 20)).toEqual([]);
        expect(reconnects, 'subscribers came back').toBeGreaterThan(restarts);
    } finally {
        box.close();
        for (const server of [other, active]) {
            if (server.running) await server.stop();
            server.discard();
        }
        await proxy.stop();
        rmSync(folder, {recursive: true, force: true});
    }
});
