// A client's panel: what it has heard, what it publishes, and the faults of its network.

import type {Client, GapEvent} from 'pulsewire';
import {byId, keepNewest, make} from '../shared/dom.ts';
import {showStatus} from '../shared/status.ts';
import {missedWords} from '../shared/words.ts';
import {Wire} from './wire.ts';

const notesMax = 200;

/** What a visitor can do to the network of a client. */
export interface Faults {
    cut(): void;
    stall(stalled: boolean): void;
    offline(away: boolean): void;
}

export class ClientView {
    readonly #name: string;
    readonly #part: <E extends HTMLElement = HTMLElement>(name: string) => E;
    readonly #wire: Wire;

    constructor(name: string) {
        this.#name = name;
        const id = name.toLowerCase();
        const root = byId(id);
        root.append(byId<HTMLTemplateElement>('client').content.cloneNode(true));
        this.#part = (part) => root.querySelector(`[data-part="${part}"]`)!;
        this.#wire = new Wire(byId(`${id}-wire`), id === 'ada' ? 'before' : 'behind');
        this.#part('name').id = `${id}-name`;
        this.#part('name').textContent = name;
        this.#part('status').setAttribute('aria-label', `Connection of ${name}`);
        this.#part('scroll').setAttribute('aria-label', `What ${name} has heard`);
        this.#part('faults').setAttribute('aria-label', `The network of ${name}`);
        const text = this.#part<HTMLInputElement>('text');
        text.setAttribute('aria-label', `Message of ${name}`);
        text.placeholder = `Write as ${name}…`;
    }

    follow(client: Client): void {
        showStatus(client, this.#part('status'));
        client.on('state', ({name}) => this.#wire.show(name));
        this.#wire.show(client.state.name);
    }

    heard(from: string, text: string, offset: number | undefined): void {
        this.#wire.down();
        this.#add(make('li', {class: 'playground__note', 'data-from': from === this.#name ? 'self' : 'other'},
            make('span', {class: 'playground__from', text: from}), make('span', {class: 'playground__said', text}), make('span', {class: 'playground__offset', text: offset ?? ''})));
    }

    missed(reason: GapEvent['reason']): void {
        this.#add(make('li', {class: 'playground__gap', text: `Messages are missing: ${missedWords(reason)}.`}));
    }

    /** `publish` resolves when the server has the message. Until then it is shown at the end, as one that waits. */
    onPublish(publish: (text: string) => Promise<unknown>): void {
        const input = this.#part<HTMLInputElement>('text');
        this.#part('form').addEventListener('submit', (event) => {
            event.preventDefault();
            const text = input.value.trim();
            if (!text) return;
            input.value = '';
            const note = make('li', {class: 'playground__note', 'data-waits': true},
                make('span', {class: 'playground__from', text: this.#name}), make('span', {class: 'playground__said', text}), make('span', {class: 'playground__offset', text: 'waits'}));
            this.#add(note);
            this.#wire.up();
            publish(text).then(() => note.remove(), (error: Error) => note.replaceWith(make('li', {class: 'playground__gap', text: `${text}: ${error.message}`})));
        });
    }

    onFault(faults: Faults): void {
        const [stall, offline] = [this.#part('stall'), this.#part('offline')];
        const pressed = (button: HTMLElement): boolean => button.getAttribute('aria-pressed') === 'true';
        const press = (button: HTMLElement, on: boolean): void => {
            button.setAttribute('aria-pressed', String(on));
            this.#wire.showFault(pressed(offline) ? 'offline' : pressed(stall) ? 'stalled' : undefined);
        };
        this.#part('cut').addEventListener('click', () => faults.cut());
        stall.addEventListener('click', () => {
            press(stall, !pressed(stall));
            faults.stall(pressed(stall));
        });
        offline.addEventListener('click', () => {
            press(offline, !pressed(offline));
            // A network that comes back is a sound one.
            if (!pressed(offline)) {
                press(stall, false);
                faults.stall(false);
            }
            faults.offline(pressed(offline));
        });
    }

    // What waits stays last.
    #add(note: HTMLElement): void {
        const [notes, scroll] = [this.#part('notes'), this.#part('scroll')];
        if (note.hasAttribute('data-waits')) notes.append(note);
        else notes.insertBefore(note, notes.querySelector('[data-waits]'));
        keepNewest(notes, notesMax);
        scroll.scrollTop = scroll.scrollHeight;
    }
}
