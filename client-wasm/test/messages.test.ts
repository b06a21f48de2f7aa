import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {Message} from '../src/client/message.js';
import {accept, FakeNetwork, held, opened, publication, settle} from './fake_network.js';

const channelWith = async (name = 'chat:42') => {
    const {client, network} = await opened();
    const channel = client.channel(name);
    const messages: Message[] = [];
    channel.watch('message', (message) => messages.push(message));
    await settle();
    await accept(network.socket, name);
    return {client, network, channel, messages};
};

test('the frames of docs/protocol.md 4.3, 4.5 and 4.6 are sent', async () => {
    const {client, network} = await opened();
    client.channel('a').on('*', () => {});
    client.channel('b', {latest: 20, since: {epoch: 'x7Qa', offset: 15}}).on('*', () => {});
    client.channel('c', {presence: {name: 'Ada Ünal'}}).on('*', () => {});
    client.channel('d', {presence: true}).on('*', () => {});
    await settle();
    assert.deepEqual(network.socket.messages.at(-1)!.split('\n'), [
        '{"op":"subscribe","id":1,"channel":"a"}',
        '{"op":"subscribe","id":2,"channel":"b","epoch":"x7Qa","offset":15,"latest":20}',
        '{"op":"subscribe","id":3,"channel":"c","presence":true,"payload":{"name":"Ada Ünal"}}',
        '{"op":"subscribe","id":4,"channel":"d","presence":true}',
    ]);
    client.close();
});

test('a message has type, channel, offset, time and payload', async () => {
    const {client, network, messages} = await channelWith();
    network.socket.receive('{"type":"chat.message","channel":"chat:42","offset":1,"time":1764000000000,"payload":{"text":"hi"}}');
    const [message] = messages;
    assert.deepEqual({...message}, {
        channel: 'chat:42', type: 'chat.message', offset: 1, time: 1764000000000, replayed: false, payload: {text: 'hi'}, raw: '{"text":"hi"}',
    });
    assert.equal(message!.time, 1764000000000);
    assert.deepEqual(message!.payload, {text: 'hi'});
    assert.equal(message!.raw, '{"text":"hi"}');
    assert.equal(message!.payload, message!.payload);
    client.close();
});

test('a direct or transient message has no offset and does not move the position', async () => {
    const {client, network, channel, messages} = await channelWith();
    network.socket.receive('{"type":"chat.typing","channel":"chat:42","payload":null}');
    assert.equal(messages[0]!.offset, undefined);
    assert.equal(messages[0]!.time, undefined);
    assert.equal(messages[0]!.payload, null);
    assert.deepEqual(channel.position, {epoch: 'e1', offset: 0});
    client.close();
});

test('payloads of every kind arrive as they were sent', async () => {
    const {client, network, messages} = await channelWith();
    const payloads = [
        0, -1.5e300, '', 'ümläut 漢字 🎉 \u0000 \u2028', true, false, null, [], {}, [[[]]],
        {payload: 1, '"payload":': '"payload":'}, 'with \n newline', {a: {b: {c: [1, 2, 3]}}}, '}', '{"op":"close"}',
    ];
    network.socket.receive(...payloads.map((payload, i) => publication('chat:42', i + 1, payload)));
    assert.deepEqual(messages.map(({payload}) => payload), payloads);
    client.close();
});

test('many messages in one, of several channels, each go where they belong', async () => {
    const {client, network, messages} = await channelWith('a');
    const others: unknown[] = [];
    client.channel('b').on('t', (payload) => others.push(payload));
    await settle();
    await accept(network.socket, 'b');
    network.socket.onmessage!({data:
        '{"type":"t","channel":"a","offset":1,"payload":1}\n{"op":"ping"}\n{"type":"t","channel":"b","offset":1,"payload":2}\n'
        + '{"type":"t","channel":"a","offset":2,"payload":3}\n{"op":"gap","channel":"b","offset":7,"reason":"replaced"}\n'
        + '{"type":"t","channel":"b","offset":8,"payload":4}\n'});
    assert.deepEqual(messages.map(({payload}) => payload), [1, 3]);
    assert.deepEqual(others, [2, 4]);
    client.close();
});

