import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import text from 'pulsewire.wasm';
import {connect} from '../src/index.js';
import {Core, type Deliverer} from '../src/core/core.js';
import {ByteField, Call, Field, Kind} from '../src/core/numbers.js';
import {fromText, toText} from '../src/core/inline_bytes.js';
import {fromModuleText, toModuleText} from '../src/core/module_text.js';
import {instantiate, whyNot} from '../src/core/load.js';
import {takeBatch} from '../src/core/line_batch.js';
import {utf8Bytes} from '../src/base/utf8.js';
import {entered, FakeNetwork, held, opened, settle} from './fake_network.js';

const nobody: Deliverer = {deliver: () => assert.fail('nothing was learned')};
const module = await WebAssembly.compile(fromModuleText(text));

async function openCore(instance?: WebAssembly.Instance): Promise<Core> {
    const core = instance ? new Core(instance) : await instantiate(module);
    core.call(Call.create, ['session-1'], 1, 0, 0, 500, 20_000, 10_000, 0, 10_000, 10_000, 1000, 1 << 20);
    core.call(Call.start, []);
    core.call(Call.transportOpened, [], 1);
    core.call(Call.subscribe, ['a', ''], 0, 0, 0, 0, 0);
    while (core.next());
    core.receive('{"op":"welcome","session":"session-1"}\n{"op":"subscribed","id":1,"channel":"a","epoch":"e1","offset":0,"replay":0}', 1, () => {
        while (core.next());
    }, nobody);
    return core;
}

test('the module imports nothing', () => {
    assert.deepEqual(WebAssembly.Module.imports(module), []);
});

test('bytes survive being text', () => {
    const all = Uint8Array.from({length: 512}, (_, i) => i & 255);
    const inText = toText(all);
    assert.match(inText, /^[ -&(-[\]-~]*$/);
    assert.deepEqual(fromText(inText), all);
    assert.deepEqual(fromText(''), new Uint8Array());
});

test('the text of a module gives that module, whose loads and stores are said to be aligned to nothing', () => {
    const bytes = fromModuleText(text);
    assert.equal(fromModuleText(toModuleText(bytes)).join(), bytes.join());
    for (let turn = 0; turn < 36; turn += 7) assert.equal(fromModuleText(toModuleText(bytes, turn)).join(), bytes.join());
    const built = readFileSync(join(process.env.PULSEWIRE_SDK!, '../build/wasm/pulsewire.wasm'));
    assert.equal(bytes.length, built.length);
    const other = [...built].map((byte, at) => [byte, bytes[at]!] as const).filter(([byte, ours]) => byte !== ours);
    assert.ok(other.length > 100 && other.every(([byte, ours]) => ours === 0 && byte <= 3), `${other}`);
});

test('the text of a module is refused to the build where it has an opcode that is not known to it', () => {
    // (func (drop (f64.const 0)))
    const code = [0x00, 0x44, 0, 0, 0, 0, 0, 0, 0, 0x0b, 0x1a, 0x0b];
    const module = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, code.length + 2, 1, code.length, ...code];
    assert.throws(() => toModuleText(new Uint8Array(module)), /does not know all opcodes/);
});

test('offsets and times of more than 32 bits arrive whole', async () => {
    const core = await openCore();
    const offset = Number.MAX_SAFE_INTEGER - 1;
    const seen: number[] = [];
    const lines = [
        `{"op":"gap","channel":"a","offset":${offset - 2},"reason":"replaced"}`,
        `{"type":"t","channel":"a","offset":${offset - 1},"time":1764000000122,"key":"k","payload":1}`,
        `{"type":"t","channel":"a","offset":${offset},"time":1764000000123,"payload":1}`,
    ];
    core.receive(lines.join('\n'), 1, () => {
        while (core.next()) if (core.byte(ByteField.kind) === Kind.deliver) seen.push(core.long(Field.offset), core.long(Field.time));
    }, {deliver: (_to, _type, shortWay) => void seen.push(shortWay)});
    assert.deepEqual(seen, [offset - 1, 1764000000122, offset]);
});

test('what only resembles a publication is not taken for one', async () => {
    for (const line of [
        '{"type":"t","channel":"a","offset":1,"time":1764000000123,"payload":',
        '{"type":"t","channel":"a","offset":11,"time":176400000012,"payload":1}',
        '{"type":"t","channel":"a","offset":1,"time":17640000001234,"payload":1}',
        '{"type":"t","channel":"a","offset":1,"time":1764000000123,"key":1,"payload":1}',
        '{"op":"t","channel":"a","offset":1,"time":1764000000123,"payload":1}',
    ]) {
        const core = await openCore();
        core.receive(`${line}\n`, 1, () => {
            while (core.next());
        }, nobody);
    }
});

test('positions are those of the string, whatever stands before them', async () => {
    const core = await openCore();
    const seen: string[] = [];
    core.receive('{"note":"äöü 漢字 🎉","type":"t","channel":"a","offset":1,"payload":"ß"}', 1, () => {
        while (core.next()) if (core.byte(ByteField.kind) === Kind.deliver) seen.push(core.slice(Field.type), core.slice(Field.payload));
    }, nobody);
    assert.deepEqual(seen, ['t', '"ß"']);
});

