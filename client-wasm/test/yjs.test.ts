// The entry pulsewire/yjs, with the real yjs on a real hub.

import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Awareness} from 'y-protocols/awareness';
import * as Y from 'yjs';
import type {TestServer} from '../src/test.js';
import {yjs, type YjsOptions, type YjsProvider} from '../src/yjs.js';
import {partsOf} from '../src/yjs/parts.js';
import {clientOf, outcomeOf, stateServer} from './state_server.js';

function editor(server: TestServer, options: YjsOptions = {awareness: false}, doc = new Y.Doc()) {
    const {client, errors} = clientOf(server);
    const provider = yjs(client.channel('board:1'), doc, options);
    return {client, errors, doc, provider, text: doc.getText('text')};
}

const textOf = ({text}: {text: Y.Text}) => text.toString();
const published = (server: TestServer) => server.channel('board:1').history;

test('two documents become the same, and edits within a moment leave as one message', async () => {
    const server = await stateServer();
    const [ada, bob] = [editor(server), editor(server)];
    await server.settled();
    await ada.provider.synced;
    for (const letter of 'hello') ada.text.insert(ada.text.length, letter);
    await server.advance(40);
    assert.deepEqual([server.channel('board:1').head, ada.provider.unsent], [0, true]);
    await server.advance(20);
    assert.deepEqual([textOf(bob), server.channel('board:1').head, ada.provider.unsent], ['hello', 1, false]);
    bob.text.insert(5, ' there');
    ada.text.delete(0, 1);
    await server.advance(100);
    assert.deepEqual([textOf(ada), textOf(bob)], ['ello there', 'ello there']);
    assert.deepEqual([...ada.errors, ...bob.errors], []);
});

test('cuts and offline edits: both come to the same', async () => {
    const server = await stateServer();
    const [ada, bob] = [editor(server), editor(server)];
    await server.settled();
    ada.text.insert(0, 'one two three');
    await server.advance(100);
    server.offline(ada.client);
    await server.advance(1000);
    ada.text.insert(0, 'zero ');
    bob.text.delete(4, 4);
    await server.advance(20_000);
    ada.text.insert(ada.text.length, ' four');
    await server.advance(20_000);
    server.online(ada.client);
    await server.advance(30_000);
    assert.deepEqual([textOf(ada), textOf(bob)], ['zero one three four', 'zero one three four']);
    for (let n = 0; n < 50; n++) {
        ada.text.insert(n % (ada.text.length + 1), 'a');
        bob.text.insert((n * 7) % (bob.text.length + 1), 'b');
        if (n % 5 === 0) bob.text.delete(0, 1);
        if (n % 3 === 0) server.cut(n % 2 ? ada.client : bob.client);
        await server.advance(300);
    }
    await server.advance(30_000);
    assert.equal(textOf(ada), textOf(bob));
    assert.deepEqual([ada.provider.unsent, bob.provider.unsent], [false, false]);
    const late = editor(server);
    await server.settled();
    assert.equal(textOf(late), textOf(ada));
});

test('twenty editors at random, with cuts, outages, restarts and snapshots, come to the same', async () => {
    const server = await stateServer(60_000, {seed: 18});
    const editors = Array.from({length: 20}, () => editor(server));
    await server.settled();
    for (let step = 0; step < 80; step++) {
        for (const {client, text} of editors) {
            const chance = Math.random();
            if (chance < 0.5) text.insert(Math.floor(Math.random() * (text.length + 1)), String(step));
            else if (chance < 0.7 && text.length) text.delete(Math.floor(Math.random() * text.length), 1);
            else if (chance < 0.72) server.cut(client);
            else if (chance < 0.73) server.offline(client);
            else if (chance < 0.8) server.online(client);
        }
        if (step % 40 === 39) server.restart();
        await server.advance(Math.random() * 400);
    }
    server.online();
    for (const {client} of editors) server.online(client);
    await server.advance(60_000);
    const [first, ...others] = editors.map(textOf);
    for (const other of others) assert.equal(other, first);
    assert.ok(server.channel('board:1').history.some(({type}) => type === 'yjs.state'));
    assert.ok(editors.every(({provider}) => !provider.unsent));
    const late = editor(server);
    await server.settled();
    assert.equal(textOf(late), first);
});