test('a long header, and one that is not ASCII, are read', async () => {
    const {client, network} = await opened();
    const request = held(client.request('a'));
    await settle();
    const long = 'ö'.repeat(3000);
    network.socket.receive({op: 'error', id: network.socket.last('request').id, code: 'rejected', message: `${long} "payload": ${long}`});
    await assert.rejects(request, {code: 'rejected', message: `${long} "payload": ${long}`});
    assert.equal(client.state.name, 'open');
    client.close();
});

test('the position counts the message that is being handled', async () => {
    const {client, network, channel} = await channelWith();
    const positions: unknown[] = [];
    channel.on('*', () => positions.push(channel.position));
    network.socket.receive(publication('chat:42', 1, 1), publication('chat:42', 2, 2));
    assert.deepEqual(positions, [{epoch: 'e1', offset: 1}, {epoch: 'e1', offset: 2}]);
    client.close();
});

/** So many come before those that are looked at. */
const earlier = 40;
const numbers = (from: number, to: number) => Array.from({length: to - from + 1}, (_, i) => from + i);

test('messages that look alike come whichever way they go: in order, each once, none of what is not next', async (t) => {
    const {client, network, channel, messages} = await channelWith('a.b$');
    const others: unknown[] = [];
    const other = client.channel('c');
    other.on('t', (payload) => others.push(payload));
    await settle();
    await accept(network.socket, 'c');
    const at = (n: number) => earlier + n;
    const line = (offset: number, payload: unknown, type = 't', name = 'a.b$') =>
        `{"type":"${type}","channel":"${name}","offset":${offset},"time":${1_764_000_000_000 + offset},"payload":${JSON.stringify(payload)}}`;
    network.socket.receive(...numbers(1, earlier).map((offset) => line(offset, {offset})));
    const searches = t.mock.method(String.prototype, 'indexOf');
    network.socket.receive(line(at(1), 1), line(at(2), 2, 'another.type'));
    const long = searches.mock.calls.filter(({arguments: [what]}) => (what as string).startsWith('"payload')).length;
    searches.mock.restore();
    assert.equal(long, 0, 'these took the short way');
    // Again, one of the past, one that another channel's follows, one with a payload of its own kind.
    network.socket.receive(line(at(2), 'again'), line(at(1), 'past'), line(1, 'other', 't', 'c'), line(at(3), '"payload":'), line(at(4), 4));
    network.socket.receive(`{"type":"t","channel":"a.b$","offset":${at(5)},"time":1764000000010,"later":1,"payload":5}`);
    network.socket.receive(`{"type":"t","channel":"a.b$","offset":${at(6)},"time":5,"payload":6}`, '{"type":"t","channel":"a.b$","payload":"transient"}');
    network.socket.receive(`{"type":"t","channel":"a.b$","offset":${at(7)},"time":1764000000012,"except":"${client.session}","payload":7}`, line(at(8), 8));
    network.socket.receive(line(at(9), 'not of this channel', 't', 'aXb$'), line(at(9), 9));
    const after = messages.slice(earlier);
    assert.deepEqual(messages.slice(0, earlier).map(({payload, offset}) => [payload, offset]), numbers(1, earlier).map((offset) => [{offset}, offset]));
    assert.deepEqual(after.map(({payload}) => payload), [1, 2, '"payload":', 4, 5, 6, 'transient', 8, 9]);
    assert.deepEqual(after.map(({type}) => type), ['t', 'another.type', 't', 't', 't', 't', 't', 't', 't']);
    assert.deepEqual(after.map(({offset}) => offset && offset - earlier), [1, 2, 3, 4, 5, 6, undefined, 8, 9]);
    assert.equal(after[8]!.time, 1_764_000_000_000 + at(9));
    assert.ok(messages.every(({channel: name}) => name === 'a.b$'));
    assert.deepEqual(others, ['other']);
    assert.deepEqual(channel.position, {epoch: 'e1', offset: at(9)});
    // One is missing: asked for again from where we are.
    network.socket.receive(line(at(10), 10), line(at(12), 12));
    await settle();
    assert.equal(network.socket.last('subscribe').offset, at(10));
    network.socket.receive(line(at(11), 'too early'));
    assert.equal(messages.at(-1)!.payload, 10);
    await accept(network.socket, 'a.b$', {offset: at(10), recovered: true, replay: 2});
    network.socket.receive(line(at(11), 11), line(at(12), 12), line(at(13), 13));
    assert.deepEqual(messages.slice(-3).map(({payload, replayed}) => [payload, replayed]), [[11, true], [12, true], [13, false]]);
    client.close();
});

