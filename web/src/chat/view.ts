// The look of the chat. It knows nothing of connections and channels; the names and texts of others are shown as text.

import type {Member, PulsewireError} from 'pulsewire';
import type {ChatMessage} from '../messages.ts';
import {byId, make} from '../shared/dom.ts';
import {param} from '../shared/page.ts';
import {pulse} from '../shared/wire.ts';
import {Conversation, type Waiting} from './conversation.ts';
import {initialOf, startingName, storeName, toneOf} from './names.ts';

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

    /** `author` marks what was written here. */
    constructor(author: string) {
        this.#conversation = new Conversation(author, (text) => this.#edit(text));
        byId<HTMLInputElement>('name').value = this.userName;
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
        byId('room-title').textContent = name;
        this.#conversation.enter(name);
        this.showMembers([], '');
        for (const user of [...this.#typing.keys()]) this.#stopTyping(user);
        byId('rooms').replaceChildren(...[...this.#rooms].map((room) => {
            const button = make('button', {class: 'room', type: 'button', 'aria-current': room === name && 'true', text: room});
            button.addEventListener('click', () => this.#enterRoom(room));
            return make('li', {}, button);
        }));
    }

    showJoined(): void {
        this.#conversation.joined();
    }

    add(chat: ChatMessage, offset: number | undefined, time: number | undefined): void {
        this.#conversation.add(chat, offset, time ?? Date.now());
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
        this.#conversation.addNote(`The room is closed to you. ${error.code}: ${error.message}`);
    }

    showMembers(members: readonly Member[], ownSession: string): void {
        this.#here = members.length;
        this.#showHere();
        const named = members.map(({session, info}) => ({own: session === ownSession, name: nameOf(info)}));
        named.sort((a, b) => Number(b.own) - Number(a.own) || a.name.localeCompare(b.name));
        const list = byId('members');
        const renaming = list.querySelector('button') === document.activeElement;
        list.replaceChildren(...named.map(({own, name}) => {
            const parts = [
                make('span', {class: 'avatar', 'data-tone': toneOf(name), 'aria-hidden': 'true', text: initialOf(name)}),
                make('span', {class: 'member__name', text: name}),
            ];
            return make('li', {class: 'member'}, ...(own ? [this.#renameButton(parts)] : parts));
        }));
        if (renaming) list.querySelector('button')?.focus();
    }

    // One's own name is where one looks to change it.
    #renameButton(parts: HTMLElement[]): HTMLElement {
        const button = make('button', {class: 'member__self', type: 'button', title: 'Change your name'},
            ...parts, make('span', {class: 'member__you', text: 'you'}),
            make('span', {class: 'member__edit', text: 'Change'}), make('span', {class: 'visually-hidden', text: ' your name'}));
        button.addEventListener('click', () => {
            this.#showSide(true);
            byId<HTMLInputElement>('name').select();
        });
        return button;
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

// A channel's name takes letters, digits and a few signs only (docs/protocol.md 1.2).
const roomNameFrom = (text: string): string => text.trim().toLowerCase().replace(/[^a-z0-9_-]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 60);
