// The server's own TLS: pages over https, their WebSockets and event streams beside it, a certificate that is renewed.

import {connect} from 'node:tls';
import {once} from 'node:events';
import {test, expect} from './support/test.ts';
import {chatTexts, ClassicPanel, expectOpen, openChat, say, type PanelId} from './support/pages.ts';
import {request} from './support/http.ts';
import type {PulsewireServer} from './support/server.ts';

test.use({serverOptions: {tls: true}});

const trusting = {ignoreHTTPSErrors: true};

test('a page over https talks over WebSocket and SSE, with the SDK and without it', async ({server, visit}) => {
    const page = await visit(`${server.origin}/classic/`, trusting);
    expect(await page.evaluate(() => isSecureContext && location.protocol)).toBe('https:');
    for (const [id, transport] of [
        ['ws-sdk', 'WebSocket'], ['ws-plain', 'WebSocket'], ['sse-sdk', 'SSE'], ['sse-plain', 'SSE'],
    ] as [PanelId, string][]) {
        await expect(new ClassicPanel(page, id).status).toContainText(`Open over ${transport}`);
    }
    await new ClassicPanel(page, 'ws-sdk').send('Hello there');
    await expect(new ClassicPanel(page, 'ws-sdk').texts('server').last()).toHaveText('Server received: Hello there');
    await expect(new ClassicPanel(page, 'ws-plain').texts('server').last()).toHaveText('Broadcast: Hello there');
    for (const id of ['sse-sdk', 'sse-plain'] as const) {
        await expect(new ClassicPanel(page, id).texts('server').first()).toHaveText(/^Server time: /);
    }
});

for (const transport of ['websocket', 'sse'] as const) {
    test(`a chat over ${transport} with many messages`, async ({server, visit}) => {
        const ada = await visit(`${server.origin}/chat/?name=Ada&transport=${transport}`, trusting);
        const bob = await visit(`${server.origin}/chat/?name=Bob`, trusting);
        await openChat(ada, transport);
        await openChat(bob, 'websocket');
        const texts = Array.from({length: 20}, (_, i) => `message ${i} ${'x'.repeat(i * 20)}`);
        for (const text of texts) await say(ada, text);
        await say(bob, 'all there');
        for (const page of [ada, bob]) await expect(chatTexts(page)).toHaveText([...texts, 'all there']);
    });
}

async function certificateName(server: PulsewireServer): Promise<string> {
    const socket = connect({port: server.port, host: '127.0.0.1', rejectUnauthorized: false});
    await once(socket, 'secureConnect');
    const {subject} = socket.getPeerCertificate();
    socket.destroy();
    return String(subject.CN);
}

test('SIGHUP brings a renewed certificate to new connections, and no open one notices', async ({server, visit}) => {
    const page = await visit(`${server.origin}/chat/?name=Ada`, trusting);
    await openChat(page, 'websocket');
    expect(await certificateName(server)).toBe('localhost');
    await server.renewCertificate('renewed.example');
    await expect.poll(() => certificateName(server)).toBe('renewed.example');
    const {text} = await request(`${server.origin}/metrics`);
    expect(/^pulsewire_connections\{transport="websocket"\} (\d+)$/m.exec(text)?.[1]).toBe('1');
    await say(page, 'still here');
    await expect(chatTexts(page)).toHaveText(['still here']);
    const another = await visit(`${server.origin}/chat/?name=Bob`, trusting);
    await expectOpen(another, 'websocket');
    await expect(chatTexts(another)).toHaveText(['still here']);
});

test('who speaks http to the port is told what it speaks', async ({server}) => {
    const answer = await request(`http://127.0.0.1:${server.port}/chat/`);
    expect(answer.status).toBe(400);
    expect(answer.json.error.message).toContain('https://');
});
