// The look of an editor: a textarea with the carets of others behind it, its plug, and what is not sent yet.

import type {Client} from 'pulsewire';
import type {BreakableNetwork} from '../shared/breakable_network.ts';
import {byId} from '../shared/dom.ts';
import {showError} from '../shared/errors.ts';
import {Plug} from '../shared/plug.ts';
import {showStatus} from '../shared/status.ts';

export class EditorView {
    readonly area: HTMLTextAreaElement;
    readonly mirror: HTMLElement;
    readonly #part: <E extends HTMLElement = HTMLElement>(name: string) => E;
    readonly #plug: Plug;

    constructor(name: string, network: BreakableNetwork) {
        const id = name.toLowerCase();
        const root = byId(id);
        root.append(byId<HTMLTemplateElement>('editor').content.cloneNode(true));
        this.#part = (part) => root.querySelector(`[data-part="${part}"]`)!;
        this.#part('name').id = `${id}-name`;
        this.#part('name').textContent = name;
        this.#part('status').setAttribute('aria-label', `Connection of ${name}`);
        this.#part('acts').setAttribute('aria-label', `What ${name} can do`);
        this.area = this.#part<HTMLTextAreaElement>('area');
        this.area.setAttribute('aria-label', `The text, as ${name} sees it`);
        this.mirror = this.#part('mirror');
        this.#plug = new Plug(this.#part('plug'), network);
    }

    follow(client: Client): void {
        this.#plug.follow(client);
        showStatus(client, this.#part('status'));
    }

    ready(): void {
        this.area.placeholder = 'Write something. The other editor follows.';
    }

    show(length: number, canUndo: boolean): void {
        this.#part('length').textContent = `${length.toLocaleString('en')} ${length === 1 ? 'character' : 'characters'}`;
        this.#part('undo').setAttribute('aria-disabled', String(!canUndo));
    }

    showUnsent(unsent: boolean): void {
        const words = unsent ? 'Not sent yet' : 'All sent';
        if (this.#part('sent').textContent === words) return;
        this.#part('sent').textContent = words;
        this.#part('sent').className = `badge badge--${unsent ? 'bad' : 'good'}`;
    }

    showProblem(error: unknown): void {
        showError(this.#part('problem'), error);
    }

    onUndo(undo: () => void): void {
        this.#part('undo').addEventListener('click', undo);
    }
}

export function showVerdict(same: boolean): void {
    const verdict = byId('verdict');
    verdict.textContent = same ? 'Both texts are the same' : 'The texts differ';
    verdict.className = `badge badge--${same ? 'good' : 'bad'}`;
}
