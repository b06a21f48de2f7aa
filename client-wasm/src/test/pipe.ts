import type {Delay} from './delay.js';

interface Packet<T> {
    readonly what: T;
    readonly dueMs: number;
}

/** Timers may fire this much early. */
const earlyMs = 1;

/** One direction of a connection: what enters leaves in its order, late or, while it is stalled, not at all. */
export class Pipe<T> {
    readonly #delay: Delay;
    readonly #deliver: (what: T) => void;
    readonly #forget: () => void;
    #packets: Packet<T>[] = [];
    #lastDueMs = 0;
    #scheduled = false;
    #stalled: boolean;
    #ended = false;

    constructor(delay: Delay, stalled: boolean, deliver: (what: T) => void, forget: () => void) {
        this.#delay = delay;
        this.#stalled = stalled;
        this.#deliver = deliver;
        this.#forget = forget;
    }

    push(what: T): void {
        if (this.#ended) return;
        this.#lastDueMs = Math.max(this.#lastDueMs, performance.now() + this.#delay.next());
        this.#packets.push({what, dueMs: this.#lastDueMs});
        this.#schedule();
    }

    stall(stalled: boolean): void {
        this.#stalled = stalled;
        this.#schedule();
    }

    /** What is on its way is lost. */
    end(): void {
        this.#ended = true;
        this.#packets = [];
        this.#forget();
    }

    #schedule(): void {
        const first = this.#packets[0];
        if (this.#scheduled || this.#stalled || !first) return;
        this.#scheduled = true;
        const inMs = first.dueMs - performance.now();
        // A promise, because fake timers may hold microtasks that are asked for by name.
        if (inMs <= 0) void Promise.resolve().then(this.#flow);
        else setTimeout(this.#flow, inMs);
    }

    readonly #flow = (): void => {
        this.#scheduled = false;
        while (!this.#stalled && this.#packets.length && this.#packets[0]!.dueMs <= performance.now() + earlyMs) {
            this.#deliver(this.#packets.shift()!.what);
        }
        this.#schedule();
    };
}
