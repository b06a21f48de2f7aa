import {createHash} from 'node:crypto';
// The protocol from outside, frame by frame, where the browser is not the point.

import {test, expect} from './support/test.ts';
import {history, publish} from './support/http.ts';
import {RawConnection, RawSocket, drawnSession} from './support/raw_socket.ts';

test('4.1 the first frame is connect, and welcome tells the limits', async ({server}) => {
    const socket = await RawSocket.open(`${server.origin.replace('http', 'ws')}/ws`, {protocol: 'pulsewire.v1'});
    expect(socket.protocol).toBe('pulsewire.v1');
    socket.send('{"op":"subscribe","id":7,"channel":"test:a"}');
    expect(JSON.parse(await socket.texts.next('error'))).toMatchObject({op: 'error', id: 7, code: 'not_connected'});
    const {welcome} = await RawConnection.connect(server.origin, {session: 'e2e-4-1-welcome'});
    // 4.2: others see a name that is derived from the session and does not tell it.
    const name = createHash('sha256').update('pulsewiree2e-4-1-welcome').digest('base64url').slice(0, 16);
    expect(welcome).toMatchObject({op: 'welcome', session: name, server: expect.stringMatching(/^pulsewire\/\d/)});
    for (const limit of ['ping_ms', 'pong_ms', 'message_bytes_max', 'channels_max', 'requests_max']) {
        expect(welcome[limit], limit).toBeGreaterThan(0);
    }
});

test('4.1 an unknown version is final: close 4500', async ({server}) => {
    const socket = await RawSocket.open(`${server.origin.replace('http', 'ws')}/ws`, {protocol: 'pulsewire.v1'});
    socket.send(JSON.stringify({op: 'connect', id: 1, version: 99, session: drawnSession()}));
    expect(JSON.parse(await socket.texts.next('close'))).toMatchObject({op: 'close', code: 4500, reconnect: false});
    expect((await socket.closed).code).toBe(4500);
});

test('4.3, 4.9, 5.1, 5.3 what is published arrives once at every subscriber, numbered from 1 without a gap', async ({server}) => {
    const [writer, reader] = [await RawConnection.connect(server.origin), await RawConnection.connect(server.origin)];
    for (const connection of [writer, reader]) {
        expect(await connection.ask({op: 'subscribe', channel: 'test:order'})).toMatchObject({op: 'subscribed', offset: 0, replay: 0});
    }
    for (let n = 1; n <= 50; n += 1) writer.frame({op: 'publish', channel: 'test:order', type: 'test.count', payload: {n}});
    for (const connection of [writer, reader]) {
        for (let n = 1; n <= 50; n += 1) {
            const message = await connection.message();
            expect(message).toMatchObject({type: 'test.count', channel: 'test:order', offset: n, payload: {n}});
            expect(Math.abs(message.time as number - Date.now())).toBeLessThan(60_000);
        }
    }
});

test('3.2 what the server sends has its payload last and is ASCII before it', async ({server}) => {
    const connection = await RawConnection.connect(server.origin);
    await connection.ask({op: 'subscribe', channel: 'test:ascii', presence: true, payload: {name: 'Zoë'}});
    await connection.ask({op: 'publish', channel: 'test:ascii', type: 'test', payload: {text: '日本 – ✓'}});
    await connection.message();
    for (const line of connection.texts.items.flatMap((text) => text.split('\n'))) {
        const envelope = line.includes('"payload":') ? line.slice(0, line.indexOf('"payload":')) : line;
        expect(envelope).toMatch(/^[\x20-\x7e]*$/);
        if (envelope !== line) expect(Object.keys(JSON.parse(line)).at(-1)).toBe('payload');
    }
});

test('4.4 a position brings back exactly what was published after it; another epoch is told honestly', async ({server}) => {
    const {epoch} = await publish(server.origin, 'test:recover', 1);
    for (let n = 2; n <= 5; n += 1) await publish(server.origin, 'test:recover', n);
    const connection = await RawConnection.connect(server.origin);
    expect(await connection.ask({op: 'subscribe', channel: 'test:recover', epoch, offset: 2}))
        .toMatchObject({op: 'subscribed', epoch, offset: 2, replay: 3, recovered: true});
    for (const n of [3, 4, 5]) expect(await connection.message()).toMatchObject({offset: n, payload: n});
    const other = await RawConnection.connect(server.origin);
    expect(await other.ask({op: 'subscribe', channel: 'test:recover', epoch: 'nowhere', offset: 2}))
        .toMatchObject({offset: 5, replay: 0, recovered: false, reason: 'epoch_changed'});
});

for (const [reason, bound, config] of [
    ['expired', 'a history of ten', {namespaces: {test: {history_count_max: 10}}}], ['limit', 'a recovery of ten', {recovery_max: 10}],
] as const) {
    test.describe(`with ${bound}`, () => {
        test.use({serverOptions: {config}});

        test(`4.4 what cannot be recovered whole is not recovered in part: ${reason}`, async ({server}) => {
            const connection = await RawConnection.connect(server.origin);
            for (let n = 1; n <= 30; n += 1) connection.frame({op: 'publish', channel: 'test:long', type: 'n', payload: n});
            const {epoch} = await connection.ask({op: 'publish', channel: 'test:long', type: 'n', payload: 31});
            for (const offset of [1, 20]) {
                expect(await connection.ask({op: 'subscribe', channel: 'test:long', epoch: epoch!, offset}))
                    .toMatchObject({offset: 31, replay: 0, recovered: false, reason});
                await connection.ask({op: 'unsubscribe', channel: 'test:long'});
            }
            expect(await connection.ask({op: 'subscribe', channel: 'test:long', epoch: epoch!, offset: 21}))
                .toMatchObject({offset: 21, replay: 10, recovered: true});
        });
    });
}