test('channels that speak in turn take the short way, each with its own types', async (t) => {
    const {client, network, messages} = await channelWith('room:1');
    const long = `room:${'x'.repeat(250)}`;
    const seen: string[] = [];
    client.channel(long).on('*', (payload, {channel, type, offset}) => seen.push(`${channel === long} ${type} ${offset} ${payload}`));
    await settle();
    await accept(network.socket, long);
    const line = (channel: string, offset: number, type: string) => `{"type":"${type}","channel":"${channel}","offset":${offset},"time":1764000000000,"payload":${offset}}`;
    const searches = t.mock.method(String.prototype, 'indexOf');
    network.socket.receive(line('room:1', 1, 'a'), line(long, 1, 'b'), line('room:1', 2, 'aa'), line(long, 2, 'b'), line('room:1', 3, 'ab'), line('room:1', 4, 'a'));
    const longWay = searches.mock.calls.filter(({arguments: [what]}) => (what as string).startsWith('"payload')).length;
    searches.mock.restore();
    assert.equal(longWay, 0);
    assert.deepEqual(messages.map(({channel, type, offset}) => [channel, type, offset]), [['room:1', 'a', 1], ['room:1', 'aa', 2], ['room:1', 'ab', 3], ['room:1', 'a', 4]]);
    assert.deepEqual(seen, ['true b 1 1', 'true b 2 2']);
    // A name that no channel can have is not mistaken for the part of it that fits.
    network.socket.receive(line(`y${long}`, 3, 'b'), line(`${'y'.repeat(2000)}room:1`, 5, 'a'));
    assert.equal(messages.length + seen.length, 6);
    // A long frame takes the place of the name that stood in the module's memory.
    network.socket.receive(line('room:1', 5, 'a'), `{"op":"pong","note":"${'x'.repeat(2000)}"}`);
    const again = t.mock.method(String.prototype, 'indexOf');
    network.socket.receive(line('room:1', 6, 'a'));
    assert.equal(again.mock.calls.filter(({arguments: [what]}) => (what as string).startsWith('"payload')).length, 0);
    again.mock.restore();
    assert.deepEqual(messages.slice(-2).map(({offset}) => offset), [5, 6]);
    client.close();
});

test('a channel that takes the number of one that ended gets nothing of it', async () => {
    const {client, network, channel, messages} = await channelWith('a');
    const line = (name: string, offset: number) => `{"type":"t","channel":"${name}","offset":${offset},"time":1764000000000,"payload":"${name}"}`;
    network.socket.receive(...numbers(1, earlier).map((offset) => line('a', offset)));
    channel.unsubscribe();
    network.socket.receive(line('a', earlier + 1));
    const seen: unknown[] = [];
    client.channel('b').on('t', (payload) => seen.push(payload));
    await settle();
    await accept(network.socket, 'b', {offset: earlier});
    network.socket.receive(line('a', earlier + 1), line('b', earlier + 1));
    assert.equal(messages.length, earlier);
    assert.deepEqual(seen, ['b']);
    client.close();
});

test('what a handler asks for is done behind the message, however that came', async () => {
    const {client, network, channel} = await channelWith('a');
    const order: unknown[] = [];
    client.on('closed', () => order.push('closed'));
    channel.on('t', (payload) => {
        order.push(payload);
        if (payload === earlier + 2) client.close();
    });
    channel.on('*', (payload) => order.push(-(payload as number)));
    const line = (n: number) => `{"type":"t","channel":"a","offset":${n},"time":1764000000000,"payload":${n}}`;
    network.socket.receive(...numbers(1, earlier + 2).map(line));
    const expected = [...numbers(1, earlier + 2).flatMap((n) => [n, -n]), 'closed'];
    assert.deepEqual(order, expected);
    network.socket.onmessage?.({data: line(earlier + 3)});
    assert.deepEqual(order, expected);
});

