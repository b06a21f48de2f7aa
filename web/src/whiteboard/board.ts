// What is on the board: a pure function of the channel's messages, whatever the order in which their pages are read.

import type {BoardClear, BoardStroke, BoardUndo} from '../messages.ts';

const nameOf = ({by, id}: {by: string; id: string}): string => `${by} ${id}`;

export class Board {
    readonly #strokes = new Map<string, {stroke: BoardStroke; offset: number}>();
    readonly #undone = new Set<string>();
    #clearedAt = 0;

    /** A stroke of this page's own that the server does not have yet is at infinity: above all others, until it comes back. */
    add(stroke: BoardStroke, offset = Infinity): void {
        for (const [name, kept] of this.#strokes) {
            if (kept.offset === Infinity && kept.stroke.id === stroke.id) this.#strokes.delete(name);
        }
        this.#strokes.set(nameOf(stroke), {stroke, offset});
    }

    /** Takes a stroke away, if it is of the same session. */
    undo(undo: BoardUndo): void {
        this.#undone.add(nameOf(undo));
    }

    clear(_: BoardClear, offset: number): void {
        this.#clearedAt = Math.max(this.#clearedAt, offset);
    }

    /** What the server has is read anew; what it does not have yet stays. */
    forgetKept(): void {
        for (const [name, {offset}] of this.#strokes) if (offset !== Infinity) this.#strokes.delete(name);
        this.#undone.clear();
        this.#clearedAt = 0;
    }

    /** Whether nothing that is older can be seen. */
    coversAllBefore(offset: number): boolean {
        return this.#clearedAt >= offset;
    }

    /** From the lowest to the uppermost. */
    get visible(): BoardStroke[] {
        return [...this.#strokes.entries()]
            .filter(([name, {offset}]) => offset > this.#clearedAt && !this.#undone.has(name))
            .sort(([, a], [, b]) => (a.offset === b.offset ? 0 : a.offset - b.offset))
            .map(([, {stroke}]) => stroke);
    }

    /** What this session would take away next. */
    lastOf(session: string): BoardStroke | undefined {
        return this.visible.filter(({by}) => by === session).at(-1);
    }
}
