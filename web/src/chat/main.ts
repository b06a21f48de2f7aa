// A chat room is a channel. The SDK keeps the connection, the history, who is here, and, beyond a reload of the page, what
// could not be sent yet; what it looks like is in view.ts.

import {connect, type Channel, type UnsentMessage} from 'pulsewire';
import {browserStorage} from 'pulsewire/storage';
import type {ChatMessage, Messages} from '../messages.ts';
import {BreakIt} from '../shared/break_it.ts';
import {BreakableNetwork} from '../shared/breakable_network.ts';
import {serverUrl, transportParam} from '../shared/page.ts';
import {showStatus} from '../shared/status.ts';
import {authorId} from './names.ts';
import {ChatView} from './view.ts';

const typingHintEveryMs = 2000;

const network = new BreakableNetwork();
const breakIt = new BreakIt(network);
const client = connect(serverUrl(), {
    transport: transportParam(), storage: browserStorage({name: 'pulsewire-chat'}), ...network.options,
});
const author = authorId();
const view = new ChatView(author);
let room: Channel<Messages>;

showStatus(client);
breakIt.follow(client);
client.on('state', (state) => view.showOnline(state.name === 'open'));
client.on('waiting', () => view.showLost());
client.on('restored', showRestored);
client.on('storage', () => view.showNotKept());

function enter(name: string): void {
    room?.unsubscribe();
    room = client.channel<Messages>(`chat:${name}`, {latest: 100, presence: {name: view.userName}});
    view.enter(name);

    room.on('chat.message', (chat, message) => view.add(chat, message.offset, message.time));
    room.on('chat.typing', ({user}) => view.showTyping(user));
    breakIt.followChannel(room);
    room.watch('subscribed', () => view.showJoined());
    room.watch('presence', ({members}) => view.showMembers(members, client.session));
    room.watch('gap', ({reason}) => view.showGap(reason));
    room.watch('refused', (error) => view.showRefused(error));
}

function send(text: string): void {
    const chat = {user: view.userName, text, author};
    const waiting = view.addWaiting(chat, view.roomName, Date.now());
    const published = room.publish('chat.message', chat);
    breakIt.followOwn(published);
    published.then((position) => waiting.sent(position?.offset), waiting.failed);
}

// Written before a reload, or in a tab that is gone: this page sends it now.
function showRestored({channel, type, payload, at, acknowledged}: UnsentMessage): void {
    if (type !== 'chat.message') return;
    const waiting = view.addWaiting(payload as ChatMessage, channel.replace('chat:', ''), at);
    breakIt.followOwn(acknowledged);
    acknowledged.then((position) => waiting.sent(position?.offset), waiting.failed);
}

let hintedAt = 0;

function hintTyping(): void {
    if (client.state.name !== 'open' || Date.now() - hintedAt < typingHintEveryMs) return;
    hintedAt = Date.now();
    room.publish('chat.typing', {user: view.userName}, {transient: true, echo: false}).catch(() => {});  // only a hint
}

view.onRoom(enter);
view.onRename(() => enter(view.roomName));
view.onSend((text) => {
    hintedAt = 0;
    send(text);
});
view.onTyping(hintTyping);
enter(view.roomName);
