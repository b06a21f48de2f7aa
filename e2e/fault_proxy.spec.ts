// The faulty network must do what the other specs believe it does.

import {test, expect} from '@playwright/test';
import {createServer, type Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import {WebSocketServer} from 'ws';
import {FaultProxy} from './support/fault_proxy.ts';
import {request} from './support/http.ts';
import {RawSocket, RefusedHandshake} from './support/raw_socket.ts';

let target: Server;
let sockets: WebSocketServer;
let proxy: FaultProxy;
let ws: string;

test.beforeEach(async () => {
    target = createServer((asked, answer) => {
        const upgrade = `${asked.headers.upgrade ?? 'none'}`;
        answer.end(asked.url === '/long' ? 'x'.repeat(100_000) : `upgrade: ${upgrade}`);
    });
    sockets = new WebSocketServer({server: target});
    sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(String(data))));
    await new Promise<void>((listening) => target.listen(0, '127.0.0.1', listening));
    proxy = await FaultProxy.start((target.address() as AddressInfo).port);
    ws = proxy.origin.replace('http', 'ws');
});

test.afterEach(async () => {
    await proxy.stop();
    for (const socket of sockets.clients) socket.terminate();
    target.closeAllConnections();
    await new Promise((closed) => target.close(closed));
});

test('passes requests and WebSockets on, sliced to single bytes too', async () => {
    proxy.slice(1);
    expect((await request(proxy.origin)).text).toBe('upgrade: none');
    const socket = await RawSocket.open(ws);
    socket.send('hello');
    expect(await socket.texts.next('echo')).toBe('hello');
    expect(proxy.handshakes).toEqual({seen: 1, hindered: 0});
    socket.close();
});

test('cut resets what is open and what comes, until healed', async () => {
    const socket = await RawSocket.open(ws);
    proxy.cut();
    expect((await socket.closed).code).toBe(1006);
    await expect(request(proxy.origin)).rejects.toThrow();
    expect(proxy.connections).toBe(0);
    proxy.heal();
    expect((await request(proxy.origin)).status).toBe(200);
});

test('blackhole holds everything back and ends nothing; healed, it goes on', async () => {
    const socket = await RawSocket.open(ws);
    proxy.blackhole();
    socket.send('held');
    const answer = request(proxy.origin);
    proxy.heal();
    expect(await socket.texts.next('echo')).toBe('held');
    expect((await answer).status).toBe(200);
    proxy.blackhole();
    const unanswered = request(proxy.origin).then(() => 'answered', () => 'failed');
    // Another connection, past the proxy, goes there and back many times meanwhile.
    const direct = `http://127.0.0.1:${(target.address() as AddressInfo).port}`;
    for (let i = 0; i < 20; i += 1) await request(direct);
    expect(await Promise.race([unanswered, Promise.resolve('nothing')])).toBe('nothing');
    expect(socket.isOpen).toBe(true);
    proxy.reset();
    expect(await unanswered).toBe('failed');
});

test('a narrow bandwidth takes its time; healed, there is none', async () => {
    const socket = await RawSocket.open(ws);
    const text = 'x'.repeat(500_000);
    proxy.bandwidth(1_000_000);
    const start = performance.now();
    socket.send(text);
    expect(await socket.texts.next('echo')).toBe(text);
    // Bytes of one piece arrive at once, and pieces have at most 64 KiB.
    expect(performance.now() - start).toBeGreaterThan(400);
    proxy.heal();
    socket.send('quick');
    expect(await socket.texts.next('echo')).toBe('quick');
    socket.close();
});

test('deaf on one side: what is sent arrives, what is answered is held', async () => {
    const socket = await RawSocket.open(ws);
    proxy.blackhole('from_server');
    let received: () => void;
    const arrived = new Promise<void>((done) => { received = done; });
    for (const end of sockets.clients) end.on('message', () => received());
    socket.send('heard');
    await arrived;
    for (let i = 0; i < 20; i += 1) await request(`http://127.0.0.1:${(target.address() as AddressInfo).port}`);
    expect(socket.texts.items).toEqual([]);
    proxy.heal();
    expect(await socket.texts.next('echo')).toBe('heard');
});

test('hinders WebSocket handshakes in four ways, and no other request', async () => {
    for (const [how, status] of [['forbidden', 403], ['bad_request', 400], ['stripped', 200]] as const) {
        proxy.hinderWebSockets(how);
        const refused = await RawSocket.open(ws).catch((error: RefusedHandshake) => error);
        expect(refused, how).toBeInstanceOf(RefusedHandshake);
        expect((refused as RefusedHandshake).status, how).toBe(status);
        expect((await request(proxy.origin)).text, how).toBe('upgrade: none');
    }
    proxy.hinderWebSockets('unanswered');
    const unanswered = RawSocket.open(ws).catch(() => 'failed');
    expect((await request(proxy.origin)).status).toBe(200);
    await expect.poll(() => proxy.handshakes.hindered).toBe(4);
    proxy.reset();
    expect(await unanswered).toBe('failed');
});

test('more than the receiver takes waits at the sender', async () => {
    const socket = await RawSocket.open(ws);
    const big = 'x'.repeat(8 * 1024 * 1024);
    socket.send(big);
    expect(await socket.texts.next('echo')).toHaveLength(big.length);
});

test('delays by the latency in each direction and keeps the order', async () => {
    const socket = await RawSocket.open(ws);
    proxy.delay(40);
    const start = performance.now();
    for (let i = 0; i < 10; i += 1) socket.send(String(i));
    for (let i = 0; i < 10; i += 1) expect(await socket.texts.next('echo')).toBe(String(i));
    expect(performance.now() - start).toBeGreaterThanOrEqual(79);
    socket.close();
});

test('resets a connection after so many bytes from the server', async () => {
    const closed = proxy.closeAfter(1000);
    await expect(request(`${proxy.origin}/long`)).rejects.toThrow();
    await closed;
    expect((await request(proxy.origin)).status).toBe(200);
});
