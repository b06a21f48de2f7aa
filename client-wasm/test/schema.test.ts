// Payloads that are checked against schemas of the libraries that applications use.

import assert from 'node:assert/strict';
import {test} from 'node:test';
import * as v from 'valibot';
import * as z from 'zod';
import {PulsewireError} from '../src/base/errors.js';
import {list} from '../src/list.js';
import {checked, type Schemas} from '../src/schema.js';
import {accept, held, opened, publication, settle} from './fake_network.js';

const secret = 'do-not-tell';

const libraries = {
    zod: {'chat.message': z.object({text: z.string(), to: z.array(z.object({name: z.string()})).optional()}), 'chat.mood': z.enum(['good', 'bad'])},
    valibot: {'chat.message': v.object({text: v.string(), to: v.optional(v.array(v.object({name: v.string()})))}), 'chat.mood': v.picklist(['good', 'bad'])},
} satisfies Record<string, Schemas>;

/** A subscribed channel that is checked, and what its handlers got. */
async function chatOf(types: Schemas) {
    const {client, network} = await opened();
    const chat = checked(client.channel('a'), types);
    const got: unknown[] = [];
    chat.on('*', (payload, {type}) => got.push([type, payload]));
    await settle();
    await accept(network.socket, 'a');
    const told = () => network.errors.map(([error, context]) => {
        const {code, pointer, message} = error as PulsewireError;
        assert.doesNotMatch(message, new RegExp(secret));
        return [context, code, pointer, message];
    });
    return {client, network, chat, got, told, sent: () => network.socket.sent.filter(({op}) => op === 'publish').map(({payload}) => payload)};
}

for (const [library, types] of Object.entries(libraries)) {
    test(`${library}: what arrives and does not fit is given to nobody, and told`, async () => {
        const {client, network, chat, got, told} = await chatOf(types);
        const loop = chat.messages();
        const store = list(chat);
        store.subscribe(() => {});
        const watched: unknown[] = [];
        chat.watch('message', ({payload}) => watched.push(payload));
        await settle();
        network.socket.sent.filter(({op}) => op === 'history').forEach(({id}) => network.socket.receive({op: 'history', id, channel: 'a', epoch: 'e1', offset: 0, payload: []}));
        await settle();
        network.socket.receive(
            publication('a', 1, {text: 'hi'}),
            publication('a', 2, {text: 7, secret}),
            publication('a', 3, {text: 'x', to: [{name: 'a'}, {name: [secret]}]}),
            publication('a', 4, secret, 'chat.mood'),
            publication('a', 5, 'good', 'chat.mood'),
            publication('a', 6, {any: 'thing'}, 'of.no.schema'),
        );
        assert.deepEqual(got, [['chat.message', {text: 'hi'}], ['chat.mood', 'good'], ['of.no.schema', {any: 'thing'}]]);
        assert.deepEqual(watched, [{text: 'hi'}, 'good', {any: 'thing'}]);
        await settle();
        assert.deepEqual(store.getSnapshot().map(({offset}) => offset), [1, 5, 6]);
        for (const offset of [1, 5, 6]) assert.equal((await loop.next()).value.offset, offset);
        assert.deepEqual(told(), [
            ['a message of channel a', 'invalid_payload', '/text', 'The payload of chat.message does not fit its schema at /text, where it has Number.'],
            ['a message of channel a', 'invalid_payload', '/to/1/name', 'The payload of chat.message does not fit its schema at /to/1/name, where it has Array.'],
            ['a message of channel a', 'invalid_payload', undefined, 'The payload of chat.mood does not fit its schema as a whole, where it has String.'],
        ]);
        assert.deepEqual(chat.position, {epoch: 'e1', offset: 6});
        network.socket.receive(publication('a', 7, {}));
        assert.deepEqual(chat.position, {epoch: 'e1', offset: 7}, 'the place is behind what did not fit');
        assert.equal(client.state.name, 'open');
    });

    test(`${library}: what does not fit is not published`, async () => {
        const {network, chat, sent, told} = await chatOf(types);
        const error: PulsewireError = await chat.publish('chat.message', {text: 'x', to: [{name: 'a'}, {}]}).catch((error) => error);
        assert.ok(error instanceof PulsewireError);
        assert.deepEqual([error.code, error.pointer, error.message], [
            'invalid_payload', '/to/1/name', 'The payload of chat.message does not fit its schema at /to/1/name, where it has nothing.',
        ]);
        await assert.rejects(chat.publish('chat.mood', secret), ({message, cause}: PulsewireError) => !message.includes(secret) && cause === undefined);
        // A Date is a text for those who get it.
        await assert.rejects(chat.publish('chat.message', {text: new Map()}), {code: 'invalid_argument'});
        held(chat.publish('chat.message', {text: new Date(0), to: undefined}));
        held(chat.publish('of.no.schema', 1));
        await settle();
        assert.deepEqual(sent(), [{text: '1970-01-01T00:00:00.000Z'}, 1]);
        assert.deepEqual(told(), []);
        void chat.publish('chat.message', 1);
        await settle();
        await new Promise((resolve) => setTimeout(resolve, 0));
        assert.deepEqual(told().map(([context, code]) => [context, code]), [['publishing chat.message in channel a', 'invalid_payload']]);
        assert.equal(network.socket.sent.filter(({op}) => op === 'publish').length, 2);
    });
}

