// The core as JavaScript, for the entry `pulsewire/js`. The tests of a client as a whole run with it too (run.mjs).

import assert from 'node:assert/strict';
import {afterEach, test} from 'node:test';
import text from 'pulsewire.wasm';
import {PulsewireError} from '../src/base/errors.js';
import {fromUtf8, utf8Bytes as plainUtf8Bytes} from '../src/base/utf8.plain.js';
import {instantiate, whyNot} from '../src/core/load.js';
import {ByteField, Call, Field, Kind} from '../src/core/numbers.js';
import {fromModuleText} from '../src/core/module_text.js';
import {plainModule} from '../src/core/plain.js';
import * as js from '../src/js.js';
import {entered, FakeNetwork} from './fake_network.js';

const module = await WebAssembly.compile(fromModuleText(text));
const create = [1, 2, 0, 500, 20_000, 10_000, 0, 10_000, 10_000, 50_000, 1 << 30];
const names = Array.from({length: 12}, (_, i) => `channel:${'x'.repeat(i * 17)}${i}`);
const fields = Array.from({length: 28}, (_, i) => i as Field);

const clients = new Set<ReturnType<typeof js.connect>>();
afterEach(() => {
    for (const client of clients) client.close();
    clients.clear();
});

/** Numbers of 32 bits that are the same for the same seed. */
function drawing(seed: number): (below: number) => number {
    let state = seed;
    return (below) => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return Math.floor((state / 2 ** 32) * below);
    };
}

/** A life that is drawn: what a core was told, by a client and by a server, and what it then wanted done, line by line. */
function courseOf(core: Awaited<ReturnType<typeof instantiate>>, seed: number, steps: number): string[] {
    const draw = drawing(seed);
    const oneOf = <T>(...values: readonly T[]): T => values[draw(values.length)]!;
    const course: string[] = [];
    const asked: {op: string; id: number; channel: string}[] = [];
    const positions = new Map<string, number>();
    let attempt = 0;
    const obey = () => {
        while (core.next()) {
            const line = core.text();
            course.push(`${core.byte(ByteField.kind)} ${fields.map((field) => core.word(field)).join()} ${line}`);
            if (core.byte(ByteField.kind) === Kind.openTransport) attempt = core.word(Field.attempt);
            const [, op, id] = /^{"op":"(\w+)","id":(\d+)/.exec(line) ?? [];
            if (op) asked.push({op, id: Number(id), channel: /"channel":"([^"]+)/.exec(line)?.[1] ?? ''});
        }
    };
    const tell = (call: Call, texts: string[], ...numbers: number[]) => {
        course.push(`${call}: ${core.call(call, texts, ...numbers)}`);
        obey();
    };
    const receive = (...lines: object[]) => core.receive(lines.map((line) => JSON.stringify(line)).join('\n'), attempt, obey, {
        deliver: (...delivered) => course.push(`delivered ${delivered.join()}`),
    });
    // Also where 32 bits end, and 53.
    const large = () => oneOf(draw(50), 2 ** 32 - 3 + draw(6), Number.MAX_SAFE_INTEGER - 1000 + draw(100), draw(2 ** 30) * 2 ** 20 + draw(2 ** 20));
    const name = () => oneOf(...names);
    const answer = () => {
        const {op, id, channel} = asked.splice(draw(asked.length), 1)[0] ?? {op: 'request', id: 1, channel: ''};
        const offset = large();
        if (!draw(5)) return receive({op: 'error', id, code: oneOf('rate_limited', 'forbidden', 'too_large'), message: 'no', retry_ms: draw(500)});
        if (op !== 'subscribe') return receive({op: {publish: 'published', request: 'response'}[op] ?? op, id, channel, epoch: 'e1', offset, payload: []});
        positions.set(channel, offset);
        receive({op: 'subscribed', id, channel, epoch: 'e1', offset, replay: draw(3), recovered: !draw(2), reason: 'epoch_changed'});
    };
    const publications = () => {
        const channel = oneOf(...positions.keys(), name());
        const offset = (positions.get(channel) ?? 0) + 1 + +!draw(6);
        positions.set(channel, offset + 2);
        receive(...[0, 1, 2].map((more) => ({type: 't', channel, offset: offset + more, time: 1_764_000_000_000 + draw(1000), ...(draw(3) ? {} : {key: 'k'}), payload: more})));
    };
    const welcome = () => {
        tell(Call.transportOpened, [], attempt);
        receive({op: 'welcome', session: 'session-1', connection: 'c', ping_ms: 25_000, pong_ms: 8000, message_bytes_max: 65_536, channels_max: 128, requests_max: 64});
    };
    const of = (op: string, more: object = {}) => receive({op, channel: oneOf(...positions.keys(), name()), session: 's2', offset: large(), payload: [], ...more});
    const happenings = [
        welcome, answer, answer, answer, publications, publications, publications,
        () => tell(Call.subscribe, [name(), oneOf('e1', '')], draw(5), large(), draw(100), draw(2), draw(2)),
        () => !draw(4) && tell(Call.unsubscribe, [], 1 + draw(40)),
        () => tell(Call.publish, [name(), 'some.type', oneOf('key', ''), oneOf('', '', 'c'), oneOf('', '', '{"covers":7}')], draw(2000), draw(2), +!draw(4), 1 + draw(20_000)),
        () => tell(Call.request, ['some.type', oneOf(name(), ''), ''], draw(2000), 1 + draw(20_000)),
        () => tell(Call.history, [name()], 1 + draw(300), large(), draw(4)),
        () => tell(Call.cancel, [], draw(60)),
        () => tell(oneOf(Call.timer, Call.networkOnline), []),
        () => !draw(20) && tell(Call.transportClosed, [], attempt, oneOf(1006, 4001, 1012)),
        () => of(oneOf('ping', 'pong', 'presence', 'join', 'leave', 'drain'), {after_ms: draw(500)}),
        () => of('request', {request: large(), from: 's2', type: 'some.type', timeout_ms: 500}),
        () => of('error', {code: 'forbidden', message: 'no'}),
    ];
    tell(Call.create, ['session-1'], ...create);
    tell(Call.start, []);
    welcome();
    for (let step = 0; step < steps; step++) oneOf(...happenings)();
    return course;
}

