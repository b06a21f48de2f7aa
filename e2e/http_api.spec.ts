// The HTTP face: publishing and reading with nothing but a request, health, metrics, and who is refused (docs/protocol.md 11).

import {spawnSync} from 'node:child_process';
import {test, expect, type Page} from './support/test.ts';
import {history, publish, request} from './support/http.ts';
import {chatTexts, expectOpen, openChat} from './support/pages.ts';
import {RawConnection, RawSocket, RefusedHandshake} from './support/raw_socket.ts';
import {programPath, PulsewireServer, whereItListens} from './support/server.ts';

test.describe('from outside', () => {
    test('11.1, 11.2 publishes, reads forwards and backwards', async ({server}) => {
        const connection = await RawConnection.connect(server.origin);
        await connection.ask({op: 'subscribe', channel: 'test:api'});
        const first = await publish(server.origin, 'test:api', {n: 1}, {type: 'test.n'});
        expect(first).toEqual({channel: 'test:api', epoch: expect.any(String), offset: 1});
        expect(await connection.message()).toMatchObject({type: 'test.n', offset: 1, payload: {n: 1}});
        await publish(server.origin, 'test:api', 'two');
        await publish(server.origin, 'test:api', 'hint', {transient: true});
        const url = `${server.origin}/api/channels/test:api/messages`;
        expect((await request(`${url}?limit=100&offset=1`)).json).toEqual({
            channel: 'test:api', epoch: first.epoch, offset: 2, more: false,
            messages: [{type: 'message', channel: 'test:api', offset: 2, time: expect.any(Number), payload: 'two'}],
        });
        const backwards = (await request(`${url}?limit=1&backwards=true`)).json;
        expect(backwards).toMatchObject({offset: 2, more: true, messages: [{offset: 2}]});
    });

    test('11.3 tells who is there', async ({server, visit}) => {
        const page = await visit(`${server.origin}/chat/?name=Ada`);
        await openChat(page);
        expect((await request(`${server.origin}/api/channels/chat:lobby/presence`)).json)
            .toEqual({channel: 'chat:lobby', members: [{session: expect.any(String), info: {name: 'Ada'}}]});
    });

    test('11.4 what is wrong is told with status and code', async ({server}) => {
        const url = `${server.origin}/api/channels/test:api/messages`;
        const json = {'content-type': 'application/json'};
        for (const [target, body, status, code] of [
            [url, '{"payload":', 400, 'malformed_json'], [url, '{}', 400, 'invalid_frame'], [url, '[]', 400, 'invalid_frame'],
            [url, '{"type":"pulsewire.x","payload":1}', 400, 'invalid_type'],
            [`${server.origin}/api/channels/a%20b/messages`, '{"payload":1}', 400, 'invalid_channel'],
            [url, `{"payload":"${'x'.repeat(70_000)}"}`, 413, 'too_large'],
        ] as const) {
            const answer = await request(target, {headers: json, body});
            expect(answer.status, `${body.slice(0, 60)} ${answer.text}`).toBe(status);
            expect(answer.json.error, body.slice(0, 60)).toMatchObject({code, message: expect.stringMatching(/\w{3}/)});
        }
        expect((await history(server.origin, 'test:api')).messages).toEqual([]);
    });

    test('what a backend posts passes by the handlers, and whatever its shape, it stops no page', async ({server, visit}) => {
        const expected = /TypeError/;
        const chat = await visit(`${server.origin}/chat/`, {expected});
        const notifications = await visit(`${server.origin}/notifications/`, {expected});
        const ticker = await visit(`${server.origin}/ticker/`, {expected});
        await openChat(chat);
        await expectOpen(notifications);
        await expectOpen(ticker);
        for (const payload of [null, 42, 'text', [], {}, {user: 1, text: {}, title: [], symbol: null, price: 'much'}]) {
            await publish(server.origin, 'chat:lobby', payload, {type: 'chat.message'});
            await publish(server.origin, 'chat:lobby', payload, {type: 'chat.typing', transient: true});
            await publish(server.origin, 'notify:all', payload, {type: 'notify.message'});
            await publish(server.origin, 'jobs:all', payload, {type: 'job.progress'});
            await publish(server.origin, 'ticker:prices', payload, {type: 'ticker.price'});
        }
        await publish(server.origin, 'chat:lobby', {user: 'Ada', text: 'well-formed'}, {type: 'chat.message'});
        await publish(server.origin, 'notify:all', {title: 'well-formed', body: '', level: 'info'}, {type: 'notify.message'});
        await expect(chatTexts(chat).last()).toHaveText('well-formed');
        await expect(notifications.getByTestId('notices').getByRole('listitem').first()).toContainText('well-formed');
        await expect(notifications.getByTestId('toasts')).toContainText('well-formed');
        await publish(server.origin, 'ticker:prices', {symbol: 'PULS', price: 12345.67, change: 1, sent_ms: Date.now()}, {type: 'ticker.price'});
        await expect(ticker.getByTestId('tile-PULS').locator('.price')).not.toHaveText('–');
        const received = async () => Number((await ticker.getByTestId('received').textContent())!.replace(/,/g, ''));
        const before = await received();
        await expect.poll(received).toBeGreaterThan(before + 10);
        for (const page of [chat, notifications, ticker]) await expectOpen(page);
    });

    test('unknown paths are 404, wrong methods 405 with Allow', async ({server}) => {
        for (const path of ['/nothing', '/api', '/api/nothing', '/api/channels', '/chat/nothing.js', '/..%2f..%2fetc/passwd', '/../../etc/passwd']) {
            const answer = await request(`${server.origin}${path}`);
            expect(answer.status, path).toBeGreaterThanOrEqual(400);
            expect(answer.status, path).toBeLessThan(500);
            expect(answer.text, path).not.toContain('root:');
        }
        expect((await request(`${server.origin}/nothing`)).status).toBe(404);
        expect((await request(`${server.origin}/api/nothing`)).status).toBe(404);
        for (const [method, path, allow] of [
            ['DELETE', '/api/channels/test:a/messages', /GET.*POST|POST.*GET/], ['POST', '/healthz', /GET/], ['PUT', '/metrics', /GET/],
            ['POST', '/events?channel=a', /GET/], ['DELETE', '/sse', /GET.*POST|POST.*GET/], ['POST', '/chat/', /GET/],
        ] as const) {
            const answer = await request(`${server.origin}${path}`, {method});
            expect(answer.status, `${method} ${path}`).toBe(405);
            expect(answer.headers.allow, `${method} ${path}`).toMatch(allow);
        }
    });

    test('/healthz and /metrics say how it is', async ({server}) => {
        expect((await request(`${server.origin}/healthz`)).status).toBe(200);
        const connection = await RawConnection.connect(server.origin);
        await connection.ask({op: 'subscribe', channel: 'test:metrics'});
        for (let n = 0; n < 5; n += 1) await connection.ask({op: 'publish', channel: 'test:metrics', type: 't', payload: n});
        const metrics = await request(`${server.origin}/metrics`);
        expect(metrics.status).toBe(200);
        expect(metrics.headers['content-type']).toMatch(/^text\/plain/);
        const value = (pattern: RegExp) => metrics.text.split('\n').filter((line) => pattern.test(line))
            .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
        expect(value(/^pulsewire_connections\{.*websocket/), metrics.text).toBeGreaterThanOrEqual(1);
        expect(value(/^pulsewire_subscriptions/), metrics.text).toBeGreaterThanOrEqual(1);
        expect(value(/^pulsewire_publications_total/)).toBeGreaterThanOrEqual(5);
        for (const name of [
            'pulsewire_messages_received_total', 'pulsewire_messages_delivered_total', 'pulsewire_received_bytes_total', 'pulsewire_sent_bytes_total',
            'pulsewire_publish_seconds_count', 'pulsewire_delivery_seconds_count', 'process_resident_memory_bytes', 'process_cpu_seconds_total',
        ]) expect(metrics.text, name).toMatch(new RegExp(`^${name}[{ ]`, 'm'));
        for (const name of ['pulsewire_queue_dropped_total{policy="disconnect"}', 'pulsewire_exceptions_total', 'pulsewire_accept_errors_total']) {
            expect(value(new RegExp(`^${name}`)), name).toBe(0);
            expect(metrics.text).toContain(`${name} 0`);
        }
        for (const line of metrics.text.split('\n')) expect(line).toMatch(/^(#.*|[a-zA-Z_:][\w:]*(\{[^}]*\})? \S+)?$/);
    });

    test('--port 0 takes a free port and says which', async () => {
        const {url, stop} = await whereItListens('pulsewired');
        expect((await request(`${url}/healthz`)).status).toBe(200);
        await stop();
    });

    test('a public address with an open API is refused with the remedy', async () => {
        const {status, stderr, stdout} = spawnSync(programPath('pulsewired'), ['--port', '0', '--address', '0.0.0.0'], {encoding: 'utf8', timeout: 10_000});
        expect(status, stderr).not.toBe(0);
        expect(status, 'still running').not.toBeNull();
        expect(stdout + stderr).toMatch(/api[-_]key/);
    });
});

test.describe('with a key', () => {
    test.use({serverOptions: {args: ['--api-key', 'open sesame']}});

    test('11.5 the API requires it; the pages do not', async ({server, visit}) => {
        const url = `${server.origin}/api/channels/test:key/messages`;
        for (const headers of [{}, {authorization: 'Bearer wrong'}, {authorization: 'open sesame'}] as Record<string, string>[]) {
            const answer = await request(url, {headers, body: {payload: 1}});
            expect(answer.status).toBe(401);
            expect(answer.json.error.code).toBe('unauthorized');
            expect((await request(url, {headers})).status).toBe(401);
        }
        const headers = {authorization: 'Bearer open sesame'};
        expect((await request(url, {headers, body: {payload: 1}})).json).toMatchObject({offset: 1});
        await openChat(await visit(`${server.origin}/chat/`));
    });
});

test.describe('from pages', () => {
    // The ways in which a page can reach an address: each answers 'done' or 'refused'.
    const attempts = (page: Page, origin: string) => page.evaluate(async (origin) => {
        const websocket = (path: string, protocol: string[]) => new Promise<string>((answer) => {
            const socket = new WebSocket(origin.replace('http', 'ws') + path, protocol);
            socket.onopen = () => answer('done');
            socket.onerror = () => answer('refused');
        });
        const events = (path: string) => new Promise<string>((answer) => {
            const source = new EventSource(origin + path);
            source.onopen = () => answer('done');
            source.onerror = () => answer('refused');
        });
        const post = (headers: Record<string, string>) => fetch(`${origin}/api/channels/test:page/messages`, {method: 'POST', headers, body: '{"payload":"from the page"}'})
            .then((response) => (response.ok ? 'done' : 'refused'), () => 'refused');
        return {
            websocket: await websocket('/ws', ['pulsewire.v1']), plain: await websocket('/ws/plain/test:page', []),
            events: await events('/events?channel=test:page'), sse: await events('/sse'),
            json: await post({'content-type': 'application/json'}), simple: await post({'content-type': 'text/plain'}),
            read: await fetch(`${origin}/api/channels/test:page/messages`).then((response) => (response.ok ? 'done' : 'refused'), () => 'refused'),
        };
    }, origin);
    const all = (answer: string) =>
        ({websocket: answer, plain: answer, events: answer, sse: answer, json: answer, simple: answer, read: answer});

    test('a page of the server’s own does it all', async ({server, visit}) => {
        const page = await visit(`${server.origin}/favicon.svg`, {network: 'faulty'});  // the browser asks for favicon.ico there
        expect(await attempts(page, server.origin)).toEqual(all('done'));
        expect((await history(server.origin, 'test:page')).messages).toHaveLength(2);
    });

    test('a page of another origin is refused everything, and nothing it sent had an effect', async ({server, otherSite, visit}) => {
        const page = await visit(otherSite.origin, {network: 'faulty'});
        expect(await attempts(page, server.origin)).toEqual(all('refused'));
        expect((await history(server.origin, 'test:page')).messages).toEqual([]);
    });

    test('a page of another port of this machine does it all, until an origin is listed', async ({server, otherSite, visit}) => {
        const page = await visit(otherSite.neighbour, {network: 'faulty'});
        expect(await attempts(page, server.origin)).toEqual(all('done'));
        const strict = await PulsewireServer.start({args: ['--allow-origin', 'https://app.example.com']});
        expect(await attempts(page, strict.origin)).toEqual(all('refused'));
        await strict.stop();
    });

    test('the handshake of another origin is answered by 403', async ({server, otherSite}) => {
        const elsewhere = [otherSite.origin, 'null', `${server.origin}.example.com`];
        for (const [path, protocol] of [['/ws', 'pulsewire.v1'], ['/ws/plain/test:a', '']] as const) {
            const url = server.origin.replace('http', 'ws') + path;
            for (const origin of elsewhere) {
                const refused = await RawSocket.open(url, {headers: {origin}, protocol}).catch((error: RefusedHandshake) => error);
                expect((refused as RefusedHandshake).status, `${path} from ${origin}`).toBe(403);
            }
            expect((await RawSocket.open(url, {headers: {origin: server.origin}, protocol})).isOpen).toBe(true);
        }
        expect((await request(`${server.origin}/events?channel=a`, {headers: {origin: otherSite.origin}})).status).toBe(403);
    });
});

test('an origin that is listed may use the server from its own pages', async ({otherSite, browser}) => {
    const server = await PulsewireServer.start({args: ['--allow-origin', otherSite.origin]});
    const page = await browser.newPage();
    await page.goto(otherSite.origin);
    const answers = await page.evaluate(async (origin) => {
        const opened = (source: EventSource | WebSocket) => new Promise<string>((answer) => {
            source.onopen = () => answer('done');
            source.onerror = () => answer('refused');
        });
        const posted = await fetch(`${origin}/api/channels/test:page/messages`, {
            method: 'POST', headers: {'content-type': 'application/json'}, body: '{"payload":1}',
        });
        return [
            await opened(new WebSocket(`${origin.replace('http', 'ws')}/ws`, 'pulsewire.v1')),
            await opened(new EventSource(`${origin}/events?channel=test:page`)), (await posted.json()).offset,
        ];
    }, server.origin);
    expect(answers, server.log).toEqual(['done', 'done', 1]);
    await page.context().close();
    await server.stop();
});
