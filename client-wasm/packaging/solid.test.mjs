// `pulsewire/solid` as it is packed: the chat of docs/frameworks.md in Solid.

import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import solid from 'vite-plugin-solid';
import {chatTests, startApp} from './frameworks/app.mjs';

let app;
before(async () => {
    app = await startApp({name: 'solid', heading: 'Solid', links: ['solid-js'], plugins: [solid()], include: ['solid-js', 'solid-js/web']});
});
after(() => app?.stop());

chatTests(test, () => app);

test('what a server renders connects nothing', async () => {
    const total = 'pulsewire_connections_total{transport="websocket"}';
    const before = await app.metric(total);
    const {values} = await app.vite.ssrLoadModule('/server.ts');
    assert.deepEqual(values(), [[], 'subscribing', 'connecting', [], []]);
    // Time in which a connection would have come.
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(await app.metric(total), before);
});