test('who comes late sees all of four hundred edits, with and without a snapshot', async () => {
    const server = await stateServer(30_000);
    const ada = editor(server);
    await server.settled();
    for (let n = 0; n < 400; n++) {
        ada.text.insert(ada.text.length, `${n} `);
        await server.advance(60);
    }
    const early = editor(server);
    await server.settled();
    assert.equal(textOf(early).split(' ').length, 401);
    assert.equal(await ada.provider.flush(), undefined);
    for (let n = 400; n < 800; n++) {
        ada.text.insert(ada.text.length, `${n} `);
        await server.advance(60);
    }
    assert.ok(published(server).some(({type}) => type === 'yjs.state'), 'the server has asked for no snapshot');
    const late = editor(server);
    await server.settled();
    await late.provider.synced;
    assert.equal(textOf(late), Array.from({length: 800}, (_, n) => `${n} `).join(''));
    assert.deepEqual(ada.errors, []);
});

test('a large document: pasted in parts, and as a snapshot in parts', async () => {
    const server = await stateServer();
    const [ada, bob] = [editor(server), editor(server)];
    await server.settled();
    const pasted = Array.from({length: 20_000}, (_, n) => `line ${n}\n`).join('');
    ada.text.insert(0, pasted);
    await server.advance(1000);
    assert.equal(textOf(bob), pasted);
    bob.text.insert(0, 'title\n');
    await server.advance(100);
    server.publish('board:1', 'other', 1);
    await server.settled();
    const late = editor(server);
    await server.settled();
    assert.equal(textOf(late), `title\n${pasted}`);
    const small = await stateServer(400_000);
    const first = editor(small);
    await small.settled();
    first.text.insert(0, pasted);
    await small.advance(1000);
    assert.ok(published(small).filter(({type}) => type === 'yjs.state').length > 1, 'no snapshot in parts');
    const second = editor(small);
    await small.settled();
    assert.equal(textOf(second), pasted);
});

test('a snapshot between the parts of a change covers none of them', async () => {
    const server = await stateServer();
    const [ada, bob] = [editor(server), editor(server)];
    await server.settled();
    bob.text.insert(0, 'short');
    await server.advance(100);
    const doc = new Y.Doc();
    const long = 'long '.repeat(20_000);
    doc.getText('text').insert(0, long);
    const parts = partsOf(Y.encodeStateAsUpdate(doc), Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    assert.equal(parts.length, 4);
    for (const part of parts.slice(0, 2)) server.publish('board:1', 'yjs.part', part);
    for (let n = 0; n < 20; n++) server.publish('board:1', 'other', n);
    await server.settled();
    const offered = ada.provider.offer();
    for (let n = 0; n < 20; n++) server.publish('board:1', 'other', n);
    await server.settled();
    await offered;
    for (const part of parts.slice(2)) server.publish('board:1', 'yjs.part', part);
    const late = editor(server);
    await server.settled();
    assert.equal(textOf(late).length, long.length + 'short'.length);
    assert.equal(textOf(late), textOf(ada));
});

test('a document that has something already brings it along, deletions as well', async () => {
    const server = await stateServer();
    const ada = editor(server);
    await server.settled();
    ada.text.insert(0, 'shared text');
    await server.advance(100);
    const kept = Y.encodeStateAsUpdate(ada.doc);
    ada.provider.destroy();
    // Edited where there was no server, and opened again from what the application kept.
    const doc = new Y.Doc();
    Y.applyUpdate(doc, kept);
    doc.getText('text').delete(0, 7);
    const bob = editor(server, {awareness: false}, doc);
    const carl = editor(server);
    await server.advance(100);
    assert.deepEqual([textOf(bob), textOf(carl), bob.provider.unsent], ['text', 'text', false]);
    const {head} = server.channel('board:1');
    // What both have is not sent again.
    const dora = editor(server, {awareness: false}, structuredCloneOf(bob.doc));
    await server.advance(1000);
    assert.deepEqual([textOf(dora), server.channel('board:1').head], ['text', head]);
});

function structuredCloneOf(doc: Y.Doc): Y.Doc {
    const copy = new Y.Doc();
    Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc));
    return copy;
}

test('a server that has lost its log gets the document back', async () => {
    const server = await stateServer();
    const [ada, bob] = [editor(server), editor(server)];
    await server.settled();
    ada.text.insert(0, 'not lost');
    await server.advance(100);
    server.restart({keepLog: false});
    await server.advance(5000);
    const late = editor(server);
    await server.advance(100);
    assert.deepEqual([textOf(ada), textOf(bob), textOf(late)], ['not lost', 'not lost', 'not lost']);
});

