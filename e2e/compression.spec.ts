// A real browser's permessage-deflate: it offers, the server agrees, and pages notice nothing but fewer bytes.

import {expect, test} from './support/test.ts';
import {publish} from './support/http.ts';
import {accountedFor, heardBy, listen} from './support/listener.ts';

test.use({serverOptions: {config: {websocket_compression: true}}});

const count = 60;
const text = 'the same words again and again, as JSON has them; '.repeat(100);

test('a browser agrees on compression and gets every message, in a fraction of the bytes', async ({server, visit}) => {
    const page = await listen(visit, server.origin, 'chat:a', 'websocket');
    const bytesOut = async () => {
        const metrics = await (await fetch(`${server.origin}/metrics`)).text();
        return Number(/^pulsewire_sent_bytes_total(?:\{[^}]*\})? (\d+)/m.exec(metrics)?.[1]);
    };
    const before = await bytesOut();
    for (let n = 1; n <= count; n++) await publish(server.origin, 'chat:a', {key: `k${n}`, text}, {type: 'tick'});
    await expect.poll(async () => accountedFor(await heardBy(page))).toBe(count);
    // With the answers to the publishes.
    const sent = await bytesOut() - before;
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(count * text.length / 5);
    expect((await heardBy(page)).lost).toEqual([]);
});