test('a payload that nobody reads is not parsed', async (t) => {
    const {client, network, messages} = await channelWith();
    const text = JSON.stringify({big: 'x'.repeat(1000)});
    const parse = t.mock.method(JSON, 'parse');
    network.socket.onmessage!({data: `{"type":"t","channel":"chat:42","offset":1,"payload":${text}}`});
    assert.equal(parse.mock.calls.filter((call) => call.arguments[0].length > 100).length, 0);
    assert.equal(messages[0]!.raw, text);
    assert.deepEqual(messages[0]!.payload, JSON.parse(text));
    client.close();
});

test('on() hears its own type, and * all of them', async () => {
    const {client, network, channel} = await channelWith();
    const seen: unknown[] = [];
    const remove = channel.on('a', (payload, {type}) => seen.push([payload, type]));
    channel.on('*', (payload, {type}) => seen.push(['*', payload, type]));
    network.socket.receive(publication('chat:42', 1, 1, 'a'), publication('chat:42', 2, 2, 'b'));
    remove();
    network.socket.receive(publication('chat:42', 3, 3, 'a'));
    assert.deepEqual(seen, [[1, 'a'], ['*', 1, 'a'], ['*', 2, 'b'], ['*', 3, 'a']]);
    client.close();
});

test('a handler that throws is reported with its place, and the next messages arrive', async () => {
    const {client, network, channel, messages} = await channelWith();
    channel.on('a', () => {
        throw new TypeError('mine');
    });
    network.socket.receive(publication('chat:42', 1, 1, 'a'), publication('chat:42', 2, 2, 'a'));
    assert.equal(messages.length, 2);
    assert.deepEqual(network.errors.map(([error, context]) => [(error as Error).message, context]), [
        ['mine', 'a handler for "a" of channel chat:42'], ['mine', 'a handler for "a" of channel chat:42'],
    ]);
    assert.equal(client.state.name, 'open');
    client.close();
});

test('of one message watch() hears first, then on(), then on() of all types; unsubscribe() ends it there', async () => {
    const {client, network, channel} = await channelWith();
    const order: string[] = [];
    channel.on('*', () => order.push('*'));
    channel.on('t', () => order.push('t'));
    channel.on('t', () => {
        order.push('t again');
        if (order.length > 4) channel.unsubscribe();
    });
    channel.watch('message', () => order.push('message'));
    network.socket.receive(publication('chat:42', 1, 1, 't'), publication('chat:42', 2, 2, 't'));
    assert.deepEqual(order, ['message', 't', 't again', '*', 'message', 't', 't again']);
    client.close();
});

test('handlers may call everything: subscribe, publish, unsubscribe, close', async () => {
    const {client, network, channel} = await channelWith('a');
    const order: string[] = [];
    channel.on('t', (payload) => {
        order.push(`t ${payload}`);
        if (payload === 1) {
            void held(channel.publish('answer', payload));
            client.channel('b').on('*', () => {});
        }
        if (payload === 2) channel.unsubscribe();
        if (payload === 3) client.close();
    });
    network.socket.receive(publication('a', 1, 1, 't'), publication('a', 2, 2, 't'), publication('a', 3, 3, 't'));
    await settle();
    assert.deepEqual(order, ['t 1', 't 2']);
    assert.deepEqual(network.socket.sent.slice(-3).map(({op, channel: name}) => `${op} ${name}`), ['publish a', 'subscribe b', 'unsubscribe a']);
    client.close();
});

test('the same name gives the same channel, with one subscription', async () => {
    const {client, network} = await opened();
    const channel = client.channel('a');
    assert.equal(client.channel('a'), channel);
    channel.on('x', () => {});
    client.channel('a').on('y', () => {});
    await settle();
    assert.equal(network.socket.sent.filter(({op}) => op === 'subscribe').length, 1);
    client.close();
});

test('unsubscribe() ends the subscription, and on() begins it anew', async () => {
    const {client, network, channel, messages} = await channelWith('a');
    channel.unsubscribe();
    assert.equal(channel.state, 'idle');
    await settle();
    assert.match(network.socket.messages.at(-1)!, /^{"op":"unsubscribe","id":\d+,"channel":"a"}$/);
    network.socket.receive(publication('a', 1, 1));
    assert.equal(messages.length, 0);
    channel.unsubscribe();
    channel.on('*', () => {});
    assert.equal(channel.state, 'subscribing');
    await settle();
    assert.equal(network.socket.last('subscribe').channel, 'a');
    client.close();
});

