// What the option `debug` and localStorage.pulsewireDebug print.

import assert from 'node:assert/strict';
import {afterEach, beforeEach, test, type TestContext} from 'node:test';
import {printDebug, type DebugEvent} from '../src/core/debug.js';
import {connect} from '../src/index.js';
import {accept, fakeClock, FakeNetwork, held, opened, publication, settle, welcomeFor} from './fake_network.js';

let clock: ReturnType<typeof fakeClock>;
beforeEach(() => {
    clock = fakeClock();
});
afterEach(() => clock.restore());

/** Without the number of the client, which depends on the tests before. */
const said = (lines: string[]) => lines.map((line) => line.replace(/^pulsewire \d+ /, ''));

/** A page with these parts, for the length of a test. */
function pageWith(t: TestContext, parts: Record<string, PropertyDescriptor>): void {
    for (const [name, part] of Object.entries(parts)) {
        Object.defineProperty(globalThis, name, {...part, configurable: true});
        t.after(() => Reflect.deleteProperty(globalThis, name));
    }
}

test('each frame is a line with time, direction, transport and size, each state one with its reason and delay', async () => {
    const lines: string[] = [];
    const {client, network} = await opened({transport: 'websocket', debug: (line) => lines.push(line)});
    client.channel('a').on('*', () => {});
    await settle();
    await clock.tick(250);
    await accept(network.socket, 'a');
    network.socket.receive(publication('a', 1, 'ü'), publication('a', 2, 'x'.repeat(1000)));
    network.socket.drop(1012);
    const text = said(lines);
    assert.deepEqual(text.slice(0, 2), ['+0 ms ● connecting over websocket, attempt 1', '+0 ms ○ websocket to ws://server.test/ws']);
    assert.ok(text.some((line) => /^\+0 ms → websocket \d+ B {"op":"connect"/.test(line)));
    assert.ok(text.some((line) => /^\+0 ms ● open over websocket, session \w+$/.test(line)));
    assert.ok(text.some((line) => /^\+0 ms → websocket \d+ B {"op":"subscribe","id":1,"channel":"a"/.test(line)));
    assert.ok(text.some((line) => /^\+250 ms ← websocket \d+ B {"op":"subscribed"/.test(line)));
    const short = String(publication('a', 1, 'ü') && JSON.stringify(publication('a', 1, 'ü')));
    assert.ok(text.includes(`+250 ms ← websocket ${short.length + 1} B ${short}`), text.join('\n'));
    assert.match(text.find((line) => line.includes('xxx'))!, /^\+250 ms ← websocket 1\d\d\d B {"type":.{290,310}… \(1\d\d\d characters\)$/);
    assert.match(text.at(-2)!, /^\+250 ms × websocket ended with 1012$/);
    assert.match(text.at(-1)!, /^\+250 ms ● waiting, next attempt in \d+ ms after 1 failed: service_restart \(1012\): /);
    client.close();
    assert.match(said(lines).at(-1)!, /● closed: client_closed \(1000\): close\(\) was called\.$/);
});

test('over SSE both halves are printed, and neither the session’s proof nor the connection’s', async () => {
    const lines: string[] = [];
    const network = new FakeNetwork({transport: 'sse', debug: (line) => lines.push(line)});
    const client = await network.connect();
    network.stream.receive('{"op":"stream","connection":"kT0v_-1"}');
    await settle();
    const connectFrame = JSON.parse(network.posts[0]!.body.split('\n')[0]!);
    network.stream.receive(welcomeFor(connectFrame));
    await settle();
    const text = lines.join('\n');
    assert.match(text, /○ sse to http:\/\/server\.test\/sse/);
    assert.match(text, /→ sse \d+ B {"op":"connect","version":1,"session":"…"/);
    assert.match(text, /← sse \d+ B {"op":"welcome",/);
    assert.doesNotMatch(text.replace(/session [\w-]+/g, '').replace(/"op":"welcome","session":"[^"]+"/, ''), new RegExp(connectFrame.session));
    assert.doesNotMatch(text, /"connection":"[^…]/);
    client.close();
});

test('what a handler does while it is told is printed in the order in which it happens', async () => {
    const lines: string[] = [];
    const {client, network} = await opened({debug: (line) => lines.push(line)});
    client.channel('a').on('*', () => void held(client.channel('a').publish('back', 1)));
    await settle();
    await accept(network.socket, 'a');
    const before = lines.length;
    network.socket.receive(publication('a', 1, 'x'));
    await settle();
    assert.deepEqual(said(lines).slice(before).map((line) => line.replace(/ \d+ B .*/, '')), ['+0 ms ← websocket', '+0 ms → websocket']);
    client.close();
});

test('what happens before the printer is there is kept, in order and up to a bound, and printed then', () => {
    const lines: string[] = [];
    const kept: DebugEvent[] = Array.from({length: 1000}, (_, i) => [5 + i, '→', `{"op":"x${i}"}`, 1]);
    printDebug(kept, (line: string) => lines.push(line));
    assert.equal(lines.length, 1000);
    assert.match(lines[999]!, /\+999 ms →  \d+ B {"op":"x999"}$/);
    assert.equal(kept.length, 0);
    kept.push([2005, '←', 'a\nb', 1]);
    assert.deepEqual([kept.length, lines.length], [0, 1002]);
});

test('a function that throws harms nothing', async (t) => {
    const errors = t.mock.method(console, 'error', () => {});
    const {client} = await opened({debug: () => { throw new Error('mine'); }});
    assert.equal(client.state.name, 'open');
    assert.ok(errors.mock.callCount() > 0);
    client.close();
});

test('true is the console; false is silence, also where localStorage asks for it', async (t) => {
    const printed = t.mock.method(console, 'debug', () => {});
    pageWith(t, {document: {value: {}}, localStorage: {value: {pulsewireDebug: '1'}}});
    for (const [debug, expected] of [[true, true], [undefined, true], [false, false]] as const) {
        printed.mock.resetCalls();
        const {client} = await opened({...(debug !== undefined && {debug})});
        assert.equal(printed.mock.callCount() > 0, expected, `${debug}`);
        client.close();
    }
    (globalThis as any).localStorage.pulsewireDebug = '';
    printed.mock.resetCalls();
    const {client} = await opened();
    assert.equal(printed.mock.callCount(), 0);
    client.close();
});

test('where localStorage is forbidden, or is null, nothing is thrown and nothing printed', async (t) => {
    const printed = t.mock.method(console, 'debug', () => {});
    const forbidden = {get: () => { throw new DOMException('The document is sandboxed.', 'SecurityError'); }};
    for (const storage of [forbidden, {value: null}, {value: undefined}]) {
        pageWith(t, {document: {value: {}}, localStorage: storage});
        const {client} = await opened();
        assert.equal(client.state.name, 'open');
        client.close();
    }
    assert.equal(printed.mock.callCount(), 0);
});

test('outside a page localStorage is not touched: Node warns of its own', async (t) => {
    pageWith(t, {localStorage: {get: () => assert.fail('touched')}});
    const {client} = await opened();
    client.close();
});

test('debug can be no text, number or object', () => {
    for (const debug of ['1', 'Function', 1, {}, null]) {
        assert.throws(() => connect('http://a.test', {debug} as never), {code: 'invalid_argument', message: /^debug cannot be/});
    }
});

test('a text that reads like a function is none', () => {
    const network = new FakeNetwork();
    assert.throws(() => connect('http://a.test', {...network.options, onError: 'Function'} as never), {code: 'invalid_argument'});
    const {client} = {client: connect('http://a.test', network.options)};
    assert.throws(() => client.on('state', 'Function' as never), {code: 'invalid_argument'});
    assert.throws(() => client.channel('a').on('*', 'class Function' as never), {code: 'invalid_argument'});
    client.close();
});
