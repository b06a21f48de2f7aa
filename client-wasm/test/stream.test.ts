// The entry pulsewire/stream: replies that grow, on a real hub.

import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {Client} from '../src/client/client.js';
import type {TestServer} from '../src/test.js';
import {stream, streams, type StreamOptions, type StreamReader, type StreamsOptions} from '../src/stream.js';
import {clientOf, outcomeOf, stateServer} from './state_server.js';

const name = 'board:1';
const writerOn = (client: Client, options: StreamOptions = {}) => stream(client.channel(name), {id: 'r', ...options});
const readerOn = (client: Client, options: StreamsOptions = {}) => streams(client.channel(name), options);
const reader = (server: TestServer, options: StreamsOptions = {}) => readerOn(clientOf(server).client, options);
const pieces = (server: TestServer, type = 'stream') => server.channel(name).history.filter((message) => message.type === type).map(({payload}) => payload as any);
const shown = (replies: StreamReader) => replies.getSnapshot().map(({id, text, state}) => `${id} ${text} ${state}`);

/** What a loop has got, and how it ended. */
function loopOver(replies: StreamReader, id = 'r', options = {}): {got: string[]; end: Promise<unknown>} {
    const got: string[] = [];
    const read = async () => {
        for await (const piece of replies.read(id, options)) got.push(piece);
        return 'end';
    };
    const end = read();
    end.catch(() => {});
    return {got, end};
}

test('a reply grows, is read from its beginning by those who come late, and ends', async () => {
    const server = await stateServer();
    const {client, errors} = clientOf(server);
    const early = reader(server);
    const loop = loopOver(early);
    const reply = writerOn(client);
    await server.settled();
    assert.deepEqual(shown(early), ['r  writing']);
    void reply.write('Hel');
    void reply.write('lo');
    await server.advance(39);
    assert.deepEqual(loop.got, []);
    await server.advance(1);
    assert.deepEqual(loop.got, ['Hello']);
    const late = reader(server);
    const lateLoop = loopOver(late);
    await server.settled();
    void reply.write(' world');
    await server.advance(40);
    assert.deepEqual([loop.got, lateLoop.got], [['Hello', ' world'], ['Hello', ' world']]);
    assert.equal(await outcomeOf(loop.end), 'pending');
    void reply.write('.');
    const ended = reply.end();
    await server.settled();
    await ended;
    assert.deepEqual([await loop.end, await lateLoop.end, loop.got.at(-1)], ['end', 'end', '.']);
    assert.deepEqual(shown(late), ['r Hello world. complete']);
    assert.deepEqual(early.get('r'), {id: 'r', text: 'Hello world.', state: 'complete', stopping: false, writer: client.session});
    assert.deepEqual(pieces(server), [
        {id: 'r', n: 0, begin: {writer: client.session, leaseMs: 30_000}},
        {id: 'r', n: 0, text: 'Hello'}, {id: 'r', n: 5, text: ' world'}, {id: 'r', n: 11, text: '.', end: 'complete'},
    ]);
    assert.equal(await outcomeOf(reply.write('more')), 'closed');
    assert.deepEqual(errors, []);
});

test('two thousand writes that nobody waits for are a few messages and no error; who waits is held back', async () => {
    const server = await stateServer();
    const {client, errors} = clientOf(server);
    const replies = reader(server);
    const reply = writerOn(client);
    await server.settled();
    for (let n = 0; n < 2000; n++) void reply.write(`word${n} `);
    await server.advance(100);
    let text = Array.from({length: 2000}, (_, n) => `word${n} `).join('');
    assert.deepEqual([replies.get('r')!.text === text, errors], [true, []]);
    assert.ok(pieces(server).length <= 6, `${pieces(server).length} pieces`);
    server.offline(client);
    await server.advance(1000);
    let written = 0;
    const write = async () => {
        for (; written < 100; written++) {
            await new Promise((resolve) => setTimeout(resolve, 50));
            await reply.write('x');
        }
    };
    void write();
    await server.advance(10_000);
    assert.equal(written, 4);
    server.online(client);
    await server.advance(30_000);
    assert.deepEqual([written, replies.get('r')!.text], [100, text + 'x'.repeat(100)]);
    const before = pieces(server).length;
    // A fast model whose every token is awaited is not slowed down.
    const fast = async () => {
        for (let n = 0; n < 400; n++) await reply.write('z');
    };
    const [done] = [fast(), await server.advance(50)];
    assert.deepEqual([await outcomeOf(done), pieces(server).length - before], [undefined, 1]);
    text += 'x'.repeat(100) + 'z'.repeat(400);
    assert.equal(replies.get('r')!.text, text);
    server.offline(client);
    await server.advance(1000);
    const large = Array.from({length: 20}, () => reply.write('y'.repeat(100_000)));
    await server.advance(100);
    assert.equal(await outcomeOf(large[10]!), 'outbox_full');
});