const memoryOf = (instance: WebAssembly.Instance) => (instance.exports.memory as WebAssembly.Memory).buffer.byteLength;

test('memory may grow at any moment', async () => {
    const instance = await WebAssembly.instantiate(module, {});
    const core = await openCore(instance);
    const before = memoryOf(instance);
    const ids = new Set<number>();
    for (let i = 0; i < 3000; i++) ids.add(core.call(Call.subscribe, [`channel-${i}-${'x'.repeat(200)}`, ''], 0, 0, 0, 0, 0));
    assert.equal(ids.size, 3000);
    let lines = 0;
    while (core.next()) if (core.text().startsWith('{"op":"subscribe"')) lines++;
    assert.equal(lines, 3000);
    assert.ok(memoryOf(instance) > before);
});

test('memory that was freed is used again', async () => {
    const instance = await WebAssembly.instantiate(module, {});
    const core = await openCore(instance);
    const use = () => {
        for (let i = 0; i < 5000; i++) {
            core.call(Call.unsubscribe, [], core.call(Call.subscribe, [`channel-${i % 7}`.repeat(20), ''], 0, 0, 0, 0, 0));
            const id = core.call(Call.publish, [`channel-${i % 7}`.repeat(20), 'some.type', '', '', ''], 10, 1, 0, 0);
            while (core.next());
            core.receive(`{"op":"published","id":${id},"channel":"x","epoch":"e","offset":1}`, 1, () => {
                while (core.next());
            }, nobody);
        }
        return memoryOf(instance);
    };
    const first = use();
    assert.equal(use(), first);
    assert.ok(first < 1 << 20, String(first));
});

test('a trap ends the client with a reason, and no other client', async () => {
    const other = await opened();
    const {client, network} = await opened();
    const promise = held(client.request('r'));
    await settle();
    const {fromCharCode} = String;
    // A trap, seen from here: a call of the core that throws.
    String.fromCharCode = () => {
        throw new WebAssembly.RuntimeError('unreachable');
    };
    network.socket.receive('{"op":"ping"}');
    String.fromCharCode = fromCharCode;
    assert.deepEqual(client.state, {name: 'closed', reason: {code: 0, name: 'wasm_failed', message: 'WebAssembly failed: RuntimeError: unreachable', reconnect: false}});
    await assert.rejects(promise, {code: 'closed'});
    assert.equal(network.socket.closedWith, 1000);
    assert.equal(other.client.state.name, 'open');
});

test('the refusals of the browsers are told apart from other failures', () => {
    const refusals = [
        // Chromium, Firefox, WebKit
        'CompileError: WebAssembly.compile(): Compiling or instantiating WebAssembly module violates the following Content Security policy directive because \'unsafe-eval\' is not an allowed source of script',
        'CompileError: call to WebAssembly.compile() blocked by CSP',
        'CompileError: Refused to create a WebAssembly object because \'unsafe-eval\' or \'wasm-unsafe-eval\' is not an allowed source of script',
    ];
    for (const refusal of refusals) {
        const {name, message} = whyNot(refusal);
        assert.equal(name, 'wasm_blocked');
        assert.match(message, /'wasm-unsafe-eval'/);
    }
    assert.equal(whyNot(new TypeError('Failed to fetch')).name, 'wasm_failed');
});

test('WebAssembly that is blocked closes the client and rejects what waits', async (t) => {
    t.mock.method(WebAssembly, 'instantiate', () => Promise.reject(new WebAssembly.CompileError('blocked by CSP')));
    const client = connect('http://a.test', new FakeNetwork().options);
    const promise = held(client.request('r'));
    await entered(client, 'closed');
    assert.equal(client.state.name === 'closed' && client.state.reason.name, 'wasm_blocked');
    await assert.rejects(promise, {code: 'closed', message: /wasm-unsafe-eval/});
});

test('a module that is not ours closes the client', async (t) => {
    t.mock.method(WebAssembly, 'instantiate', async () => ({exports: {}}));
    const client = connect('http://a.test', new FakeNetwork().options);
    await entered(client, 'closed');
    assert.equal(client.state.name === 'closed' && client.state.reason.name, 'wasm_failed');
});

test('UTF-8 is counted without encoding', () => {
    for (const sample of ['', 'a', 'é', '漢', '🎉', 'aé漢🎉'.repeat(9)]) assert.equal(utf8Bytes(sample), new TextEncoder().encode(sample).length, sample);
});

test('lines leave in order, together as far as they fit, a larger one alone', () => {
    const lines = ['aaaa', 'bbbb', 'c'.repeat(50), 'd'];
    assert.deepEqual([takeBatch(lines, 10), takeBatch(lines, 10), takeBatch(lines, 10), takeBatch(lines, 10)], ['aaaa\nbbbb', 'c'.repeat(50), 'd', '']);
});
