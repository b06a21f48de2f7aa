// The carets and selections of others, drawn behind a textarea: a copy of its text that nobody sees, with marks in it.

import type {Awareness} from 'y-protocols/awareness';
import * as Y from 'yjs';
import {toneOf} from '../chat/names.ts';
import {make} from '../shared/dom.ts';

const field = 'cursor';

export class Cursors {
    readonly #area: HTMLTextAreaElement;
    readonly #mirror: HTMLElement;
    readonly #text: Y.Text;
    readonly #awareness: Awareness;
    #shown = '';

    constructor(area: HTMLTextAreaElement, mirror: HTMLElement, text: Y.Text, awareness: Awareness) {
        this.#area = area;
        this.#mirror = mirror;
        this.#text = text;
        this.#awareness = awareness;
        const show = (): void => this.#show();
        for (const event of ['focus', 'blur', 'select', 'input', 'keyup', 'pointerup'] as const) area.addEventListener(event, show);
        document.addEventListener('selectionchange', show);
        area.addEventListener('scroll', () => this.#follow());
        awareness.on('change', () => this.draw());
    }

    /** What others show, in the text as it is now. */
    draw(): void {
        const text = this.#text.toString();
        const marks = [...this.#awareness.getStates()].filter(([client]) => client !== this.#awareness.clientID)
            .flatMap(([, state]) => this.#markOf(state)).sort((a, b) => a.from - b.from);
        const parts: (Node | string)[] = [];
        let at = 0;
        for (const {from, to, head, name} of marks) {
            const start = Math.max(at, from);
            parts.push(text.slice(at, start));
            const caret = make('span', {class: 'caret', 'data-tone': toneOf(name), 'data-testid': 'caret'}, make('span', {class: 'caret__name', text: name}));
            const selected = make('span', {class: 'caret__selected', 'data-tone': toneOf(name), text: text.slice(start, Math.max(start, to))});
            parts.push(...(head === from ? [caret, selected] : [selected, caret]));
            at = Math.max(start, to);
        }
        // A line that is empty at the end has its height here, too.
        this.#mirror.replaceChildren(...parts, `${text.slice(at)}\u200b`);
        this.#follow();
    }

    #follow(): void {
        this.#mirror.scrollTop = this.#area.scrollTop;
    }

    // Places that move with the text, whoever changes it.
    #show(): void {
        const here = document.activeElement === this.#area;
        const {selectionStart, selectionEnd, selectionDirection} = this.#area;
        const ends = selectionDirection === 'backward' ? [selectionEnd, selectionStart] : [selectionStart, selectionEnd];
        const cursor = here ? ends.map((place) => Y.relativePositionToJSON(Y.createRelativePositionFromTypeIndex(this.#text, place))) : null;
        const said = JSON.stringify(cursor);
        if (said === this.#shown) return;
        this.#shown = said;
        this.#awareness.setLocalStateField(field, cursor);
    }

    // It comes from another page, which may show anything.
    #markOf(state: Record<string, unknown>): {from: number; to: number; head: number; name: string}[] {
        const name = (state.user as {name?: unknown} | undefined)?.name;
        try {
            const [anchor, head] = (state[field] as unknown[]).map((place) => {
                const found = Y.createAbsolutePositionFromRelativePosition(Y.createRelativePositionFromJSON(place), this.#text.doc!);
                if (found?.type !== this.#text) throw new Error('it is nowhere in this text');
                return found.index;
            }) as [number, number];
            return [{from: Math.min(anchor, head), to: Math.max(anchor, head), head, name: typeof name === 'string' && name ? name.slice(0, 40) : 'Somebody'}];
        } catch {
            return [];  // it shows no place
        }
    }
}
