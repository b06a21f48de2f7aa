// The messages of a room: what the channel brought, in the channel's order, and below it what was written here and has not
// come back from the server yet.

import type {ChatMessage} from '../messages.ts';
import {byId, keepNewest, make} from '../shared/dom.ts';
import {errorNote} from '../shared/errors.ts';
import {dayText, sameDay, timeText} from '../shared/time.ts';
import {initialOf, toneOf} from './names.ts';

const nearEndPx = 60;
const groupWithinMs = 3 * 60_000;
const messagesMax = 500;
const historyMs = 1500;

/** The fate of a message that waits to be sent. */
export interface Waiting {
    sent(offset: number | undefined): void;
    failed(error: unknown): void;
}

/** A message as it is shown. */
interface Shown extends ChatMessage {
    /** Whether the name is the server's word. */
    signed?: boolean;
}

interface WaitingBubble {
    room: string;
    element: HTMLElement;
    offset: number | undefined;
}

export class Conversation {
    readonly #log = byId('log');
    readonly #messages = byId('messages');
    readonly #pending = byId('pending');
    readonly #jump = byId<HTMLButtonElement>('jump');
    readonly #author: string;
    readonly #edit: (text: string) => void;
    readonly #waiting = new Set<WaitingBubble>();
    #offsets = new Set<number>();
    #last: {user: string; signed: boolean; time: number} | undefined;
    #unseen = 0;
    #room = '';
    #followsEnd = true;
    #online = false;
    #joined = false;
    #quiet: ReturnType<typeof setTimeout> | undefined;