test('both cores take the same course, whatever happens to them', async (t) => {
    const {now: real} = performance;
    t.after(() => (performance.now = real));
    const kinds = new Set<string>();
    for (let seed = 1; seed <= 12; seed++) {
        const courses: string[][] = [];
        for (const core of [await instantiate(module), await instantiate(plainModule)]) {
            // With fractions, and of more than 32 bits, as after some weeks.
            let now = 2 ** 32 - 1000.5;
            performance.now = () => (now += 13.7);
            courses.push(courseOf(core, seed, 1000));
        }
        const [first, second] = courses as [string[], string[]];
        const differs = first.findIndex((line, i) => line !== second[i]);
        assert.equal(second[differs], first[differs], `line ${differs} of seed ${seed}`);
        assert.equal(second.length, first.length);
        for (const line of first) kinds.add(line.slice(0, line.search(/[: ]/)));
    }
    // Every kind of action has been wanted, a gap apart, which takes a history that is lost.
    const wanted = [...kinds].filter((kind) => /^\d/.test(kind)).map(Number).sort((a, b) => a - b);
    assert.deepEqual(wanted, Array.from({length: 16}, (_, kind) => kind).filter((kind) => kind !== Kind.gap));
});

test('its memory grows at any moment, and every instance has its own', async () => {
    const [exports, others] = [plainModule(), plainModule()];
    const [core, other] = [await instantiate(() => exports), await instantiate(() => others)];
    for (const each of [core, other]) each.call(Call.create, ['session-1'], ...create);
    const bytes = (of: WebAssembly.Exports) => (of.memory as WebAssembly.Memory).buffer.byteLength;
    const before = bytes(others);
    const sent = new Set<string>();
    core.call(Call.start, []);
    core.call(Call.transportOpened, [], 1);
    core.receive('{"op":"welcome","session":"session-1"}', 1, () => {
        while (core.next());
    }, {deliver: () => assert.fail('nothing was learned')});
    for (let i = 0; i < 3000; i++) {
        core.call(Call.subscribe, [`channel-${i}-${'x'.repeat(200)}`, ''], 0, 0, 0, 0, 0);
        while (core.next()) sent.add(core.text());
    }
    assert.equal(sent.size, 3000);
    assert.ok(bytes(exports) > 1 << 20, `${bytes(exports)} bytes`);
    assert.equal(bytes(others), before);
    other.call(Call.start, []);
    assert.ok(other.next());
});

test('a client works where a URL has no members but href, as in React Native', async (t) => {
    const Url = globalThis.URL;
    t.after(() => (globalThis.URL = Url));
    globalThis.URL = class {
        readonly href: string;
        constructor(url: string) {
            this.href = url.endsWith('/') ? url : `${url}/`;
        }
    } as typeof URL;
    for (const [url, socket] of [['https://a.test', 'wss://a.test/ws'], ['http://a.test:8080/some/path', 'ws://a.test:8080/some/path/ws'], ['ws://[::1]:8080/ws', 'ws://[::1]:8080/ws']]) {
        const network = new FakeNetwork();
        const client = js.connect(url, network.options);
        clients.add(client);
        await entered(client, 'connecting');
        assert.equal(network.socket.url, socket);
        network.socket.drop();
        assert.equal(client.state.name, 'waiting');
    }
    for (const url of ['/', 'a.test', 'https://me:secret@a.test', 'ftp://a.test']) assert.throws(() => js.connect(url, new FakeNetwork().options), {code: 'invalid_argument'}, url);
});

test('bytes are counted without a TextEncoder', () => {
    for (const sample of ['', 'a', 'é', '\u07ff\u0800', '漢\ud7ff\ue000\uffff', '🎉\u{10ffff}', 'aé漢🎉'.repeat(9)]) {
        assert.equal(plainUtf8Bytes(sample), new TextEncoder().encode(sample).length, sample);
    }
});

test('its errors and clients are those of the entry', async () => {
    const network = new FakeNetwork();
    const client = js.connect('http://a.test', network.options);
    clients.add(client);
    await entered(client, 'connecting');
    await network.welcome();
    assert.equal(client.state.name, 'open');
    assert.equal(js.PulsewireError, PulsewireError);
});

test('where WebAssembly is missing or forbidden the reason names the entry that does without', (t) => {
    assert.match(whyNot('CompileError: call to WebAssembly.compile() blocked by CSP').message, /import pulsewire\/js/);
    // Cloudflare's workerd.
    const {name, message} = whyNot('CompileError: WebAssembly.compile(): Wasm code generation disallowed by embedder');
    assert.deepEqual([name, /import pulsewire\/js/.test(message)], ['wasm_blocked', true]);
    const {WebAssembly} = globalThis;
    t.after(() => (globalThis.WebAssembly = WebAssembly));
    delete (globalThis as {WebAssembly?: unknown}).WebAssembly;
    assert.match(whyNot(new ReferenceError('WebAssembly is not defined')).message, /import pulsewire\/js/);
});

test('the headers of binary messages are read where there is no TextDecoder', () => {
    for (const text of ['', '{"type":"t","bytes":3}', '{"payload":"äö 漢字 🎉 \u2028"}', 'x'.repeat(100_000)]) assert.equal(fromUtf8(new TextEncoder().encode(text)), text);
});
