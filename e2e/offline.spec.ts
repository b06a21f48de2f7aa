// Messages that are written offline wait in view, and are sent once, in order, when the network is back (docs/protocol.md 9.2).

import {test, expect} from './support/test.ts';
import {history} from './support/http.ts';
import {chatTexts, openChat, say, status, waitingNotes, waitingTexts} from './support/pages.ts';

for (const transport of ['websocket', 'sse'] as const) {
    test(`five messages written offline, over ${transport}`, async ({server, network, visit}) => {
        const ada = await visit(`${network.origin}/chat/?name=Ada&transport=${transport}`, {network: 'faulty'});
        const bob = await visit(`${server.origin}/chat/?name=Bob`);
        await openChat(ada, transport);
        await openChat(bob);
        await say(ada, 'online');
        await expect(chatTexts(bob)).toHaveText(['online']);

        network.cut();
        await expect(status(ada)).toHaveAttribute('data-state', 'waiting');
        const written = ['one', 'two', 'three', 'four', 'five'];
        for (const text of written) await say(ada, text);
        await expect(waitingTexts(ada)).toHaveText(written);
        await expect(waitingNotes(ada)).toHaveText(Array(5).fill('Waiting for the connection'));
        await say(bob, 'Ada?');
        await expect(chatTexts(bob)).toHaveText(['online', 'Ada?']);

        network.heal();
        await openChat(ada, transport);
        await expect(waitingTexts(ada)).toHaveCount(0);
        for (const page of [ada, bob]) await expect(chatTexts(page)).toHaveText(['online', 'Ada?', ...written]);
        await say(ada, 'six');
        await expect(chatTexts(bob)).toHaveText(['online', 'Ada?', ...written, 'six']);
        expect((await history(server.origin, 'chat:lobby')).messages).toHaveLength(8);
    });
}

test('a message waits for its own room while another room is open', async ({server, network, visit}) => {
    const ada = await visit(`${network.origin}/chat/?name=Ada`, {network: 'faulty'});
    await openChat(ada);
    network.cut();
    await expect(status(ada)).toHaveAttribute('data-state', 'waiting');
    await say(ada, 'for the lobby');
    await ada.getByRole('button', {name: 'engineering'}).click();
    await say(ada, 'for the engineers');
    await expect(waitingTexts(ada).filter({visible: true})).toHaveText(['for the engineers']);
    network.heal();
    await openChat(ada);
    await expect(chatTexts(ada)).toHaveText(['for the engineers']);
    await ada.getByRole('button', {name: 'lobby'}).click();
    await expect(chatTexts(ada)).toHaveText(['for the lobby']);
    await expect(waitingTexts(ada)).toHaveCount(0);
    for (const [room, text] of [['lobby', 'for the lobby'], ['engineering', 'for the engineers']]) {
        expect((await history(server.origin, `chat:${room}`)).messages.map(({payload}) => payload)).toEqual([{user: 'Ada', text, author: expect.any(String)}]);
    }
});
