// The look of the square: a mark for each visitor, words above whoever speaks, and the reader's own mark, which follows the
// pointer, a tap or the arrow keys.

import type {SquareVisitor, SquareWords} from '../messages.ts';
import {initialOf, toneOf} from '../chat/names.ts';
import {byId, make} from '../shared/dom.ts';

export interface Place {
    x: number;
    y: number;
}

interface Mark {
    element: HTMLElement;
    words: HTMLElement;
    silence?: ReturnType<typeof setTimeout>;
}

const wordsMs = 3500;
const keyStep = 0.04;
const edge = {x: 0.04, top: 0.16, bottom: 0.92};
const arrows: Record<string, Place> = {
    ArrowLeft: {x: -keyStep, y: 0}, ArrowRight: {x: keyStep, y: 0}, ArrowUp: {x: 0, y: -2 * keyStep}, ArrowDown: {x: 0, y: 2 * keyStep},
};

export class SquareView {
    readonly #map = byId('square');
    readonly #list = byId('square-visitors');
    readonly #switch = byId<HTMLButtonElement>('square-switch');
    readonly #simulated = new Map<string, Mark>();
    readonly #people = new Map<string, Mark>();
    #own: string | undefined;
    #place: Place = {x: 0.3 + 0.4 * Math.random(), y: 0.3 + 0.1 * Math.random()};

    showSwitch(on: boolean): void {
        this.#switch.setAttribute('aria-checked', String(on));
    }

    onSwitch(turn: (on: boolean) => void): void {
        this.#switch.addEventListener('click', () => turn(this.#switch.getAttribute('aria-checked') !== 'true'));
    }

    showSimulated(visitors: SquareVisitor[]): void {
        for (const {name, x, y} of visitors) {
            put(this.#simulated.get(name) ?? this.#add(this.#simulated, name, name, 'simulated'), {x, y});
        }
        this.#showCount();
    }

    forgetSimulated(): void {
        for (const {element} of this.#simulated.values()) element.remove();
        this.#simulated.clear();
        this.#showCount();
    }

    showWords({name, text}: SquareWords): void {
        const mark = this.#simulated.get(name);
        if (!mark) return;
        clearTimeout(mark.silence);
        mark.words.textContent = text;
        mark.silence = setTimeout(() => { mark.words.textContent = ''; }, wordsMs);
    }

    showPeople(members: {session: string; name: string}[], ownSession: string): void {
        this.#own = ownSession;
        for (const [session, {element}] of [...this.#people]) {
            if (members.some((member) => member.session === session)) continue;
            element.remove();
            this.#people.delete(session);
        }
        for (const {session, name} of members) {
            if (this.#people.has(session)) continue;
            const own = session === ownSession;
            put(this.#add(this.#people, session, own ? 'you' : name, own ? 'you' : 'person', name), own ? this.#place : placeOf(session));
        }
        this.#showCount();
    }

    move(session: string, place: Place): void {
        const mark = this.#people.get(session);
        if (mark) put(mark, place);
    }

    /** The reader's own mark goes somewhere; told at once, for it should not lag behind the pointer. */
    onMove(moved: (place: Place) => void): void {
        const go = (x: number, y: number): void => {
            this.#place = {x: within(edge.x, x, 1 - edge.x), y: within(edge.top, y, edge.bottom)};
            if (this.#own) this.move(this.#own, this.#place);
            moved(this.#place);
        };
        const follow = (event: PointerEvent): void => {
            const {left, top, width, height} = this.#map.getBoundingClientRect();
            go((event.clientX - left) / width, (event.clientY - top) / height);
        };
        this.#map.addEventListener('pointermove', follow);
        this.#map.addEventListener('pointerdown', follow);
        this.#map.addEventListener('keydown', (event) => {
            const step = arrows[event.key];
            if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
            event.preventDefault();
            go(this.#place.x + step.x, this.#place.y + step.y);
        });
        moved(this.#place);
    }

    #add(marks: Map<string, Mark>, id: string, label: string, kind: 'simulated' | 'person' | 'you', name = label): Mark {
        const words = make('span', {class: 'mark__words', 'data-testid': 'words'});
        const element = make('li', {class: 'mark', 'data-kind': kind},
            words, make('span', {class: 'avatar', 'data-tone': toneOf(name), 'aria-hidden': 'true', text: initialOf(name)}),
            make('span', {class: 'mark__name', text: label}), ...(kind === 'simulated' ? [make('span', {class: 'visually-hidden', text: ', simulated'})] : []));
        this.#list.append(element);
        const mark = {element, words};
        marks.set(id, mark);
        return mark;
    }

    #showCount(): void {
        const [simulated, people] = [this.#simulated.size, this.#people.size];
        byId('square-count').textContent = [
            ...(people ? [people === 1 ? 'You are here' : `${people} people, you among them`] : []),
            ...(simulated ? [`${simulated} simulated visitors`] : []),
        ].join(' · ') || 'Nobody is here yet';
    }
}

function put({element}: Mark, {x, y}: Place): void {
    element.style.setProperty('--x', x.toFixed(3));
    element.style.setProperty('--y', y.toFixed(3));
    element.dataset.side = x < 0.3 ? 'left' : x > 0.7 ? 'right' : 'middle';
}

const within = (low: number, value: number, high: number): number => Math.min(high, Math.max(low, value));

// Somebody who has not moved yet is always in the same place.
function placeOf(session: string): Place {
    const tone = toneOf(session);
    return {x: 0.2 + 0.12 * tone, y: 0.32};
}
