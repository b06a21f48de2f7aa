// The look of the chat. It knows nothing of connections and channels; the names and texts of others are shown as text.

import type {Member, Message, PulsewireError} from 'pulsewire';
import type {ChatMessage} from '../messages.ts';
import {byId, make} from '../shared/dom.ts';
import {param} from '../shared/page.ts';
import {pulse} from '../shared/wire.ts';
import {Conversation, tick, type Waiting} from './conversation.ts';
import {initialOf, startingName, storeName, toneOf} from './names.ts';
import {nameOfUser, peopleOf, privateRoomOf, roomNameFrom, titleOf} from './rooms.ts';

const suggestedRooms = ['lobby', 'engineering', 'random'];
const textMax = 2000;  // the server's limit; shown, not enforced here: the server's answer is part of the demo
const countFrom = textMax - 200;
const typingShownMs = 3000;

export class ChatView {
    roomName = roomNameFrom(param('room') ?? '') || 'lobby';
    userName = startingName();
    readonly #conversation: Conversation;
    readonly #rooms = new Set([...suggestedRooms, this.roomName]);
    readonly #text = byId<HTMLTextAreaElement>('text');
    readonly #typing = new Map<string, ReturnType<typeof setTimeout>>();
    #enterRoom: (name: string) => void = () => {};
    #here = 0;
    #online = false;
    /** Who is signed in. */
    #account: string | undefined;