test('4.9 repeating a publish with its key has no second effect, over either way in', async ({server}) => {
    const connection = await RawConnection.connect(server.origin);
    const command = {op: 'publish', key: 'e2e-key-1', channel: 'test:key', type: 'test', payload: 'once'};
    const first = await connection.ask(command);
    expect(await connection.ask(command)).toMatchObject({op: 'published', epoch: first.epoch, offset: first.offset});
    expect(await publish(server.origin, 'test:key', 'once', {type: 'test', key: 'e2e-key-1'})).toMatchObject({offset: first.offset});
    expect((await history(server.origin, 'test:key')).messages).toHaveLength(1);
});

test('4.10, 4.11 "echo": false names the publisher; a transient message is numbered nowhere', async ({server}) => {
    const [writer, reader] = [await RawConnection.connect(server.origin), await RawConnection.connect(server.origin)];
    await reader.ask({op: 'subscribe', channel: 'test:others'});
    await writer.ask({op: 'publish', channel: 'test:others', type: 'test', echo: false, payload: 1});
    const acknowledged = await writer.ask({op: 'publish', channel: 'test:others', type: 'test', transient: true, payload: 2});
    expect(acknowledged.offset).toBeUndefined();
    expect(await reader.message()).toMatchObject({offset: 1, except: writer.welcome.session, payload: 1});
    expect((await reader.message()).offset).toBeUndefined();
    expect((await history(server.origin, 'test:others')).messages).toHaveLength(1);
});

test('4.6, 4.7 presence lists a session once, tells join and leave, and forgives a short absence', async ({server}) => {
    const watcher = await RawConnection.connect(server.origin);
    await watcher.ask({op: 'subscribe', channel: 'test:here', presence: true});
    expect(await watcher.frames.next('presence', ({op}) => op === 'presence')).toMatchObject({payload: []});

    const session = drawnSession();
    const first = await RawConnection.connect(server.origin, {session});
    await first.ask({op: 'subscribe', channel: 'test:here', payload: {name: 'Ada'}});
    expect(await watcher.frames.next('join', ({op}) => op === 'join')).toMatchObject({session: first.welcome.session, payload: {name: 'Ada'}});
    const second = await RawConnection.connect(server.origin, {session});
    await second.ask({op: 'subscribe', channel: 'test:here', payload: {name: 'Ada'}});
    first.close();
    await first.closed;
    second.close();
    await second.closed;
    const back = await RawConnection.connect(server.origin, {session});
    await back.ask({op: 'subscribe', channel: 'test:here', payload: {name: 'Ada'}});
    back.close();
    await back.closed;
    const gone = performance.now();
    await watcher.frames.next('leave', ({op}) => op === 'leave');
    expect(performance.now() - gone, 'a leave waits three seconds').toBeGreaterThan(2_500);
    expect(watcher.frames.items.map(({op}) => op)).toEqual(['welcome', 'subscribed', 'presence', 'join', 'leave']);
});

test('4.12, 4.13 a request is answered by its handler, or by an error that says why not', async ({server}) => {
    const connection = await RawConnection.connect(server.origin);
    expect(await connection.ask({op: 'request', type: 'sum.add', payload: {a: 1, b: 2}}))
        .toMatchObject({op: 'response', payload: {sum: 3}});
    expect(await connection.ask({op: 'request', type: 'sum.subtract', payload: {}})).toMatchObject({op: 'error', code: 'no_handler'});
    expect(await connection.ask({op: 'request', type: 'sum.add', payload: {a: 1, b: 'two'}}))
        .toMatchObject({op: 'error', code: 'invalid_payload', pointer: '/b'});
    expect(await connection.ask({op: 'ping'})).toMatchObject({op: 'pong'});
});

test('4.14 history pages forwards and backwards', async ({server}) => {
    for (let n = 1; n <= 7; n += 1) await publish(server.origin, 'test:pages', n);
    const connection = await RawConnection.connect(server.origin);
    const read = async (rest: object) => {
        const {offset, more, payload} = await connection.ask({op: 'history', channel: 'test:pages', ...rest});
        return {offset, more, read: payload.map((message: {payload: number}) => message.payload)};
    };
    expect(await read({offset: 2, limit: 3})).toEqual({offset: 7, more: true, read: [3, 4, 5]});
    expect(await read({offset: 5, limit: 3})).toEqual({offset: 7, more: false, read: [6, 7]});
    expect(await read({backwards: true, limit: 2})).toEqual({offset: 7, more: true, read: [7, 6]});
    expect(await read({backwards: true, offset: 3})).toEqual({offset: 7, more: false, read: [2, 1]});
});

test('2.1, 10.1 the plain WebSocket carries raw text, not to its sender', async ({server}) => {
    const url = `${server.origin.replace('http', 'ws')}/ws/plain/test:plain`;
    const [one, two] = [await RawSocket.open(url), await RawSocket.open(url)];
    const listener = await RawConnection.connect(server.origin);
    await listener.ask({op: 'subscribe', channel: 'test:plain'});
    one.send('hello “plain” world');
    expect(await two.texts.next('text')).toBe('hello “plain” world');
    expect(await listener.message()).toMatchObject({type: 'message', offset: 1, payload: 'hello “plain” world'});
    await publish(server.origin, 'test:plain', {a: 1}, {type: 'other'});
    expect(await two.texts.next('text')).toBe('{"a":1}');
    expect(await one.texts.next('text')).toBe('{"a":1}');
    expect(one.texts.items).toEqual(['{"a":1}']);
});
