import {randomFrom} from './random.js';
import {turn} from './turns.js';

interface Timer {
    readonly call: (...args: unknown[]) => void;
    readonly args: unknown[];
    /** Of an interval; undefined: it fires once. */
    readonly everyMs: number | undefined;
    dueMs: number;
}

/** What setTimeout() returns: a number, or where the real one is Node's an object that a program may let go of. */
function handleOf(id: number, node: boolean): unknown {
    if (!node) return id;
    const handle = {ref: () => handle, unref: () => handle, hasRef: () => true, [Symbol.toPrimitive]: () => id};
    return handle;
}

/** When virtual time begins: 2026-01-01. */
const startMs = 1_767_225_600_000;

/**
 * Time that passes only when it is told to, in place of this thread's timers and clocks, and random numbers of a seed in
 * place of its own. So a run with many reconnects takes no time, and the same seed takes the same course.
 */
export class VirtualTime {
    /** A thread has one: several servers share it. */
    static #shared: VirtualTime | undefined;
    #users = 0;
    #nowMs = 0;
    #lastId = 0;
    readonly #timers = new Map<number, Timer>();
    readonly #restore: (() => void)[] = [];

    /** The time of this thread, from now on until each that has asked for it calls end(). The first one's seed counts. */
    static begin(seed: number): VirtualTime {
        const time = (VirtualTime.#shared ??= new VirtualTime(seed));
        time.#users++;
        return time;
    }

    private constructor(seed: number) {
        const nodes = typeof globalThis.setTimeout(() => {}) === 'object';
        const add = (everyMs: number | undefined, call: any, delayMs: unknown, args: unknown[]) => {
            this.#timers.set(++this.#lastId, {call, args, everyMs, dueMs: this.#nowMs + Math.max(Number(delayMs) || 0, 0)});
            return handleOf(this.#lastId, nodes);
        };
        const clear = (id: unknown) => void this.#timers.delete(Number(id));
        const {performance, crypto, Math, Date: RealDate} = globalThis;
        const now = () => startMs + Math.floor(this.#nowMs);
        class VirtualDate extends RealDate {
            constructor(...args: []) {
                super(...(args.length ? args : ([now()] as unknown as [])));
            }

            static override now = now;
        }
        const random = randomFrom(seed);
        this.#replace(globalThis, {
            setTimeout: (call: any, delayMs?: number, ...args: unknown[]) => add(undefined, call, delayMs, args),
            setInterval: (call: any, delayMs?: number, ...args: unknown[]) => add(Math.max(delayMs ?? 0, 1), call, delayMs, args),
            clearTimeout: clear,
            clearInterval: clear,
            Date: VirtualDate,
        });
        this.#replace(performance, {now: () => this.#nowMs});
        this.#replace(Math, {random});
        if (crypto) this.#replace(crypto, {getRandomValues: <T extends Uint32Array>(into: T) => (into.forEach((_, at) => (into[at] = random() * 2 ** 32)), into)});
    }

    /** Lets so much time pass: each timer fires at its moment, and what it brings about happens before the next one. */
    async advance(ms: number): Promise<void> {
        await turn();
        const endMs = this.#nowMs + ms;
        for (let next; (next = this.#next(endMs)); ) {
            const [id, timer] = next;
            this.#nowMs = Math.max(this.#nowMs, timer.dueMs);
            if (timer.everyMs) timer.dueMs += timer.everyMs;
            else this.#timers.delete(id);
            timer.call(...timer.args);
            await turn();
        }
        this.#nowMs = endMs;
    }

    /** The last call gives the thread its own time back. Timers that wait never fire then. */
    end(): void {
        if (--this.#users) return;
        VirtualTime.#shared = undefined;
        for (const restore of this.#restore.splice(0).reverse()) restore();
    }

    /** The timer that is due first, by then. */
    #next(byMs: number): [number, Timer] | undefined {
        let first: [number, Timer] | undefined;
        for (const entry of this.#timers) {
            if (first ? entry[1].dueMs < first[1].dueMs : entry[1].dueMs <= byMs) first = entry;
        }
        return first;
    }

    #replace(object: object, members: Record<string, unknown>): void {
        for (const [name, value] of Object.entries(members)) {
            const before = Object.getOwnPropertyDescriptor(object, name);
            Object.defineProperty(object, name, {value, configurable: true, writable: true});
            this.#restore.push(() => (before ? Object.defineProperty(object, name, before) : Reflect.deleteProperty(object, name)));
        }
    }
}