test('handlers and history get what the schema makes of a payload; what travels is what was given', async () => {
    for (const at of [z.object({at: z.string().transform((text) => new Date(text)), n: z.number().default(5)}), v.object({at: v.pipe(v.string(), v.transform((text) => new Date(text))), n: v.optional(v.number(), 5)})]) {
        const {network, chat, got, sent, told} = await chatOf({at});
        held(chat.publish('at', {at: '2020-01-01'}));
        await settle();
        assert.deepEqual(sent(), [{at: '2020-01-01'}]);
        network.socket.receive(publication('a', 1, {at: '2020-01-01'}, 'at'));
        assert.deepEqual(got, [['at', {at: new Date('2020-01-01'), n: 5}]]);
        const page = chat.history();
        await settle();
        const {id} = network.socket.last('history');
        network.socket.receive(`{"op":"history","id":${id},"channel":"a","epoch":"e1","offset":2,"more":true,"payload":[{"type":"at","offset":1,"time":5,"payload":{"at":"2020-01-01"}},{"type":"at","offset":2,"time":6,"payload":{"at":9}}]}`);
        const {messages, more, position} = await page;
        assert.deepEqual(messages.map(({payload, raw, offset}) => [payload, raw, offset]), [[{at: new Date('2020-01-01'), n: 5}, '{"at":"2020-01-01"}', 1]]);
        assert.deepEqual([more, position.offset], [true, 2]);
        assert.deepEqual(told().map(([, code, pointer]) => [code, pointer]), [['invalid_payload', '/at']]);
    }
});

test('an asynchronous schema fits nothing, and says so', async () => {
    for (const slow of [z.string().refine(async () => true), v.pipeAsync(v.string(), v.checkAsync(async () => false)), v.pipeAsync(v.string(), v.checkAsync(async () => { throw new Error('late'); }))]) {
        const {network, chat, got, told} = await chatOf({slow});
        network.socket.receive(publication('a', 1, 'x', 'slow'));
        assert.deepEqual(got, []);
        assert.deepEqual(told().map(([, code]) => code), ['invalid_argument']);
        await assert.rejects(chat.publish('slow', 'x'), ({code, message}: PulsewireError) => code === 'invalid_argument' && /slow is asynchronous/.test(message));
    }
});

test('who writes the payloads does not decide how many complaints are kept', async () => {
    const {network, told} = await chatOf({t: z.record(z.string(), z.number())});
    for (let i = 1; i <= 150; i++) network.socket.receive(publication('a', i, {[`k${i}/~`]: 'x'}, 't'));
    const texts = new Set(told().map(([, , , message]) => message));
    assert.equal(told().length, 150);
    assert.equal(texts.size, 101);
    assert.equal(told()[149]![2], '/k150~1~0');
});

test('a channel has one set of schemas, which may be added to, and only what can be one is taken', async () => {
    const {client, network, chat, got} = await chatOf({n: z.number()});
    assert.equal(checked(client.channel('a'), {n: z.string(), m: v.number()}), chat);
    network.socket.receive(publication('a', 1, 1, 'n'), publication('a', 2, 'x', 'n'), publication('a', 3, 'x', 'm'), publication('a', 4, 4, 'm'));
    assert.deepEqual(got, [['n', 'x'], ['m', 4]]);
    for (const types of [{a: {}}, {a: (value: unknown) => value}, {'a b': z.string()}, [], undefined] as any[]) {
        assert.throws(() => checked(client.channel('b'), types), (error: PulsewireError) => /^invalid_(argument|type)$/.test(error.code), String(types));
    }
});
