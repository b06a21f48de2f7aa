// Classic: the two first programs of real-time. With the SDK and without it they talk to each other (docs/protocol.md 2, 8.4, 10).

import {test, expect} from './support/test.ts';
import {ClassicPanel, expectOpen, type PanelId} from './support/pages.ts';

for (const [sender, address] of [
    ['ws-sdk', '/classic/'], ['ws-plain', '/classic/'], ['ws-sdk', '/classic/?transport=sse'],
] as [PanelId, string][]) {
    test(`${sender} on ${address} is welcomed, hears itself as received and the others hear a broadcast (10.1)`, async ({server, visit}) => {
        const ada = await visit(server.origin + address);
        const bob = await visit(`${server.origin}/classic/`);
        const own = new ClassicPanel(ada, sender);
        const others = [
            new ClassicPanel(ada, sender === 'ws-sdk' ? 'ws-plain' : 'ws-sdk'), new ClassicPanel(bob, 'ws-sdk'), new ClassicPanel(bob, 'ws-plain'),
        ];
        for (const panel of [own, ...others]) await expect(panel.texts('server').first()).toHaveText('Welcome to the WebSocket server!');

        await own.send('Hello there');
        await expect(own.texts('you')).toHaveText(['Hello there']);
        await expect(own.texts('server')).toHaveText(['Welcome to the WebSocket server!', 'Server received: Hello there']);
        for (const panel of others) {
            await expect(panel.texts('server')).toHaveText(['Welcome to the WebSocket server!', 'Broadcast: Hello there']);
        }
        await others[1]!.send('Hello back');
        await expect(own.texts('server').last()).toHaveText('Broadcast: Hello back');
        await expect(others[1]!.texts('server').last()).toHaveText('Server received: Hello back');
    });
}

test('the server’s time comes every second, a custom event with every fifth, over both event streams (8.1, 8.4.1)', async ({server, visit}) => {
    const page = await visit(`${server.origin}/classic/`);
    const panels = [new ClassicPanel(page, 'sse-sdk'), new ClassicPanel(page, 'sse-plain')];
    const counts: number[][] = [];
    for (const panel of panels) {
        await expect(panel.status).toHaveAttribute('data-state', 'open');
        await expect(panel.status).toContainText('Open over SSE');
        await expect(panel.texts('custom').first()).toHaveText(/^This is a custom event at count \d+$/);
        const texts = await panel.texts('server').allTextContents();
        const numbers = texts.map((text) => Number(/^Server time: \d\d:\d\d:\d\d \(Event (\d+)\)$/.exec(text)?.[1]));
        expect(numbers, texts.join('\n')).toEqual(numbers.map((_, index) => numbers[0]! + index));
        counts.push(numbers);
        const custom = Number(/\d+$/.exec((await panel.texts('custom').first().textContent())!)![0]);
        expect(custom % 5).toBe(0);
        expect(numbers).toContain(custom);
    }
    await expect(panels[0]!.texts('server')).not.toHaveCount(counts[0]!.length);
});

test('the status of each connection is its own', async ({server, visit}) => {
    const page = await visit(`${server.origin}/classic/`);
    await expectOpen(page, 'websocket');
    for (const [id, transport] of [['ws-sdk', 'WebSocket'], ['ws-plain', 'WebSocket'], ['sse-sdk', 'SSE'], ['sse-plain', 'SSE']] as const) {
        await expect(new ClassicPanel(page, id).status).toContainText(`Open over ${transport}`);
    }
});