test('a subscription that is taken back before anything was sent leaves no trace', async () => {
    const network = new FakeNetwork();
    const client = await network.connect();
    const channel = client.channel('a');
    channel.on('*', () => {});
    channel.unsubscribe();
    await network.welcome();
    assert.equal(network.socket.sent.filter(({op}) => op !== 'connect').length, 0);
    client.close();
});

test('a refused subscription is told, and the next handler asks again', async () => {
    const {client, network} = await opened();
    const channel = client.channel('secret:1');
    const refusals: unknown[] = [];
    channel.watch('refused', ({code, message}) => refusals.push([code, message]));
    await settle();
    network.socket.receive({op: 'error', id: network.socket.last('subscribe').id, code: 'forbidden', message: 'not for you'});
    assert.deepEqual(refusals, [['forbidden', 'not for you']]);
    assert.equal(channel.state, 'refused');
    channel.on('*', () => {});
    assert.equal(channel.state, 'subscribing');
    await settle();
    await accept(network.socket, 'secret:1');
    assert.equal(channel.state, 'subscribed');
    client.close();
});

test('what newer messages have replaced is told as a gap, and changes nothing else (5.4)', async () => {
    const {client, network, channel} = await channelWith('a');
    const gaps: unknown[] = [];
    channel.watch('gap', (gap) => gaps.push(gap));
    network.socket.receive(publication('a', 1, 1), '{"op":"gap","channel":"a","offset":40,"reason":"replaced"}');
    assert.deepEqual(gaps, [{from: 2, to: 40, reason: 'replaced'}]);
    assert.deepEqual(channel.position, {epoch: 'e1', offset: 40});
    client.close();
});

test('what was dropped comes again from the history, without a gap (5.4)', async () => {
    const {client, network, channel} = await channelWith('a');
    const told: unknown[] = [];
    channel.watch('gap', (gap) => told.push(gap));
    channel.watch('subscribed', ({recovered}) => told.push(recovered));
    channel.watch('message', ({offset}) => told.push(offset));
    network.socket.receive(
        publication('a', 1, 1), '{"op":"gap","channel":"a","offset":3,"reason":"dropped"}', publication('a', 4, 4),
    );
    await settle();
    const {id, epoch, offset} = network.socket.last('subscribe');
    assert.deepEqual({epoch, offset}, {epoch: 'e1', offset: 1});
    network.socket.receive(
        {op: 'subscribed', id, channel: 'a', epoch: 'e1', offset: 1, replay: 3, recovered: true},
        ...[2, 3, 4].map((at) => publication('a', at, at)), publication('a', 5, 5),
    );
    assert.deepEqual(told, [1, true, 2, 3, 4, 5]);
    client.close();
});

test('what was dropped and is gone is told once (5.4)', async () => {
    const {client, network, channel} = await channelWith('a');
    const gaps: unknown[] = [];
    channel.watch('gap', (gap) => gaps.push(gap));
    network.socket.receive(publication('a', 1, 1), '{"op":"gap","channel":"a","offset":900,"reason":"dropped"}');
    await settle();
    const {id} = network.socket.last('subscribe');
    network.socket.receive({op: 'subscribed', id, channel: 'a', epoch: 'e1', offset: 950, replay: 0, recovered: false, reason: 'limit'});
    assert.deepEqual(gaps, [{from: 2, to: 950, reason: 'limit'}]);
    client.close();
});

test('a message may say what it is the latest of (4.17)', async () => {
    const {client, network, channel} = await channelWith('a');
    void channel.publish('t', 1, {conflate: 'AAPL'}).catch(() => {});
    await settle();
    const {channel: to, type, conflate} = network.socket.last('publish');
    assert.deepEqual({to, type, conflate}, {to: 'a', type: 't', conflate: 'AAPL'});
    await assert.rejects(channel.publish('t', 1, {conflate: 'a "b"'}), {code: 'invalid_argument'});
    client.close();
});

