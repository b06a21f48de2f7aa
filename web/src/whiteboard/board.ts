// What is on the board: a state that every page makes of the channel's messages in the same way, and the strokes of this page
// that the server does not have yet.

import type {AnyMessage} from 'pulsewire';
import type {BoardStroke, Messages} from '../messages.ts';

/** From the lowest to the uppermost. */
export type Strokes = readonly BoardStroke[];

const grid = 10_000;  // places are shares of the board's sides, with four digits

/** The strokes after a message of the channel. A stroke is taken away by the session that drew it alone. */
export function drawn(strokes: Strokes, message: AnyMessage<Messages>): Strokes {
    switch (message.type) {
        case 'board.stroke':
            return [...strokes, message.payload];
        case 'board.undo': {
            const {id, by} = message.payload;
            return strokes.filter((stroke) => stroke.id !== id || stroke.by !== by);
        }
        case 'board.clear':
            return [];
        default:
            return strokes;
    }
}

/** How the strokes travel in a snapshot: whole numbers are a third shorter. */
export const save = (strokes: Strokes): unknown =>
    strokes.map(({id, by, pen, width, points}) => [id, by, pen, width, ...points.map((share) => Math.round(share * grid))]);

/** A snapshot comes from another page, which may have written anything. */
export function load(saved: unknown): Strokes {
    return (saved as unknown[][]).map(([id, by, pen, width, ...points]) => {
        if (typeof id !== 'string' || typeof by !== 'string' || ![pen, width, ...points].every(Number.isSafeInteger)) throw new Error('it holds something else than strokes');
        return {id, by, pen: pen as number, width: width as number, points: (points as number[]).map((place) => place / grid)};
    });
}

export class Board {
    #strokes: Strokes = [];
    /** Of this page, by id, in the order in which they were drawn. */
    readonly #waiting = new Map<string, BoardStroke>();
    /** Strokes that this page takes away, as soon as the server says so, too. */
    readonly #undone = new Set<string>();

    /** What the channel has. */
    show(strokes: Strokes): void {
        this.#strokes = strokes;
        if (this.#waiting.size) for (const {id} of strokes) this.#waiting.delete(id);
    }

    /** A stroke of this page, which the server does not have yet, lies above all others until it comes back. */
    add(stroke: BoardStroke): void {
        this.#waiting.set(stroke.id, stroke);
    }

    undo({id}: {id: string}): void {
        this.#undone.add(id);
    }

    get visible(): Strokes {
        if (!this.#waiting.size && !this.#undone.size) return this.#strokes;
        return [...this.#strokes, ...this.#waiting.values()].filter(({id}) => !this.#undone.has(id));
    }

    /** What this session would take away next. */
    lastOf(session: string): BoardStroke | undefined {
        return this.visible.filter(({by}) => by === session).at(-1);
    }
}