test('no character is cut in two, and halves that stay alone are replaced', async () => {
    const server = await stateServer();
    const replies = reader(server);
    const reply = writerOn(clientOf(server).client);
    await server.settled();
    const faces = `a${'😀'.repeat(10_000)}`;
    void reply.write(faces);
    await server.advance(100);
    assert.equal(replies.get('r')!.text, faces);
    assert.equal(await outcomeOf(reply.write('😀'[0]!)), undefined);
    await server.advance(100);
    void reply.write('😀'[1]!);
    await server.advance(100);
    void reply.write('\udc00!\ud800');
    void reply.end();
    await server.settled();
    assert.equal(replies.get('r')!.text, `${faces}😀\ufffd!\ufffd`);
});

test('cuts, a restart and offline times: the text is exact for the writer’s and the readers’ ends', async () => {
    const server = await stateServer();
    const {client} = clientOf(server);
    const {client: second} = clientOf(server);
    const replies = readerOn(second);
    const loop = loopOver(replies);
    const reply = writerOn(client);
    let text = '';
    await server.settled();
    for (let n = 0; n < 120; n++) {
        const token = `t${n} `;
        text += token;
        void reply.write(token);
        if (n % 7 === 3) server.cut(client);
        if (n % 11 === 5) server.cut(second);
        if (n === 40) server.offline(second);
        if (n === 60) server.restart();
        if (n === 80) server.online(second);
        // Other messages go on in between.
        server.publish(name, 'other', n);
        await server.advance(90);
        const got = loop.got.join('');
        assert.ok(text.startsWith(got), got);
    }
    const {offset} = client.channel(name).position ?? {offset: 0};
    assert.ok(offset > 100);
    void reply.end();
    await server.advance(30_000);
    assert.deepEqual([await outcomeOf(loop.end), loop.got.join(''), replies.get('r')!.text], ['end', text, text]);
});

test('whatever goes wrong on the way, readers have a beginning of the text, and in the end all of it', async () => {
    for (let seed = 1; seed <= 15; seed++) {
        const server = await stateServer(seed % 3 ? 1_000_000 : 16_000, {seed});
        const chance = (probability: number) => Math.random() < probability;
        const clients = Array.from({length: 5}, () => clientOf(server).client);
        const [ada, bob, ...others] = clients as [Client, Client, ...Client[]];
        const writers = [writerOn(ada, {id: 'a'}), writerOn(ada, {id: 'b'}), writerOn(bob, {id: 'c'})];
        const texts = ['', '', ''];
        const readers = others.map((client) => readerOn(client));
        const loops = readers.map((replies) => writers.map(({id}) => loopOver(replies, id)));
        const check = () => {
            for (const [i, text] of texts.entries()) {
                for (const [j, replies] of readers.entries()) {
                    assert.ok(text.startsWith(replies.get(writers[i]!.id)?.text ?? ''), `seed ${seed}: a reader has something else`);
                    assert.ok(text.startsWith(loops[j]![i]!.got.join('')), `seed ${seed}: a loop has something else`);
                }
            }
        };
        for (let step = 0; step < 80; step++) {
            for (const [i, writer] of writers.entries()) {
                if (!chance(0.7)) continue;
                const token = `${i}${step}😀 `;
                texts[i] += token;
                void writer.write(token);
            }
            const client = clients[Math.floor(Math.random() * clients.length)]!;
            if (chance(0.1)) server.cut(client);
            if (chance(0.05)) server.offline(client);
            if (chance(0.1)) server.online(client);
            if (chance(0.05)) server.refuse('publish', chance(0.5) ? 'overloaded' : 'state_full', {times: 1 + Math.floor(Math.random() * 3)});
            if (chance(0.02)) server.restart();
            if (chance(0.1)) server.delay(Math.floor(Math.random() * 200), {jitterMs: 50});
            if (chance(0.1)) clients[4]!.channel(name).publish('other', step).catch(() => {});
            await server.advance(60);
            check();
        }
        for (const client of clients) server.online(client);
        for (const writer of writers) void writer.end();
        await server.advance(90_000);
        check();
        for (const replies of [...readers, reader(server)]) {
            await server.settled();
            await server.advance(1000);
            assert.deepEqual(writers.map(({id}) => [replies.get(id)?.text, replies.get(id)?.state]), texts.map((text) => [text, 'complete']), `seed ${seed}`);
        }
        for (const [i, text] of texts.entries()) for (const of of loops) assert.deepEqual([of[i]!.got.join(''), await outcomeOf(of[i]!.end)], [text, 'end'], `seed ${seed}`);
        server.close();
    }
});

