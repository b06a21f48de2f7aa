// The look of the dashboard: a row for each lamp with a switch, a slider, and what became of the last wish.

import {PulsewireError} from 'pulsewire';
import type {LampState} from '../messages.ts';
import {byId, make} from '../shared/dom.ts';
import {timeText} from '../shared/time.ts';
import type {KnownLamp} from './dashboard.ts';
import type {Wish} from './lamp.ts';

type Ask = (name: string, wish: Wish) => Promise<LampState>;

export class DashboardView {
    readonly #ask: Ask;
    readonly #rows = new Map<string, Row>();

    constructor(ask: Ask) {
        this.#ask = ask;
    }

    show(lamps: readonly KnownLamp[]): void {
        for (const lamp of lamps) {
            const {name} = lamp.state;
            let row = this.#rows.get(name);
            if (!row) {
                row = new Row(name, (wish) => this.#ask(name, wish));
                this.#rows.set(name, row);
                byId('lamps').append(row.element);
            }
            row.show(lamp);
        }
        for (const [name, row] of this.#rows) {
            if (lamps.some(({state}) => state.name === name)) continue;
            row.element.remove();
            this.#rows.delete(name);
        }
        byId('no-lamps').hidden = lamps.length > 0;
    }
}

class Row {
    readonly element: HTMLElement;
    readonly #ask: (wish: Wish) => Promise<LampState>;
    readonly #badge = make('span', {class: 'badge'});
    readonly #note = make('p', {class: 'lamp-row__note'});
    readonly #switch: HTMLButtonElement;
    readonly #brightness: HTMLInputElement;
    readonly #outcome = make('p', {class: 'lamp-row__outcome', role: 'status', 'data-testid': 'outcome'});

    constructor(name: string, ask: (wish: Wish) => Promise<LampState>) {
        this.#ask = ask;
        this.#switch = make('button', {class: 'switch', type: 'button', role: 'switch', 'aria-checked': 'false', 'aria-label': `${name}: light`, text: 'Light'});
        this.#brightness = make('input', {type: 'range', min: 1, max: 100, 'aria-label': `${name}: brightness`});
        this.#switch.addEventListener('click', () => this.#wish({on: this.#switch.getAttribute('aria-checked') !== 'true'}));
        this.#brightness.addEventListener('change', () => this.#wish({brightness: Number(this.#brightness.value)}));
        this.element = make('li', {class: 'lamp-row', 'data-testid': 'lamp-row'},
            make('p', {class: 'lamp-row__name'}, make('strong', {text: name}), ' ', this.#badge), this.#switch, this.#brightness, this.#note, this.#outcome);
    }

    show({state: {on, brightness}, saidAt, session, goneAt}: KnownLamp): void {
        const here = session !== undefined;
        if (here && this.element.dataset.here === 'false') this.#say('done', 'It is back.');
        this.element.dataset.here = String(here);
        this.#badge.textContent = here ? 'here' : 'gone';
        this.#badge.className = `badge badge--${here ? 'good' : 'bad'}`;
        this.#switch.setAttribute('aria-checked', String(on));
        this.#brightness.value = String(brightness);
        const how = on ? `on, ${brightness} %` : 'off';
        this.#note.textContent = here ? `It says: ${how}.`
            : `${goneAt ? `Gone since ${timeText(goneAt)}.` : 'Not here.'} Its last word, at ${timeText(saidAt)}: ${how}.`;
    }

    // The switch moves when the lamp has moved, and not before.
    async #wish(wish: Wish): Promise<void> {
        const since = performance.now();
        this.#say('asks', 'Asking…');
        try {
            await this.#ask(wish);
            this.#say('done', `Done after ${Math.max(1, Math.round(performance.now() - since))} ms.`);
        } catch (error) {
            this.#say('failed', wordsOf(error));
        }
    }

    #say(outcome: 'asks' | 'done' | 'failed', text: string): void {
        this.#outcome.dataset.outcome = outcome;
        this.#outcome.textContent = text;
    }
}

function wordsOf(error: unknown): string {
    if (!(error instanceof PulsewireError)) return String(error);
    switch (error.code) {
        case 'rejected': return `Refused by the lamp: ${error.message}.`;
        case 'not_present': return 'The lamp is not here.';
        case 'timeout': return 'No answer within two seconds: the lamp is silent, and may have gone.';
        case 'disconnected': return 'The connection ended before the answer: it may have happened.';
        default: return error.message;
    }
}
