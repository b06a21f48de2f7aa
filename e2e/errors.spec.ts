// One bad client is one client's problem: what is wrong gets a typed error, the connection lives on, nobody else notices
// (docs/protocol.md 3.5, 3.6, 6.1).

import {test, expect, type Page} from './support/test.ts';
import {publish} from './support/http.ts';
import {chatTexts, openChat, recordStates, say, statesSeen} from './support/pages.ts';
import {RawConnection, RawSocket} from './support/raw_socket.ts';

const log = (page: Page) => page.getByRole('log', {name: 'Raw traffic'});
const kinds = (page: Page) => log(page).locator('[data-kind]').evaluateAll((lines) => lines.map((line) => (line as HTMLElement).dataset.kind));

test('“Try to break it”: each mistake gets its typed error in the page and the connection lives on', async ({server, visit}) => {
    const bystander = await visit(`${server.origin}/chat/?name=Bob`, {before: recordStates});
    await openChat(bystander);
    const page = await visit(`${server.origin}/classic/`);
    const section = page.getByTestId('break');
    const attempts = [
        ['Malformed JSON', 'malformed_json', /byte|character|position/],
        ['Wrong type', 'invalid_payload', /\/text/],
        ['Oversized message', 'too_large', /65.?536/],
        ['Unknown command', 'unknown_op', /command/],
        ['Forbidden publish', 'forbidden', /./],
        ['Nested too deep', 'malformed_json', /byte \d+|nest/],
    ] as const;
    for (const [index, [name, code, words]] of attempts.entries()) {
        await section.getByRole('button', {name}).click();
        const errors = log(page).locator('[data-kind=error]');
        await expect(errors).toHaveCount(index + 1);
        await expect(errors.last()).toHaveAttribute('data-code', code);
        await expect(errors.last()).toContainText(words);
        await expect(log(page).locator('[data-kind=alive]')).toHaveCount(index + 1);
    }
    const text = section.getByLabel('Raw frame');
    for (const [frame, code] of [
        ['hello', 'malformed_json'], ['[]', 'invalid_frame'], ['{"op":"subscribe","id":900}', 'invalid_frame'],
        ['{"op":"subscribe","id":901,"channel":"a b"}', 'invalid_channel'],
        ['{"op":"publish","id":902,"channel":"test:a","type":"pulsewire.mine","payload":1}', 'invalid_type'],
        ['{"op":"unsubscribe","id":903,"channel":"test:a"}', 'not_subscribed'],
        ['{"op":"request","id":904,"type":"no.such","payload":{}}', 'no_handler'],
    ] as const) {
        const before = await log(page).locator('[data-kind=error]').count();
        await text.fill(frame);
        await section.getByRole('button', {name: 'Send as it is'}).click();
        await expect(log(page).locator('[data-kind=error]')).toHaveCount(before + 1);
        await expect(log(page).locator('[data-kind=error]').last()).toHaveAttribute('data-code', code);
        await expect(log(page).locator('[data-kind=alive]')).toHaveCount(before + 1);
    }
    expect((await kinds(page)).filter((kind) => kind === 'welcome'), 'one connection all the time').toHaveLength(1);

    // A binary message whose payload is cut short is an error, too (2.5).
    const errors = await log(page).locator('[data-kind=error]').count();
    await section.getByRole('button', {name: 'Bytes that are missing'}).click();
    await expect(log(page).locator('[data-kind=error]')).toHaveCount(errors + 1);
    await expect(log(page).locator('[data-kind=error]').last()).toHaveAttribute('data-code', 'invalid_frame');
    await expect(log(page).locator('[data-kind=alive]')).toHaveCount(errors + 1);

    await publish(server.origin, 'chat:lobby', {user: 'Ada', text: 'still here?'}, {type: 'chat.message'});
    await expect(chatTexts(bystander)).toHaveText(['still here?']);
    expect((await statesSeen(bystander)).map(({state}) => state)).toEqual(['connecting', 'open']);
    for (const panel of ['ws-sdk', 'ws-plain', 'sse-sdk', 'sse-plain']) {
        await expect(page.getByTestId(panel).getByRole('group')).toHaveAttribute('data-state', 'open');
    }
});