test('a snapshot in mid-word: late ones, and those who were away for long, have the same text', async () => {
    const server = await stateServer(8_000);
    const {client, errors} = clientOf(server);
    const {client: away} = clientOf(server);
    const [stays, comesBack] = [reader(server), readerOn(away)];
    const loop = loopOver(comesBack);
    const reply = writerOn(client);
    await server.settled();
    let text = '';
    for (let n = 0; n < 400; n++) {
        text += `${n},`;
        void reply.write(`${n},`);
        if (n === 100) server.offline(away);
        await server.advance(50);
    }
    assert.ok(pieces(server, 'stream.state').length > 0, 'no snapshot was asked for');
    const late = reader(server);
    server.online(away);
    await server.advance(30_000);
    void reply.write('end');
    await server.advance(100);
    for (const replies of [stays, late, comesBack]) assert.equal(replies.get('r')!.text, `${text}end`);
    assert.deepEqual([loop.got.join(''), errors], [`${text}end`, []]);
});

test('pieces that overtake others wait for them, also in a snapshot; those that come twice count once', async () => {
    const server = await stateServer();
    const replies = reader(server);
    const piece = (n: number, text: string, more = {}) => server.publish(name, 'stream', {id: 'r', n, text, ...more});
    piece(0, 'a', {begin: {writer: 'w', leaseMs: 30_000}});
    piece(5, 'fgh', {end: 'complete'});
    piece(3, 'de');
    await server.settled();
    assert.deepEqual(shown(replies), ['r a writing']);
    assert.equal(await (replies as StreamReader & {offer(): Promise<boolean>}).offer(), true);
    const late = reader(server);
    await server.settled();
    piece(0, 'ab');
    piece(0, 'abc');
    await server.settled();
    assert.deepEqual([shown(replies), shown(late)], [['r abcdefgh complete'], ['r abcdefgh complete']]);
});

test('a writer that is alone makes room by itself when the state is full', async () => {
    const server = await stateServer(8_000);
    const {client, errors} = clientOf(server);
    const reply = writerOn(client);
    let text = '';
    for (let n = 0; n < 400; n++) {
        text += `${n},`;
        void reply.write(`${n},`);
        await server.advance(50);
    }
    void reply.end();
    await server.advance(5000);
    const late = reader(server);
    await server.settled();
    assert.deepEqual([late.get('r')!.text, late.get('r')!.state], [text, 'complete']);
    assert.ok(errors.length > 0 && errors.every((code) => code === 'state_full'), errors.join());
    assert.equal(server.channel(name).subscribers, 1);
});