test('changes that the server refuses are kept, and sent when there is room', async () => {
    const server = await stateServer();
    const ada = editor(server);
    await server.settled();
    server.refuse('publish', 'state_full', {times: 2});
    ada.text.insert(0, 'kept');
    await server.advance(100);
    assert.deepEqual([ada.provider.unsent, ada.errors], [true, ['state_full']]);
    const bob = editor(server);
    await server.advance(12_000);
    assert.deepEqual([textOf(bob), ada.provider.unsent], ['kept', false]);
    server.refuse('publish', 'forbidden', {times: 1});
    ada.text.insert(0, 'all ');
    await server.settled();
    await assert.rejects(ada.provider.flush(), {code: 'forbidden'});
    await Promise.all([ada.provider.flush(), server.settled()]);
    assert.equal(textOf(bob), 'all kept');
});

test('what is no update is told, and harms nobody', async () => {
    const server = await stateServer();
    const ada = editor(server);
    server.publish('board:1', 'yjs', Uint8Array.of(1, 2, 3));
    server.publish('board:1', 'yjs', {no: 'bytes'});
    server.publish('board:1', 'yjs.part', Uint8Array.of(1));
    await server.settled();
    ada.text.insert(0, 'fine');
    server.publish('board:1', 'yjs', Uint8Array.of(9, 9));
    await server.advance(100);
    const bob = editor(server);
    await server.settled();
    assert.deepEqual([textOf(bob), ada.provider.unsent, await outcomeOf(ada.provider.synced)], ['fine', false, undefined]);
    assert.equal(ada.errors.length, 4);
});

test('destroy() sends what is there and ends it; the document stays', async () => {
    const server = await stateServer();
    const [ada, bob] = [editor(server), editor(server)];
    await server.settled();
    ada.text.insert(0, 'last words');
    ada.provider.destroy();
    ada.provider.destroy();
    ada.text.insert(0, 'not sent: ');
    await server.advance(1000);
    assert.deepEqual([textOf(bob), server.channel('board:1').subscribers], ['last words', 1]);
    bob.doc.destroy();
    await server.advance(1000);
    assert.equal(server.channel('board:1').subscribers, 0);
});

test('cursors are seen by all, by those who come later, and go with their owners', async () => {
    const server = await stateServer();
    const [ada, bob] = [editor(server, {}), editor(server, {})];
    const seenBy = ({provider}: {provider: YjsProvider}, doc: Y.Doc) => provider.awareness!.getStates().get(doc.clientID);
    await server.settled();
    ada.provider.awareness!.setLocalStateField('cursor', 3);
    await server.advance(100);
    assert.deepEqual(seenBy(bob, ada.doc), {cursor: 3});
    const carl = editor(server, {});
    carl.provider.awareness!.setLocalState({});
    await server.advance(200);
    assert.deepEqual([seenBy(carl, ada.doc), seenBy(ada, carl.doc)], [{cursor: 3}, {}]);
    // Many moves leave as one message.
    const heads: number[] = [];
    carl.client.channel('board:1').on('yjs.awareness', () => heads.push(1));
    for (let n = 0; n < 100; n++) ada.provider.awareness!.setLocalStateField('cursor', n);
    await server.advance(100);
    assert.deepEqual([seenBy(carl, ada.doc), heads.length], [{cursor: 99}, 1]);
    carl.provider.destroy();
    await server.advance(200);
    assert.equal(seenBy(ada, carl.doc), undefined);
    ada.client.close();
    await server.advance(10_000);
    assert.equal(seenBy(bob, ada.doc), undefined);
    for (const {provider} of [ada, bob, carl]) provider.destroy();
});

test('an awareness of the application itself stays its own', async () => {
    const server = await stateServer();
    const doc = new Y.Doc();
    const awareness = new Awareness(doc);
    const ada = editor(server, {awareness}, doc);
    assert.equal(ada.provider.awareness, awareness);
    ada.provider.destroy();
    assert.equal(awareness.getLocalState(), null);
    awareness.setLocalState({mine: true});
    assert.deepEqual(awareness.getLocalState(), {mine: true});
    awareness.destroy();
});
