// The look of the two visitors, and of the form in which one of them asks.

import type {Client} from 'pulsewire';
import type {Reply} from 'pulsewire/stream';
import type {AskQuestion} from '../messages.ts';
import type {BreakableNetwork} from '../shared/breakable_network.ts';
import {byId, make} from '../shared/dom.ts';
import {showError} from '../shared/errors.ts';
import {Plug} from '../shared/plug.ts';
import {showStatus} from '../shared/status.ts';

const nearEndPx = 60;
const stateWords = {writing: 'Writing…', complete: 'Complete', cancelled: 'Stopped', failed: 'The writer is gone'};
const count = (characters: number): string => `${characters.toLocaleString('en')} ${characters === 1 ? 'character' : 'characters'}`;

/** A reply as it is shown. */
interface Shown {
    readonly element: HTMLElement;
    readonly text: HTMLElement;
    readonly foot: HTMLElement;
    length: number;
}

export class VisitorView {
    readonly #part: <E extends HTMLElement = HTMLElement>(name: string) => E;
    readonly #plug: Plug;
    readonly #shown = new Map<string, Shown>();
    /** What comes next comes in one go, because this visitor came just now or was away. */
    #comes = true;

    constructor(id: 'you' | 'other', network: BreakableNetwork) {
        const root = byId(id);
        this.#part = (part) => root.querySelector(`[data-part="${part}"]`)!;
        this.#plug = new Plug(this.#part('plug'), network);
    }

    follow(client: Client): void {
        this.#plug.follow(client);
        showStatus(client, this.#part('status'));
        this.#comes = true;
        client.on('open', () => (this.#comes = true));
    }

    show(questions: readonly AskQuestion[], replies: readonly Reply[]): void {
        const scroll = this.#part('scroll');
        const follows = scroll.scrollTop + scroll.clientHeight > scroll.scrollHeight - nearEndPx;
        for (const {id, text} of questions) if (!this.#shown.has(id)) this.#add(id, text);
        for (const reply of replies) this.#grow(reply);
        this.#part('stop').setAttribute('aria-disabled', String(!replies.some(({state, stopping}) => state === 'writing' && !stopping)));
        this.#part('empty').hidden = this.#shown.size > 0;
        if (follows) scroll.scrollTop = scroll.scrollHeight;
    }

    showProblem(error: unknown): void {
        showError(this.#part('problem'), error);
    }

    onStop(stop: () => Promise<void> | undefined): void {
        this.#part('stop').addEventListener('click', () => void stop()?.catch((error) => this.showProblem(error)));
    }

    /** `here`: the visitor comes. Before that, and when it has gone, nothing is shown of it. */
    onComeAndGo(changed: (here: boolean) => void): void {
        const come = this.#part('come');
        come.addEventListener('click', () => {
            const here = come.textContent !== 'Leave';
            come.textContent = here ? 'Leave' : 'Come in';
            for (const part of ['stop', 'plug', 'status']) this.#part(part).hidden = !here;
            this.#shown.clear();
            this.#part('log').replaceChildren();
            this.#part('stop').setAttribute('aria-disabled', 'true');
            this.#part('empty').hidden = false;
            this.#part('empty').textContent = here ? 'Coming in…' : 'Not here. Whoever comes in now is late.';
            changed(here);
        });
    }

    #add(id: string, question: string): Shown {
        const text = make('p', {class: 'ai__text'});
        const foot = make('p', {class: 'ai__foot'});
        const element = make('li', {class: 'ai__reply', 'data-testid': 'reply'}, make('p', {class: 'ai__question', text: question}), text, foot);
        this.#part('log').append(element);
        const shown = {element, text, foot, length: 0};
        this.#shown.set(id, shown);
        return shown;
    }

    #grow({id, text, state}: Reply): void {
        const shown = this.#shown.get(id);
        if (!shown || (shown.element.dataset.state === state && shown.length === text.length)) return;
        const grown = text.length - shown.length;
        shown.element.dataset.state = state;
        shown.text.textContent = text;
        shown.length = text.length;
        if (!shown.foot.firstChild) shown.foot.append(make('span', {class: 'ai__state'}));
        shown.foot.firstElementChild!.textContent = stateWords[state];
        if (this.#comes && grown > 0) {
            // The first word of a reply that begins now is no late one.
            if (grown > 20) shown.foot.append(make('span', {class: 'badge badge--good', 'data-testid': 'at-once', text: `${count(grown)} at once`}));
            if (state === 'writing') this.#comes = false;
        }
    }
}

export class AskView {
    readonly #input = byId<HTMLInputElement>('question');

    onAsk(ask: (text: string) => Promise<void>): void {
        const send = (text: string): void => {
            const waits = byId('waits');
            waits.textContent = 'Your question waits for the connection.';
            waits.hidden = false;
            showError(byId('ask-error'));
            ask(text).then(() => (waits.hidden = true), (error) => {
                waits.hidden = true;
                showError(byId('ask-error'), error);
            });
        };
        byId('ask').addEventListener('submit', (event) => {
            event.preventDefault();
            const text = this.#input.value.trim();
            if (!text) return;
            this.#input.value = '';
            send(text);
        });
        for (const button of document.querySelectorAll<HTMLElement>('.ai__suggestion')) button.addEventListener('click', () => send(button.textContent!));
    }

    showGrowing(growing: boolean): void {
        const words = growing ? 'The model is writing.' : '';
        if (byId('announced').textContent !== words) byId('announced').textContent = words;
    }

    showVerdict(yours: number, others: number | undefined, same: boolean): void {
        const verdict = byId('verdict');
        const lack = others === undefined ? 0 : yours - others;
        verdict.textContent = others === undefined ? 'One reader here' : same ? 'Both have the same text' : `${lack > 0 ? 'The second visitor lacks' : 'You lack'} ${count(Math.abs(lack))}`;
        verdict.className = `badge${others === undefined ? '' : same ? ' badge--good' : ' badge--bad'}`;
    }
}
