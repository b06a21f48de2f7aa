// A server, two clients and the network between them, in one page. `pulsewire/test` is made for tests of applications; its
// hub is the real server's, so what happens to Ada and Bob here would happen to them out there.

import {testServer} from 'pulsewire/test';
import {byId} from '../shared/dom.ts';
import {ClientView} from './client_view.ts';
import {ServerView} from './server_view.ts';

interface Notes {note: {from: string; text: string}}

const room = 'playground:room';
const handOverMs = 500;

function showState(state: 'open' | 'closed', text: string): void {
    byId('status').dataset.state = state;
    byId('status').querySelector('.status__text')!.textContent = text;
}

// Heartbeats that one can wait for: a stalled connection is found out after eight seconds.
const server = await testServer({limits: {ping_ms: 5_000, pong_ms: 3_000}}).catch((error: Error) => {
    showState('closed', 'Needs WebAssembly');
    throw error;
});
showState('open', 'Runs in this page');

const clients = ['Ada', 'Bob'].map((name) => {
    const view = new ClientView(name);
    const client = server.connect({backoffMaxMs: 3_000});
    const channel = client.channel<Notes>(room, {latest: 50, presence: {name}});
    channel.on('note', ({from, text}, {offset}) => view.heard(from, text, offset));
    channel.watch('gap', ({reason}) => view.missed(reason));
    view.follow(client);
    view.onPublish((text) => channel.publish('note', {from: name, text}));

    let flows: (() => void)[] = [];
    view.onFault({
        cut: () => server.cut(client),
        stall(stalled) {
            for (const flow of flows.splice(0)) flow();
            if (stalled) flows = [server.stall('up', client), server.stall('down', client)];
        },
        offline: (away) => (away ? server.offline(client) : server.online(client)),
    });
    return {name, channel};
});

const view = new ServerView({
    publish: (number) => void server.publish(room, 'note', {from: 'Backend', text: `Message ${number} of the backend`}),
    handOver: () => server.drain({spreadMs: handOverMs, handOver: true}),
    restart: (keepLog) => server.restart({keepLog}),
    delay: (ms) => server.delay(ms),
});

setInterval(() => {
    const {head, epoch, members} = server.channel(room);
    const lacking = clients.map(({name, channel: {position}}) => ({name, count: position?.epoch === epoch ? head - position.offset : head}));
    view.show({head, epoch, here: members.length, lacking});
    view.showTrace(server.trace());
}, 150);