test('what the server refuses for now is repeated, without a gap and nothing twice', async () => {
    const server = await stateServer();
    const {client, errors} = clientOf(server);
    const replies = reader(server);
    server.refuse('publish', 'storage_full', {times: 1});
    const reply = writerOn(client);
    void reply.write('one ');
    await server.advance(2000);
    assert.deepEqual(shown(replies), ['r one  writing']);
    server.delay(100);
    server.refuse('publish', 'state_full', {times: 1});
    for (const word of ['two ', 'three ', 'four ', 'five ']) {
        void reply.write(word);
        await server.advance(40);
    }
    server.refuse('publish', 'overloaded', {times: 2});
    const ended = reply.end();
    await server.advance(10_000);
    assert.equal(await outcomeOf(ended), undefined);
    assert.deepEqual(shown(replies), ['r one two three four five  complete']);
    assert.ok(errors.length >= 2 && errors.every((code) => /storage_full|state_full|overloaded/.test(code)), errors.join());
});

test('what the server refuses for good ends the writer, and stops the model', async () => {
    const server = await stateServer();
    const {client, errors} = clientOf(server);
    const reply = writerOn(client);
    await server.settled();
    server.refuse('publish', 'forbidden', {times: 1});
    const written = [reply.write('a'), reply.write('b')];
    await server.advance(100);
    assert.deepEqual([await outcomeOf(written[0]!), reply.stopped.aborted, reply.stopped.reason.code], [undefined, true, 'forbidden']);
    assert.equal(await outcomeOf(reply.write('c')), 'forbidden');
    const ended = reply.end();
    await server.settled();
    assert.deepEqual([await outcomeOf(ended), errors], ['forbidden', []]);
});

test('any reader stops it, also where writer and reader were away', async () => {
    const server = await stateServer();
    const {client} = clientOf(server);
    const [first, second] = [reader(server), reader(server)];
    const reply = writerOn(client);
    void reply.write('I was about to say');
    await server.advance(100);
    server.offline(client);
    await server.advance(1000);
    const loop = loopOver(second);
    const asked = first.stop('r');
    await server.advance(100);
    assert.deepEqual([await outcomeOf(asked), second.get('r')!.stopping, reply.stopped.aborted], [undefined, true, false]);
    // So many that the history does not have the request any more.
    for (let n = 0; n < 20; n++) server.publish(name, 'other', n);
    server.online(client);
    await server.advance(30_000);
    assert.equal(reply.stopped.aborted, true);
    void reply.end();
    await server.settled();
    assert.deepEqual([shown(first), await outcomeOf(loop.end), loop.got], [['r I was about to say cancelled'], 'end', ['I was about to say']]);
});

test('failures are told with their reasons', async () => {
    const server = await stateServer();
    const {client} = clientOf(server);
    const replies = reader(server);
    const loop = loopOver(replies);
    const reply = writerOn(client);
    void reply.write('Once upon');
    void reply.fail(new Error('the model is tired'));
    await server.settled();
    const other = writerOn(client, {id: 'other'});
    void other.cancel();
    void other.fail('too late');
    await server.settled();
    assert.deepEqual(shown(replies), ['r Once upon failed', 'other  cancelled']);
    assert.deepEqual([replies.get('r')!.reason, await outcomeOf(loop.end), loop.got], ['the model is tired', 'rejected', ['Once upon']]);
    await assert.rejects(loop.end, /the model is tired/);
});

test('a writer that is silent lives, for as long as it gives signs of life', async () => {
    const server = await stateServer();
    const {client} = clientOf(server);
    const replies = reader(server);
    let told = 0;
    const reply = writerOn(client);
    await server.advance(100);
    replies.subscribe(() => told++);
    for (let n = 0; n < 20; n++) {
        await server.advance(10_000);
        assert.deepEqual(shown(replies), ['r  writing']);
    }
    assert.equal(told, 0);
    assert.ok(pieces(server).length >= 20);
    void reply.write('At last');
    void reply.end();
    await server.settled();
    assert.deepEqual(shown(replies), ['r At last complete']);
});

test('a writer that has died is told by its lease, to those who come late as well', async () => {
    const server = await stateServer();
    const {client} = clientOf(server);
    const early = reader(server);
    const loop = loopOver(early);
    const reply = writerOn(client);
    void reply.write('and then');
    await server.advance(1000);
    client.close();
    await server.advance(25_000);
    assert.deepEqual(shown(early), ['r and then writing']);
    const late = reader(server);
    await server.advance(6_000);
    assert.deepEqual([shown(early), await outcomeOf(loop.end)], [['r and then failed'], 'disconnected']);
    await server.advance(25_000);
    assert.deepEqual([shown(late), late.get('r')!.reason], [['r and then failed'], undefined]);
});

