// A chat room is a channel. The SDK keeps the connection, the history, who is here, and what could not be sent yet; what
// it looks like is in view.ts.

import {connect, type Channel} from 'pulsewire';
import type {Messages} from '../messages.ts';
import {serverUrl, transportParam} from '../shared/page.ts';
import {showStatus} from '../shared/status.ts';
import {ChatView} from './view.ts';

const typingHintEveryMs = 2000;

const client = connect(serverUrl(), {transport: transportParam()});
const view = new ChatView();
let room: Channel<Messages>;

showStatus(client);
client.on('state', (state) => view.showOnline(state.name === 'open'));

function enter(name: string): void {
    room?.unsubscribe();
    room = client.channel<Messages>(`chat:${name}`, {latest: 100, presence: {name: view.userName}});
    view.enter(name);

    room.on('chat.message', (chat, message) => view.add(chat, message.offset, message.time));
    room.on('chat.typing', ({user}) => view.showTyping(user));
    room.watch('subscribed', () => view.showJoined());
    room.watch('presence', ({members}) => view.showMembers(members, client.session));
    room.watch('gap', ({reason}) => view.showGap(reason));
    room.watch('refused', (error) => view.showRefused(error));
}

async function send(text: string): Promise<void> {
    const waiting = view.addWaiting(text);
    try {
        const position = await room.publish('chat.message', {user: view.userName, text});
        waiting.sent(position?.offset);
    } catch (error) {
        waiting.failed(error);
    }
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
    void send(text);
});
view.onTyping(hintTyping);
enter(view.roomName);
