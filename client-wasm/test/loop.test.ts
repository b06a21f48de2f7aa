import assert from 'node:assert/strict';
import {test} from 'node:test';
import {accept, opened, publication, settle} from './fake_network.js';

const looped = async () => {
    const {client, network} = await opened();
    const channel = client.channel('a');
    return {client, network, channel, begin: async () => (await settle(), accept(network.socket, 'a'))};
};

/** Takes messages until the loop ends, and says how it ended. */
async function payloadsOf(messages: AsyncIterable<{payload: unknown}>): Promise<unknown[]> {
    const seen: unknown[] = [];
    try {
        for await (const {payload} of messages) seen.push(payload);
        seen.push('end');
    } catch (error) {
        seen.push((error as {code: string}).code);
    }
    return seen;
}

test('for await takes the messages in order, also those that came before it looked', async () => {
    const {client, network, channel, begin} = await looped();
    const all = payloadsOf(channel);
    await begin();
    network.socket.receive(publication('a', 1, 1), publication('a', 2, 2));
    await settle();
    network.socket.receive(publication('a', 3, 3));
    await settle();
    client.close();
    assert.deepEqual(await all, [1, 2, 3, 'end']);
});

test('messages() counts from its call, not from the first look', async () => {
    const {client, network, channel, begin} = await looped();
    const messages = channel.messages();
    await begin();
    network.socket.receive(publication('a', 1, 1));
    assert.equal((await messages.next()).value.payload, 1);
    client.close();
    assert.deepEqual(await messages.next(), {value: undefined, done: true});
});

test('leaving the loop ends it, the subscription stays', async () => {
    const {client, network, channel, begin} = await looped();
    const taking = (async () => {
        for await (const {payload} of channel) if (payload === 2) return payload;
        return 'ended';
    })();
    await begin();
    network.socket.receive(publication('a', 1, 1), publication('a', 2, 2), publication('a', 3, 3));
    assert.equal(await taking, 2);
    assert.equal(channel.state, 'subscribed');
    client.close();
});

test('return() ends a loop that waits, and one that never began', async () => {
    const {client, channel} = await looped();
    const waiting = channel.messages();
    const next = waiting.next();
    await waiting.return!();
    assert.deepEqual(await next, {value: undefined, done: true});
    const fresh = channel.messages();
    await fresh.return!();
    assert.equal((await fresh.next()).done, true);
    client.close();
});

test('the signal ends the loop, after what waits', async () => {
    const {client, network, channel, begin} = await looped();
    const abort = new AbortController();
    const messages = channel.messages({signal: abort.signal});
    await begin();
    network.socket.receive(publication('a', 1, 1));
    abort.abort();
    network.socket.receive(publication('a', 2, 2));
    assert.deepEqual(await payloadsOf(messages), [1, 'end']);
    assert.deepEqual(await payloadsOf(channel.messages({signal: abort.signal})), ['end']);
    client.close();
});

test('a loop that is too slow ends with an error behind what it could keep', async () => {
    const {client, network, channel, begin} = await looped();
    const slow = channel.messages({capacity: 2});
    const quick = payloadsOf(channel.messages({capacity: 10}));
    await begin();
    for (const offset of [1, 2, 3, 4]) network.socket.receive(publication('a', offset, offset));
    assert.deepEqual(await payloadsOf(slow), [1, 2, 'overloaded']);
    client.close();
    assert.deepEqual(await quick, [1, 2, 3, 4, 'end']);
});

test('unsubscribe() ends the loops', async () => {
    const {client, channel, begin} = await looped();
    const all = payloadsOf(channel);
    await begin();
    channel.unsubscribe();
    assert.deepEqual(await all, ['end']);
    client.close();
});

test('a refusal, and an end that nobody asked for, are thrown into the loops', async () => {
    const {client, network, channel} = await looped();
    const refused = payloadsOf(channel);
    const other = payloadsOf(client.channel('b'));
    await settle();
    network.socket.receive({op: 'error', id: network.socket.sent.find(({channel: name}) => name === 'a')!.id, code: 'forbidden', message: 'no'});
    assert.deepEqual(await refused, ['forbidden']);
    network.socket.drop(4502);
    assert.deepEqual(await other, ['closed']);
    assert.deepEqual(await payloadsOf(client.channel('c')), ['closed']);
});