test('a reader that was away itself takes no writer for dead', async () => {
    const server = await stateServer();
    const {client} = clientOf(server);
    const {client: away} = clientOf(server);
    const replies = readerOn(away);
    const states = new Set<string>();
    replies.subscribe(() => states.add(replies.get('r')!.state));
    const reply = writerOn(client);
    await server.settled();
    server.offline(away);
    await server.advance(120_000);
    server.online(away);
    await server.advance(60_000);
    // A connection that is dead without saying so.
    server.delay(40_000, {client: away});
    await server.advance(60_000);
    server.delay(0);
    await server.advance(60_000);
    assert.deepEqual([...states], ['writing']);
    void reply.end();
    await server.settled();
    assert.deepEqual(shown(replies), ['r  complete']);
});

test('a writer that comes back after its lease goes on where it was', async () => {
    const server = await stateServer();
    const {client} = clientOf(server);
    const replies = reader(server);
    const reply = writerOn(client);
    void reply.write('to be ');
    await server.advance(100);
    server.offline(client);
    await server.advance(60_000);
    assert.deepEqual(shown(replies), ['r to be  failed']);
    void reply.write('continued');
    server.online(client);
    await server.advance(30_000);
    assert.deepEqual(shown(replies), ['r to be continued writing']);
    void reply.end();
    await server.settled();
    assert.deepEqual(shown(replies), ['r to be continued complete']);
});

test('with presence a writer that is gone is told within seconds', async () => {
    const server = await stateServer(1_000_000, {namespaces: {board: {state_bytes_max: 1_000_000, presence: true}}});
    const [{client}, {client: living}] = [clientOf(server), clientOf(server)];
    const replies = reader(server, {presence: true});
    void writerOn(client, {presence: true}).write('short');
    const other = writerOn(living, {id: 'lives', presence: true});
    await server.advance(100);
    const late = reader(server, {presence: true});
    await server.advance(20_000);
    assert.deepEqual(shown(replies), ['r short writing', 'lives  writing']);
    client.close();
    server.cut(living);
    await server.advance(8_000);
    assert.deepEqual([shown(replies), shown(late)], [['r short failed', 'lives  writing'], ['r short failed', 'lives  writing']]);
    const later = reader(server, {presence: true});
    await server.advance(8_000);
    assert.deepEqual(shown(later), ['r short failed', 'lives  writing']);
    void other.end();
    await server.settled();
});

test('the replies that have ended are bounded, and so is the snapshot', async () => {
    const server = await stateServer(6_000);
    const {client, errors} = clientOf(server);
    const replies = reader(server, {keep: 3});
    const open = writerOn(client, {id: 'open'});
    for (let n = 0; n < 60; n++) {
        const reply = writerOn(client, {id: `r${n}`});
        void reply.write(`text of ${n} ${'.'.repeat(50)}`);
        void reply.end();
        await server.advance(100);
    }
    assert.deepEqual([replies.getSnapshot().map(({id}) => id), errors], [['open', 'r57', 'r58', 'r59'], []]);
    const late = reader(server, {keep: 3});
    await server.settled();
    assert.deepEqual(shown(late), shown(replies));
    void open.end();
    await server.settled();
    assert.deepEqual(late.getSnapshot().map(({id}) => id), ['r57', 'r58', 'r59']);
    const loop = loopOver(late, 'r57');
    await server.settled();
    assert.equal(await outcomeOf(loop.end), 'end');
});

test('a reply that is not kept any more ends its loop with an error; so do a signal and close()', async () => {
    const server = await stateServer();
    const {client} = clientOf(server);
    const {client: away} = clientOf(server);
    const replies = readerOn(away);
    const loop = loopOver(replies);
    const controller = new AbortController();
    const aborted = loopOver(replies, 'never', {signal: controller.signal});
    const closed = loopOver(replies, 'never');
    void writerOn(client).write('begun');
    await server.advance(100);
    controller.abort();
    server.restart({keepLog: false});
    client.close();
    await server.advance(5000);
    assert.deepEqual([loop.got, await outcomeOf(loop.end), await outcomeOf(aborted.end)], [['begun'], 'not_found', 'aborted']);
    replies.close();
    replies.close();
    assert.equal(await outcomeOf(closed.end), 'closed');
    assert.equal(await outcomeOf(loopOver(replies).end), 'closed');
    assert.throws(() => replies.read('not an id'), {code: 'invalid_argument'});
});

