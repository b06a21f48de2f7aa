// A chat room is a channel. The SDK keeps the connection, the history, who is here, and, beyond a reload of the page, what
// could not be sent yet; what it looks like is in view.ts.

import {connect, type Channel, type Client, type UnsentMessage} from 'pulsewire';
import {browserStorage} from 'pulsewire/storage';
import type {ChatMessage, Messages} from '../messages.ts';
import {BreakIt} from '../shared/break_it.ts';
import {BreakableNetwork} from '../shared/breakable_network.ts';
import {serverUrl, transportParam} from '../shared/page.ts';
import {showStatus} from '../shared/status.ts';
import {Account} from './account.ts';
import {authorId} from './names.ts';
import {channelOf, roomOf} from './rooms.ts';
import {ChatView} from './view.ts';

const typingHintEveryMs = 2000;

const network = new BreakableNetwork();
const breakIt = new BreakIt(network);
const options = {transport: transportParam(), ...network.options};
const account = new Account(serverUrl(), options, (refusal) => view.showAccount(account.name, refusal));
const author = authorId();
const view = new ChatView(author, account.name);
let room: Channel<Messages>;
let client = open();

// With a token where somebody is signed in. A client that may have one goes to no other host (docs/sdk.md), so visitors without an
// account have one of another kind, which follows a server that hands over.
function open(): Client {
    const opened = connect(serverUrl(), {...options, ...account.options, storage: browserStorage({name: 'pulsewire-chat'})});
    const whileShown = <A>(act: (told: A) => void) => (told: A): void => { if (opened === client) act(told); };
    showStatus(opened);
    breakIt.follow(opened);
    opened.on('state', whileShown(({name}) => view.showOnline(name === 'open')));
    let user: string | undefined;
    opened.on('open', whileShown(() => {
        if (user && !opened.user) enter(view.roomName);  // the server signed somebody out
        user = opened.user;
    }));
    opened.on('waiting', whileShown(() => view.showLost()));
    opened.on('restored', showRestored);
    opened.on('storage', whileShown(() => view.showNotKept()));
    return opened;
}

function enter(name: string): void {
    room?.unsubscribe();
    room = client.channel<Messages>(channelOf(name), {latest: 100, presence: {name: view.userName}});
    view.enter(name);

    room.on('chat.message', (chat, message) => view.add(chat, message));
    room.on('chat.typing', ({user}) => view.showTyping(user));
    breakIt.followChannel(room);
    room.watch('subscribed', () => view.showJoined());
    room.watch('presence', ({members}) => view.showMembers(members, client.session));
    room.watch('gap', ({reason}) => view.showGap(reason));
    room.watch('refused', (error) => view.showRefused(error));
}

// Another user is another client: nothing of one is left to the other.
function changeUser(): void {
    room.unsubscribe();
    client.close();
    client = open();
    enter(view.roomName);
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
    const waiting = view.addWaiting(payload as ChatMessage, roomOf(channel), at);
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
view.onSignIn(async (name) => {
    await account.signIn(name);
    changeUser();
});
view.onSignOut(() => {
    account.signOut();
    client.signOut();  // what this user leaves unsent is nobody else's
    changeUser();
});
view.onSend((text) => {
    hintedAt = 0;
    send(text);
});
view.onTyping(hintTyping);
enter(view.roomName);
