// One of the four panels: a log of what was said, and a form to say something.

import {keepNewest, make} from '../shared/dom.ts';
import {pulse} from '../shared/wire.ts';

export type Kind = 'server' | 'custom' | 'you' | 'note' | 'error';

const labels: Record<Kind, string> = {server: 'Server', custom: 'Custom event', you: 'You', note: '', error: 'Error'};
const linesMax = 200;

export class Panel {
    readonly status: HTMLElement;
    readonly #log: HTMLElement;
    readonly #form: HTMLFormElement | null;

    constructor(id: string) {
        const root = document.getElementById(id)!;
        this.status = root.querySelector<HTMLElement>('.status')!;
        this.#log = root.querySelector<HTMLElement>('.log')!;
        this.#form = root.querySelector('form');
    }

    /** Adds a line; the text stays text, whatever it holds. */
    add(kind: Kind, text: string): void {
        const atEnd = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < 40;
        const line = make('p', {class: `log__line log__line--${kind}`, 'data-kind': kind});
        if (labels[kind]) line.append(make('span', {class: 'log__who', text: labels[kind]}), ' ');
        line.append(make('span', {class: 'log__text', text}));
        this.#log.append(line);
        keepNewest(this.#log, linesMax);
        if (atEnd) this.#log.scrollTop = this.#log.scrollHeight;
        if (kind === 'server' || kind === 'custom') pulse();
    }

    onSend(send: (text: string) => void): void {
        this.#form?.addEventListener('submit', (event) => {
            event.preventDefault();
            const input = this.#form!.elements.namedItem('text') as HTMLInputElement;
            if (input.value) send(input.value);
            input.value = '';
        });
    }

    /** For connections without the SDK, whose state is what their own events said last. */
    setState(state: 'connecting' | 'open' | 'closed', text: string, again?: () => void): void {
        this.status.dataset.state = state;
        this.status.replaceChildren(make('span', {class: 'status__dot', 'aria-hidden': 'true'}), make('span', {class: 'status__text', text}));
        if (!again) return;
        const button = make('button', {class: 'button button--small', type: 'button', text: 'Connect again'});
        button.addEventListener('click', again);
        this.status.append(button);
    }
}