test('a list for components is the same until something changes; a reply that has not changed as well', async () => {
    const server = await stateServer();
    const {client} = clientOf(server);
    const replies = readerOn(client);
    assert.equal(readerOn(client), replies);
    const [a, b] = [writerOn(client, {id: 'a'}), writerOn(client, {id: 'b'})];
    await server.settled();
    const before = replies.getSnapshot();
    let told = 0;
    const remove = replies.subscribe(() => told++);
    server.publish(name, 'other', 1);
    await server.settled();
    assert.deepEqual([replies.getSnapshot() === before, told], [true, 0]);
    void a.write('x');
    await server.advance(100);
    const after = replies.getSnapshot();
    assert.deepEqual([after === before, after[0] === before[0], after[1] === before[1], told], [false, false, true, 1]);
    remove();
    void b.end();
    void a.end();
    await server.settled();
    assert.equal(told, 1);
    replies.close();
    assert.notEqual(readerOn(client), replies);
});

test('nobody writes in the reply of another user, and what is no piece harms nobody', async () => {
    const server = await stateServer(1_000_000, {tokens: true, namespaces: {board: {
        state_bytes_max: 1_000_000, allow: {users: ['subscribe', 'history', 'publish', 'snapshot']},
    }}});
    const [{client: ada, errors}, {client: bob}] = ['ada', 'bob'].map((user) => clientOf(server, {token: server.token({user})})) as [ReturnType<typeof clientOf>, ReturnType<typeof clientOf>];
    const replies = readerOn(ada);
    const reply = writerOn(ada);
    void reply.write('mine');
    await server.advance(100);
    const channel = bob.channel(name);
    const junk = [
        {id: 'r', n: 4, text: ' and his'}, {id: 'r', n: 4, end: 'failed'}, {id: 'r', n: 0, begin: {writer: 'bob', leaseMs: 1}}, null, 7, 'text', [], {id: 3, n: 0},
        {id: 'x', n: 0, begin: {}}, {id: 'x', n: 0, begin: {writer: 'x', leaseMs: -1}}, {id: 'y', n: 1, begin: {writer: 'y', leaseMs: 1}}, {id: 'z', n: 0, text: 'no beginning'},
    ];
    for (const payload of junk) void channel.publish('stream', payload);
    for (const payload of [null, 4, {id: {}}]) void channel.publish('stream.stop', payload);
    await server.settled();
    assert.deepEqual([shown(replies), replies.get('r')!.user, reply.stopped.aborted, errors], [['r mine writing'], 'ada', false, []]);
    void reply.end();
    await server.settled();
});

test('arguments that cannot work are refused', async () => {
    const server = await stateServer();
    const {client} = clientOf(server);
    const channel = client.channel(name);
    for (const options of [{id: ''}, {id: 'a b'}, {leaseMs: 0}, {leaseMs: '1'}, {presence: {}}, {lease: 1}]) assert.throws(() => stream(channel, options as never), {code: 'invalid_argument'});
    for (const options of [{keep: 0}, {presence: 'yes'}]) assert.throws(() => streams(channel, options as never), {code: 'invalid_argument'});
    assert.throws(() => stream(channel, {type: 'no type'}), {code: 'invalid_type'});
    assert.throws(() => streams(channel, {type: 'no type'}), {code: 'invalid_type'});
    const reply = stream(channel);
    assert.match(reply.id, /^\w{12}$/);
    assert.equal(await outcomeOf(Promise.race([reply.write(1 as never)])), 'invalid_argument');
    const elsewhere = streams(client.channel('chat:1'));
    await server.settled();
    assert.equal(await outcomeOf(elsewhere.ready), 'forbidden');
    assert.equal(await outcomeOf(loopOver(elsewhere).end), 'forbidden');
});
