// The server is killed again and again under load, and keeps what it acknowledged: checked from outside, with real
// sockets (docs/protocol.md 4.4, 4.9, 5.3, 8.4.4). BLACK_BOX_KILLS says how often; a nightly run takes 50.

import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {BlackBox} from './support/black_box.ts';
import {PulsewireServer} from './support/server.ts';
import {test, expect} from './support/test.ts';

const kills = Number(process.env.BLACK_BOX_KILLS ?? 5);

test(`killed ${kills} times under load, with a durable log: nothing acknowledged is lost, nothing comes twice`, async ({}, testInfo) => {
    test.setTimeout(60_000 + kills * 10_000);
    const folder = mkdtempSync(join(tmpdir(), 'pulsewire-black-box-'));
    const server = await PulsewireServer.start({
        program: 'pulsewired',
        args: ['--data', folder],
        config: {
            commands_per_second: 0, recovery_max: 100_000,
            default_namespace: {history_count_max: 1_000_000, history_bytes_max: 1_000_000_000, history_age_ms: 3_600_000},
        },
    });
    const box = new BlackBox(server.origin, ['load:a', 'load:b', 'load:c', 'load:d']);
    try {
        box.start();
        const start = performance.now();
        for (let kill = 1; kill <= kills; kill += 1) {
            await box.progress(50 + Math.floor(Math.random() * 300));
            await server.kill9();
            await server.restart();
        }
        await box.progress(50);
        await box.settle();
        await box.judge();
        const seconds = Math.round((performance.now() - start) / 1000);
        const {delivered, reconnects, repeated} = box.figures;
        const figures = `${kills} kills in ${seconds} s: ${box.acknowledged.length} acknowledged, ${delivered} delivered, `
            + `${reconnects} reconnects, ${repeated} requests repeated; ${box.faults.length} faults`;
        console.log(`    ${figures}`);
        testInfo.annotations.push({type: 'figures', description: figures});
        expect(box.faults.slice(0, 20)).toEqual([]);
        expect(reconnects, 'subscribers came back').toBeGreaterThan(kills);
    } finally {
        box.close();
        if (server.running) await server.stop();
        server.discard();
        rmSync(folder, {recursive: true, force: true});
    }
});