test('what could not be recovered is told as a gap', async () => {
    const {client, network} = await opened();
    const events: unknown[] = [];
    const gapsOf = (name: string) => {
        const channel = client.channel(name, {since: {epoch: 'e1', offset: 5}});
        channel.watch('subscribed', ({recovered, reason}) => events.push([recovered, reason]));
        channel.watch('gap', (gap) => events.push(gap));
    };
    ['a', 'b', 'c'].forEach(gapsOf);
    await settle();
    await accept(network.socket, 'a', {offset: 30, recovered: false, reason: 'expired'});
    await accept(network.socket, 'b', {epoch: 'e2', offset: 3, recovered: false, reason: 'epoch_changed'});
    await accept(network.socket, 'c', {offset: 5, recovered: true});
    assert.deepEqual(events, [
        [false, 'expired'], {from: 6, to: 30, reason: 'expired'},
        [false, 'epoch_changed'], {from: 1, to: 3, reason: 'epoch_changed'},
        [true, undefined],
    ]);
    client.close();
});

test('what comes from history says so', async () => {
    const {client, network} = await opened();
    const seen: unknown[] = [];
    client.channel('a', {latest: 2}).on('*', (payload, {replayed}) => seen.push([payload, replayed]));
    await settle();
    await accept(network.socket, 'a', {offset: 3, replay: 2});
    network.socket.receive(publication('a', 4, 1), publication('a', 5, 2), publication('a', 6, 3));
    assert.deepEqual(seen, [[1, true], [2, true], [3, false]]);
    client.close();
});

test('one’s own message with echo false moves the channel on and is not shown', async () => {
    const {client, network, messages} = await channelWith('a');
    network.socket.receive(
        `{"type":"t","channel":"a","offset":1,"except":"${client.session}","payload":1}`,
        '{"type":"t","channel":"a","offset":2,"except":"someoneelse","payload":2}',
    );
    assert.deepEqual(messages.map(({offset}) => offset), [2]);
    client.close();
});

test('who is here is kept current', async () => {
    const {client, network} = await opened();
    const channel = client.channel('chat:42', {presence: {name: 'Ada'}});
    const events: unknown[] = [];
    channel.watch('presence', ({members, joined, left}) => events.push([members.map(({session}) => session), joined?.info, left?.info]));
    assert.deepEqual(channel.members, []);
    await settle();
    await accept(network.socket, 'chat:42');
    network.socket.receive(
        '{"op":"presence","channel":"chat:42","payload":[{"session":"aaaaaaaa","info":{"name":"Ada"}}]}',
        '{"op":"join","channel":"chat:42","session":"bbbbbbbb","payload":{"name":"Bob"}}',
        '{"op":"join","channel":"chat:42","session":"bbbbbbbb","payload":{"name":"Bobby"}}',
        '{"op":"leave","channel":"chat:42","session":"aaaaaaaa"}',
    );
    assert.deepEqual(events, [
        [['aaaaaaaa'], undefined, undefined],
        [['aaaaaaaa', 'bbbbbbbb'], {name: 'Bob'}, undefined],
        [['aaaaaaaa', 'bbbbbbbb'], {name: 'Bobby'}, undefined],
        [['bbbbbbbb'], undefined, {name: 'Ada'}],
    ]);
    assert.deepEqual(channel.members, [{session: 'bbbbbbbb', info: {name: 'Bobby'}}]);
    channel.unsubscribe();
    assert.deepEqual(channel.members, []);
    client.close();
});

test('presence info that is no JSON is refused', async () => {
    const {client} = await opened();
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    const channel = client.channel('a', {presence: cycle});
    assert.throws(() => channel.on('*', () => {}), {code: 'invalid_argument'});
    assert.equal(channel.state, 'idle');
    client.close();
});

test('names are checked where they are given', async () => {
    const {client} = await opened();
    for (const name of ['', 'a b', 'ä', 'x'.repeat(256), 'a"b', 'a\n']) {
        assert.throws(() => client.channel(name), {code: 'invalid_channel'}, name);
    }
    client.channel(`Az09_-.:/@~=+$!${'x'.repeat(240)}`);
    const channel = client.channel('a');
    for (const type of ['', 'a b', 'ä', 'x'.repeat(65), 'pulsewire.x', 'a\n']) {
        assert.throws(() => channel.on(type, () => {}), {code: 'invalid_type'}, type);
        await assert.rejects(channel.publish(type, 1), {code: 'invalid_type'}, type);
        await assert.rejects(client.request(type), {code: 'invalid_type'}, type);
    }
    client.close();
});