    /** `author` marks what was written here; `account` is who is signed in. */
    constructor(author: string, account: string | undefined) {
        this.#conversation = new Conversation(author, (text) => this.#edit(text));
        byId<HTMLInputElement>('name').value = this.userName;
        this.showAccount(account);
        byId('closed-room-sign-in').addEventListener('click', () => {
            this.#showSide(true);
            byId<HTMLInputElement>('name').select();
        });
        byId('closed-room-back').addEventListener('click', () => this.#enterRoom('lobby'));
        byId<HTMLFormElement>('join').addEventListener('submit', (event) => {
            event.preventDefault();
            const input = byId<HTMLInputElement>('join-room');
            const name = roomNameFrom(input.value);
            input.value = '';
            if (name) this.#enterRoom(name);
        });
        this.#text.addEventListener('input', () => this.#showCount());
        byId('more').addEventListener('click', () => this.#showSide(byId('side').dataset.open !== 'true'));
    }

    enter(name: string): void {
        if (name !== this.roomName) {
            const url = new URL(location.href);
            url.searchParams.set('room', name);
            history.replaceState(null, '', url);
        }
        this.roomName = name;
        this.#rooms.add(name);
        const title = byId('room-title');
        title.textContent = titleOf(name, this.#account);
        title.toggleAttribute('data-private', peopleOf(name) !== undefined);
        this.#showClosed(false);
        this.#conversation.enter(name);
        this.showMembers([], '');
        for (const user of [...this.#typing.keys()]) this.#stopTyping(user);
        byId('rooms').replaceChildren(...[...this.#rooms].map((room) => {
            const button = make('button', {
                class: 'room', type: 'button', 'aria-current': room === name && 'true', 'data-private': peopleOf(room) !== undefined,
                text: titleOf(room, this.#account),
            });
            button.addEventListener('click', () => this.#enterRoom(room));
            return make('li', {}, button);
        }));
        // On a narrow page the rooms are a row that scrolls.
        const rooms = byId('rooms');
        rooms.scrollLeft = rooms.scrollWidth;
        const current = rooms.querySelector<HTMLElement>('[aria-current]')!;
        rooms.scrollLeft = Math.min(rooms.scrollLeft, current.offsetLeft - rooms.offsetLeft);
    }

    showJoined(): void {
        this.#conversation.joined();
    }

    add(chat: ChatMessage, {offset, time, user}: Pick<Message, 'offset' | 'time' | 'user'>): void {
        const signed = user !== undefined;
        this.#conversation.add({...chat, user: signed ? nameOfUser(user) : chat.user, signed}, offset, time ?? Date.now());
        this.#stopTyping(chat.user);
        pulse();
    }

    addWaiting(chat: ChatMessage, room: string, time: number): Waiting {
        return this.#conversation.addWaiting(chat, room, time);
    }

    showNotKept(): void {
        byId('not-kept').hidden = false;
    }

    showOnline(online: boolean): void {
        this.#online = online;
        this.#showHere();
        this.#conversation.showOnline(online);
    }

    showLost(): void {
        this.#conversation.showLost();
    }

    showGap(reason: string): void {
        this.#conversation.addNote(reason === 'epoch_changed'
            ? 'The server was restarted and has forgotten what stands above.'
            : 'Some messages were missed here: more were sent than the server keeps.');
    }

    showRefused(error: PulsewireError): void {
        if (error.code === 'forbidden' && peopleOf(this.roomName)) return this.#showClosed(true);
        this.#conversation.addNote(`The room is closed to you. ${error.code}: ${error.message}`);
    }

    showMembers(members: readonly Member[], ownSession: string): void {
        this.#here = members.length;
        this.#showHere();
        const named = members.map(({session, info, user}) =>
            ({own: session === ownSession, name: user === undefined ? nameOf(info) : nameOfUser(user), signed: user !== undefined}));
        named.sort((a, b) => Number(b.own) - Number(a.own) || a.name.localeCompare(b.name));
        const list = byId('members');
        const renaming = list.querySelector('button') === document.activeElement;
        list.replaceChildren(...named.map(({own, name, signed}) => {
            const parts = [
                make('span', {class: 'avatar', 'data-tone': toneOf(name), 'aria-hidden': 'true', text: initialOf(name)}),
                make('span', {class: 'member__name', text: name}),
                ...(signed ? [tick()] : []),
            ];
            return make('li', {class: 'member'}, ...(own ? [this.#ownButton(parts)] : signed && this.#account && !peopleOf(this.roomName) ? [this.#privateButton(parts, name)] : parts));
        }));
        if (renaming) list.querySelector('button')?.focus();
    }

    // One's own name is where one looks to change it, or to leave it.
    #ownButton(parts: HTMLElement[]): HTMLElement {
        const [verb, noun] = this.#account ? ['Account', ''] : ['Change', ' your name'];
        const button = make('button', {class: 'member__self', type: 'button', title: `${verb}${noun}`},
            ...parts, make('span', {class: 'member__you', text: 'you'}),
            make('span', {class: 'member__edit', text: verb}), make('span', {class: 'visually-hidden', text: noun}));
        button.addEventListener('click', () => {
            this.#showSide(true);
            if (this.#account) byId('sign-out').focus();
            else byId<HTMLInputElement>('name').select();
        });
        return button;
    }

    #privateButton(parts: HTMLElement[], name: string): HTMLElement {
        const button = make('button', {class: 'member__self', type: 'button', title: `Talk with ${name} in private`},
            make('span', {class: 'visually-hidden', text: 'Talk in private with '}), ...parts);
        button.addEventListener('click', () => this.#enterRoom(privateRoomOf(this.#account!, name)));
        return button;
    }

    /** Who is signed in now; the `problem`, if there is one. */
    showAccount(name: string | undefined, problem = ''): void {
        const focused = document.activeElement;
        const [form, account] = [byId('name-form'), byId('account')];
        const hadFocus = form.contains(focused) || account.contains(focused);
        this.#account = name;
        this.userName = name ?? byId<HTMLInputElement>('name').value;
        form.hidden = name !== undefined;
        account.hidden = name === undefined;
        byId('account-name').textContent = name ?? '';
        const avatar = byId('account-avatar');
        avatar.textContent = initialOf(name ?? '');
        avatar.dataset.tone = String(toneOf(name ?? ''));
        if (hadFocus) byId(name === undefined ? 'sign-in' : 'sign-out').focus();
        this.#showProblem(problem);
    }

    #showProblem(text: string): void {
        const problem = byId('account-problem');
        problem.textContent = text;
        problem.hidden = !text;
    }

    // Nothing went wrong: the room belongs to others.
    #showClosed(closed: boolean): void {
        byId('closed-room').hidden = !closed;
        byId('log').hidden = closed;
        byId('composer').hidden = closed;
        byId('room-count').hidden = closed;
        if (!closed) return;
        byId('closed-room-sign-in').hidden = this.#account !== undefined;
        const [one, other] = peopleOf(this.roomName)!;
        byId('closed-room-title').textContent = `This room belongs to ${one} and ${other}`;
        byId('closed-room-text').textContent = this.#account === undefined
            ? 'You have not signed in. If you are one of them, sign in under your name.'
            : `You are signed in as ${this.#account}. The server lets only the two of them in.`;
    }

    // On a narrow page the two forms of the side are folded away.
    #showSide(open: boolean): void {
        byId('side').dataset.open = String(open);
        byId('more').setAttribute('aria-expanded', String(open));
    }

    showTyping(user: string): void {
        clearTimeout(this.#typing.get(user));
        this.#typing.set(user, setTimeout(() => this.#stopTyping(user), typingShownMs));
        this.#showTypists();
    }

    onRoom(enter: (name: string) => void): void {
        this.#enterRoom = enter;
    }

    onRename(renamed: () => void): void {
        byId<HTMLFormElement>('name-form').addEventListener('submit', (event) => {
            event.preventDefault();
            const name = byId<HTMLInputElement>('name').value.trim();
            if (name) this.#showSide(false);
            if (!name || name === this.userName) return;
            this.userName = name;
            storeName(name);
            renamed();
        });
    }

    onSignIn(signIn: (name: string) => Promise<void>): void {
        const button = byId<HTMLButtonElement>('sign-in');
        button.addEventListener('click', async () => {
            const name = byId<HTMLInputElement>('name').value.trim();
            if (!name || button.ariaDisabled === 'true') return;
            button.ariaDisabled = 'true';
            this.#showProblem('');
            try {
                await signIn(name);
                storeName(name);
                this.#showSide(false);
            } catch (error) {
                this.#showProblem(`${name}: ${(error as PulsewireError).message}.`);
            }
            button.ariaDisabled = 'false';
        });
    }

    onSignOut(signOut: () => void): void {
        byId('sign-out').addEventListener('click', signOut);
    }

    onSend(send: (text: string) => void): void {
        const form = byId<HTMLFormElement>('composer');
        form.addEventListener('submit', (event) => {
            event.preventDefault();
            const text = this.#text.value.trim();
            if (!text) return;
            this.#text.value = '';
            this.#showCount();
            send(text);
        });
        this.#text.addEventListener('keydown', (event) => {
            if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            form.requestSubmit();
        });
    }

    onTyping(typing: () => void): void {
        this.#text.addEventListener('input', () => { if (this.#text.value) typing(); });
    }

    // The list of those who are here is current only while the connection is open.
    #showHere(): void {
        const when = this.#online ? '' : ' when last connected';
        byId('room-count').textContent = this.#here ? `${this.#here} here${when}` : '';
    }

    #edit(text: string): void {
        this.#text.value = text;
        this.#text.focus();
        this.#showCount();
    }

    #stopTyping(user: string): void {
        clearTimeout(this.#typing.get(user));
        if (this.#typing.delete(user)) this.#showTypists();
    }

    #showTypists(): void {
        const users = [...this.#typing.keys()];
        byId('typing').textContent = users.length === 0 ? '' : users.length > 2
            ? `${users.length} people are typing…` : `${users.join(' and ')} ${users.length > 1 ? 'are' : 'is'} typing…`;
    }

    #showCount(): void {
        const length = [...this.#text.value].length;
        const count = byId('count');
        count.textContent = length > countFrom ? `${length} of ${textMax}` : '';
        count.dataset.over = String(length > textMax);
    }
}

const nameOf = (info: unknown): string => {
    const name = (info as {name?: unknown} | null)?.name;
    return typeof name === 'string' && name ? name : 'Somebody';
};