    constructor(author: string, edit: (text: string) => void) {
        this.#author = author;
        this.#edit = edit;
        this.#jump.addEventListener('click', () => {
            this.#toEnd();
            this.#log.focus();
        });
        this.#log.addEventListener('scroll', () => {
            this.#followsEnd = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < nearEndPx;
            if (this.#followsEnd) this.#showUnseen(0);
        });
        // A keyboard that slides in, or a reply of two lines, must not hide the newest message.
        new ResizeObserver(() => { if (this.#followsEnd) this.#toEnd(); }).observe(this.#log);
    }

    enter(room: string): void {
        this.#room = room;
        this.#joined = false;
        this.#messages.replaceChildren(make('li', {class: 'messages__empty', text: 'Joining the room…'}));
        this.#offsets = new Set();
        this.#last = undefined;
        for (const waiting of this.#waiting) waiting.element.hidden = waiting.room !== room;
        this.#toEnd();
        // The history is there to be read, not to be read out.
        this.#log.setAttribute('aria-busy', 'true');
        clearTimeout(this.#quiet);
        this.#quiet = setTimeout(() => this.#log.removeAttribute('aria-busy'), historyMs);
    }

    joined(): void {
        this.#joined = true;
        const empty = this.#messages.querySelector('.messages__empty');
        if (empty) empty.textContent = 'No messages yet. Say hello.';
    }

    add(chat: Shown, offset: number | undefined, time: number): void {
        this.#messages.querySelector('.messages__empty')?.remove();
        if (offset !== undefined) {
            this.#offsets.add(offset);
            for (const waiting of this.#waiting) if (waiting.room === this.#room && waiting.offset === offset) this.#drop(waiting);
        }
        if (!this.#last || !sameDay(this.#last.time, time)) {
            this.#messages.append(make('li', {class: 'day'}, make('span', {text: dayText(time)})));
            this.#last = undefined;
        }
        const own = chat.author === this.#author;
        const signed = chat.signed ?? false;
        const continues = this.#last?.user === chat.user && this.#last.signed === signed && time - this.#last.time < groupWithinMs;
        this.#last = {user: chat.user, signed, time};
        this.#messages.append(bubble(chat, {own, continues, time}));
        keepNewest(this.#messages, messagesMax);
        this.#grown(own);
    }

    addNote(text: string): void {
        this.#offsets = new Set();  // they may begin again at 1
        this.#last = undefined;
        for (const waiting of [...this.#waiting]) {
            if (waiting.room === this.#room && waiting.offset !== undefined) this.#drop(waiting, this.#messages);
        }
        this.#messages.append(make('li', {class: 'day day--note'}, make('span', {text})));
        this.#grown(false);
    }

    addWaiting(chat: ChatMessage, room: string, time: number): Waiting {
        const element = bubble(chat, {own: true, continues: true, time});
        const note = make('span', {class: 'message__note'});
        element.append(note);
        element.dataset.delivery = 'waiting';
        element.hidden = room !== this.#room;
        const waiting: WaitingBubble = {room, element, offset: undefined};
        this.#waiting.add(waiting);
        this.#pending.append(element);
        this.#noteWaiting(waiting);
        this.#toEnd();
        return {
            sent: (offset) => {
                waiting.offset = offset;
                element.dataset.delivery = 'sent';
                note.textContent = 'Sent';
                if (offset === undefined || waiting.room !== this.#room || this.#offsets.has(offset)) this.#drop(waiting);
            },
            failed: (error) => {
                element.dataset.delivery = 'failed';
                const edit = make('button', {class: 'button button--small', type: 'button', text: 'Edit'});
                const discard = make('button', {class: 'button button--small', type: 'button', text: 'Discard'});
                edit.addEventListener('click', () => {
                    this.#drop(waiting);
                    this.#edit(chat.text);
                });
                discard.addEventListener('click', () => this.#drop(waiting));
                note.replaceWith(make('div', {class: 'message__failed'}, errorNote(error), edit, discard));
                this.#grown(true);
            },
        };
    }

    showLost(): void {
        const empty = this.#messages.querySelector('.messages__empty');
        if (empty && !this.#joined) empty.textContent = 'What others wrote appears when the connection is back.';
    }

    showOnline(online: boolean): void {
        this.#online = online;
        for (const waiting of this.#waiting) this.#noteWaiting(waiting);
    }

    #noteWaiting({element}: WaitingBubble): void {
        if (element.dataset.delivery !== 'waiting') return;
        element.dataset.online = String(this.#online);
        element.querySelector('.message__note')!.textContent = this.#online ? 'Sending…' : 'Waiting for the connection';
    }

    // Takes the message from those that wait; into `list`, if it should stay in view.
    #drop(waiting: WaitingBubble, list?: Element): void {
        this.#waiting.delete(waiting);
        waiting.element.remove();
        if (!list) return;
        waiting.element.querySelector('.message__note')?.remove();
        list.append(waiting.element);
    }

    #grown(own: boolean): void {
        if (this.#followsEnd || own) this.#toEnd();
        else this.#showUnseen(this.#unseen + 1);
    }

    #toEnd(): void {
        this.#log.scrollTop = this.#log.scrollHeight;
        this.#followsEnd = true;
        this.#showUnseen(0);
    }

    #showUnseen(count: number): void {
        this.#unseen = count;
        this.#jump.hidden = count === 0;
        this.#jump.textContent = count === 1 ? '1 new message' : `${count} new messages`;
    }
}

/** Stands beside a name for which the server vouches. */
export const tick = (): HTMLElement =>
    make('span', {class: 'tick', title: 'Signed in'}, make('span', {class: 'visually-hidden', text: ' (signed in)'}));

function bubble({user, text, signed}: Shown, {own, continues, time}: {own: boolean; continues: boolean; time: number}): HTMLElement {
    const stamp = make('time', {class: 'message__time', datetime: new Date(time).toISOString(), text: timeText(time)});
    const element = make('li', {class: 'message', 'data-own': own, 'data-continues': continues && !own});
    if (!own) {
        element.append(make('span', {class: 'avatar', 'data-tone': toneOf(user), 'aria-hidden': 'true', text: initialOf(user)}));
    }
    const head = make('span', {class: own || continues ? 'message__user visually-hidden' : 'message__user', text: own ? 'You' : user});
    if (signed && !own) head.append(tick());
    element.append(head, make('p', {class: 'message__text'}, make('span', {'data-testid': 'message-text', text}), ' ', stamp));
    return element;
}
