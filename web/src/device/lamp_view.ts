// The look of the lamp itself: its light, its own switch, its lock and its plug.

import type {LampState} from '../messages.ts';
import {byId} from '../shared/dom.ts';

export class LampView {
    readonly #lamp = byId('lamp');
    #state: LampState | undefined;
    #plugged = true;

    constructor(name: string) {
        byId('lamp-title').textContent = name;
    }

    show(state: LampState): void {
        this.#state = state;
        this.#draw();
    }

    onSwitch(turn: () => void): void {
        byId('lamp-switch').addEventListener('click', () => { if (this.#plugged) turn(); });
    }

    onLock(lock: (locked: boolean) => void): void {
        toggle('lamp-lock', false, lock);
    }

    onPlug(plug: (plugged: boolean) => void): void {
        toggle('lamp-plug', true, (plugged) => {
            this.#plugged = plugged;
            this.#draw();
            plug(plugged);
        });
    }

    #draw(): void {
        const {on, brightness} = this.#state!;
        const lit = on && this.#plugged;
        this.#lamp.dataset.lit = String(lit);
        this.#lamp.style.setProperty('--light', String(lit ? 0.25 + 0.75 * brightness / 100 : 0));
        byId('lamp-switch').setAttribute('aria-checked', String(on));
        byId('lamp-switch').setAttribute('aria-disabled', String(!this.#plugged));
        byId('lamp-words').textContent = !this.#plugged ? 'Without power, and without a word to anybody' : on ? `On, ${brightness} %` : 'Off';
    }
}

function toggle(id: string, on: boolean, turned: (on: boolean) => void): void {
    const button = byId(id);
    button.setAttribute('aria-checked', String(on));
    button.addEventListener('click', () => {
        const next = button.getAttribute('aria-checked') !== 'true';
        button.setAttribute('aria-checked', String(next));
        turned(next);
    });
}
