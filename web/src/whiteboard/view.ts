// The look of the board: tools, two layers of canvas (what is kept, and what is being drawn), and everybody's pointer.

import type {Member} from 'pulsewire';
import {initialOf, toneOf} from '../chat/names.ts';
import type {BoardPointer, BoardStroke} from '../messages.ts';
import {byId, make} from '../shared/dom.ts';
import {showError} from '../shared/errors.ts';
import type {Board} from './board.ts';
import {Hand} from './hand.ts';
import {Layer, type Line} from './layer.ts';

const pens = ['Ink', 'Blue', 'Green', 'Orange', 'Red', 'Violet'];
const widths = ['Fine', 'Medium', 'Broad'];
const liveSilentMs = 10_000;

type Pointer = Omit<BoardPointer, 'by'>;

export class BoardView {
    readonly #board: Board;
    readonly #session: () => string;
    readonly #kept = new Layer(byId<HTMLCanvasElement>('kept'));
    readonly #live = new Layer(byId<HTMLCanvasElement>('live'));
    readonly #hand = new Hand(byId('board'));
    #frame: number | undefined;
    readonly #names = new Map<string, string>();
    readonly #pointers = new Map<string, {element: HTMLElement; line: Line; at: number}>();

    constructor(board: Board, session: () => string) {
        this.#board = board;
        this.#session = session;
        choices('pens', 'pen', pens, 1);
        choices('widths', 'width', widths, 1);
        const again = (): void => {
            this.redraw();
            this.#drawLive();
        };
        new ResizeObserver(again).observe(byId('board'));
        matchMedia('(prefers-color-scheme: dark)').addEventListener('change', again);
        new MutationObserver(again).observe(document.documentElement, {attributeFilter: ['data-theme']});
        setInterval(() => this.#forgetSilent(), 1000);
    }

    /** Somebody's line has become a stroke of the board. */
    drawn(by: string): void {
        const pointer = this.#pointers.get(by);
        if (!pointer) return;
        pointer.line = {...pointer.line, points: []};
        this.#drawLive();
    }

    /** The whole board is there, so long after the page began. */
    showWhole(ms: number): void {
        byId('whole').textContent = `There after ${(ms / 1000).toFixed(2)} s`;
        byId('whole').dataset.ms = String(Math.round(ms));
    }

    /** Once for all that comes before the screen is painted. */
    redrawSoon(): void {
        this.#frame ??= requestAnimationFrame(() => this.redraw());
    }

    redraw(): void {
        this.#frame = undefined;
        const strokes = this.#board.visible;
        this.#kept.draw(strokes);
        byId('strokes').textContent = `${strokes.length.toLocaleString('en')} ${strokes.length === 1 ? 'stroke' : 'strokes'}`;
        const people = new Set(strokes.map(({by}) => by)).size;
        byId('kept').setAttribute('aria-label', strokes.length === 0 ? 'An empty board'
            : `${strokes.length} ${strokes.length === 1 ? 'stroke' : 'strokes'} of ${people} ${people === 1 ? 'person' : 'people'}`);
        byId('board').dataset.strokes = String(strokes.length);
        byId('undo').setAttribute('aria-disabled', String(!this.#board.lastOf(this.#session())));
    }

    /** Somebody else's pointer, with the newest part of the line that it draws. */
    point({by, x, y, pen, width, points}: BoardPointer): void {
        const pointer = this.#pointers.get(by) ?? this.#addPointer(by);
        put(pointer.element, x, y);
        pointer.at = Date.now();
        pointer.line = points.length === 0 ? {pen, width, points: []} : {pen, width, points: [...pointer.line.points, ...points]};
        this.#drawLive();
    }

    showPeople(members: readonly Member[], own: string): void {
        this.#names.clear();
        for (const {session, info} of members) this.#names.set(session, nameOf(info));
        for (const session of this.#pointers.keys()) if (!this.#names.has(session)) this.#removePointer(session);
        byId('people').replaceChildren(...members.map(({session}) => {
            const name = this.#names.get(session)!;
            return make('li', {title: name}, make('span', {class: 'avatar', 'data-tone': toneOf(name), 'aria-hidden': 'true', text: initialOf(name)}),
                make('span', {text: session === own ? `${name} (you)` : name}));
        }));
    }

    showProblem(error: unknown): void {
        showError(byId('board-error'), error);
    }

    onStroke(done: (stroke: BoardStroke) => void): void {
        this.#hand.onLine((points) => {
            this.#live.draw(this.#lines());
            done({id: crypto.getRandomValues(new Uint32Array(3)).join('-'), by: '', ...chosen(), points});
        });
    }

    /** `told` gets the pointer's place, and says whether it has passed it on; the points of a line wait until it has. */
    onPointer(told: (pointer: Pointer, lifted: boolean) => boolean): void {
        let passed = 0;
        this.#hand.onMove(([x, y], line, lifted) => {
            if (line.length < passed) passed = 0;
            const points = line.slice(passed);
            if (told({x, y, ...chosen(), points}, lifted)) passed = line.length;
            this.#live.draw([...this.#lines(), {...chosen(), points: line}]);
        });
    }

    onUndo(undo: () => void): void {
        byId('undo').addEventListener('click', undo);
        addEventListener('keydown', (event) => {
            if (event.key !== 'z' || !(event.ctrlKey || event.metaKey) || event.shiftKey) return;
            event.preventDefault();
            undo();
        });
    }

    onClear(clear: () => void): void {
        byId('clear').addEventListener('click', clear);
    }

    #lines(): Line[] {
        return [...this.#pointers.values()].map(({line}) => line);
    }

    #drawLive(): void {
        this.#live.draw([...this.#lines(), {...chosen(), points: this.#hand.line}]);
    }

    #addPointer(session: string) {
        const name = this.#names.get(session) ?? 'Somebody';
        const element = make('li', {class: 'cursor', 'data-tone': toneOf(name)}, make('span', {class: 'cursor__name', text: name}));
        byId('pointers').append(element);
        const pointer = {element, line: {pen: 0, width: 0, points: []} as Line, at: Date.now()};
        this.#pointers.set(session, pointer);
        return pointer;
    }

    #removePointer(session: string): void {
        this.#pointers.get(session)?.element.remove();
        this.#pointers.delete(session);
        this.#drawLive();
    }

    #forgetSilent(): void {
        for (const [session, {at}] of this.#pointers) if (Date.now() - at > liveSilentMs) this.#removePointer(session);
    }
}

// A row of radio buttons; what is chosen is asked of them.
function choices(place: string, name: string, labels: string[], checked: number): void {
    byId(place).append(...labels.map((label, i) => make('label', {class: 'tool', 'data-tool': `${name}-${i}`},
        make('input', {type: 'radio', name, value: i, checked: i === checked}), make('span', {class: 'tool__dot', 'aria-hidden': 'true'}),
        make('span', {class: 'visually-hidden', text: label}))));
}

const chosen = (): {pen: number; width: number} => {
    const value = (name: string): number => Number(document.querySelector<HTMLInputElement>(`input[name=${name}]:checked`)!.value);
    return {pen: value('pen'), width: value('width')};
};

function put(element: HTMLElement, x: number, y: number): void {
    element.style.setProperty('--x', x.toFixed(4));
    element.style.setProperty('--y', y.toFixed(4));
}

const nameOf = (info: unknown): string => {
    const name = (info as {name?: unknown} | null)?.name;
    return typeof name === 'string' && name ? name.slice(0, 40) : 'Somebody';
};