for (const transport of ['websocket', 'sse'] as const) {
    test(`a message larger than the server takes, over ${transport}: refused with its error, and the next one goes through (3.6, 8.2)`, async ({server, visit}) => {
        // Over SSE the browser itself notes the 413.
        const ada = await visit(`${server.origin}/chat/?name=Ada&transport=${transport}`, {before: recordStates, expected: /413/});
        const bob = await visit(`${server.origin}/chat/?name=Bob`);
        await openChat(ada, transport);
        await openChat(bob);
        await say(ada, 'x'.repeat(70_000));
        await expect(ada.getByTestId('pending').getByTestId('error')).toHaveAttribute('data-code', 'too_large');
        await say(ada, 'short');
        for (const page of [ada, bob]) await expect(chatTexts(page)).toHaveText(['short']);
        expect((await statesSeen(ada)).map(({state}) => state)).toEqual(['connecting', 'open']);
    });
}

test('3.5 the other frames of a message with a bad one are handled', async ({server}) => {
    const connection = await RawConnection.connect(server.origin);
    connection.send(['{"op":"ping","id":51}', '{"op":"ping",', '{"op":"ping","id":52}', '7', '{"op":"ping","id":53}\n'].join('\n'));
    for (const expected of [
        {op: 'pong', id: 51}, {op: 'error', code: 'malformed_json'}, {op: 'pong', id: 52}, {op: 'error', code: 'invalid_frame'},
        {op: 'pong', id: 53},
    ]) expect(await connection.frames.next('answer', ({op}) => op !== 'welcome')).toMatchObject(expected);
});

test('3.6 a message that is too large is skipped and named by its id', async ({server}) => {
    const connection = await RawConnection.connect(server.origin);
    await connection.ask({op: 'subscribe', channel: 'test:large'});
    const limit = connection.welcome.message_bytes_max as number;
    const large = await connection.ask({op: 'publish', channel: 'test:large', type: 'test', payload: 'x'.repeat(limit)});
    expect(large).toMatchObject({op: 'error', code: 'too_large'});
    connection.frame({op: 'publish', channel: 'test:large', type: 'test', payload: 'x'.repeat(15 * 1024 * 1024)});
    expect(await connection.frames.next('error', ({op}) => op === 'error')).toMatchObject({code: 'too_large'});
    expect(await connection.ask({op: 'publish', channel: 'test:large', type: 'test', payload: 'fits'})).toMatchObject({offset: 1});
    expect(await connection.message()).toMatchObject({offset: 1, payload: 'fits'});
});

test('10.1 the plain WebSocket tells its errors as text', async ({server}) => {
    const socket = await RawSocket.open(`${server.origin.replace('http', 'ws')}/ws/plain/ticker:prices`);
    socket.send('not allowed');
    expect(await socket.texts.next('error', (text) => text.startsWith('error'))).toMatch(/^error forbidden: ./);
    expect(socket.isOpen).toBe(true);
    const large = await RawSocket.open(`${server.origin.replace('http', 'ws')}/ws/plain/test:plain`);
    large.send('x'.repeat(70_000));
    expect(await large.texts.next('error')).toMatch(/^error too_large: ./);
});

test('a client that breaks WebSocket itself loses its own connection only', async ({server}) => {
    const healthy = await RawConnection.connect(server.origin);
    await healthy.ask({op: 'subscribe', channel: 'test:calm'});
    const binary = await RawConnection.connect(server.origin);
    binary.send(new Uint8Array([1, 2, 3]));
    expect(await binary.frames.next('error', ({op}) => op === 'error')).toMatchObject({code: 'malformed_json'});
    const huge = await RawConnection.connect(server.origin);
    huge.send(`{"op":"publish","id":5,"channel":"test:a","type":"t","payload":"${'x'.repeat(16 * 1024 * 1024 + 10)}"}`);
    expect((await huge.closed).code).toBe(1009);
    await publish(server.origin, 'test:calm', 'calm');
    expect(await healthy.message()).toMatchObject({payload: 'calm'});
});
