// Two lists and their comparison: the numbers that the writer handed to the SDK, and those that the reader got from it.
// Nothing else decides what counts as lost or as doubled.

import type {Position} from 'pulsewire';

/** A list of numbers in which neighbours are kept as one range: [1, 400], [402, 500]. */
export class NumberList {
    readonly ranges: [number, number][];

    constructor(ranges: [number, number][] = []) {
        this.ranges = ranges;
    }

    /** Whether it was not in the list before. */
    add(n: number): boolean {
        const {ranges} = this;
        let i = ranges.length;
        while (i > 0 && ranges[i - 1]![0] > n) i -= 1;
        const [before, after] = [ranges[i - 1], ranges[i]];
        if (before && n <= before[1]) return false;
        if (before && before[1] === n - 1) before[1] = n;
        else ranges.splice(i++, 0, [n, n]);
        if (after && after[0] === n + 1) {
            ranges[i - 1]![1] = after[1];
            ranges.splice(i, 1);
        }
        return true;
    }

    get count(): number {
        return this.#countUpTo(Infinity);
    }

    get last(): number {
        return this.ranges.at(-1)?.[1] ?? 0;
    }

    /** How many of these numbers, none above `max`, the other list does not have. */
    countMissingIn(other: NumberList, max: number): number {
        let both = 0;
        for (const [from, to] of this.ranges) {
            for (const [start, end] of other.ranges) both += Math.max(0, Math.min(to, end, max) - Math.max(from, start) + 1);
        }
        return this.#countUpTo(max) - both;
    }

    #countUpTo(max: number): number {
        return this.ranges.reduce((sum, [from, to]) => sum + Math.max(0, Math.min(to, max) - from + 1), 0);
    }
}

export interface Verdict {
    written: number;
    arrived: number;
    /** Written before one that arrived, and not arrived: messages of one writer come in order. */
    lost: number;
    doubled: number;
    /** Written after all that arrived. */
    onTheWay: number;
}

interface Kept {
    run: string;
    log: string;
    written: [number, number][];
    arrived: [number, number][];
    doubled: number;
    position: Position | undefined;
}

const key = 'pulsewire-lose';

/** The lists of one run, kept across reloads of this tab. */
export class Ledger {
    readonly run: string;
    readonly written: NumberList;
    readonly #log: string;
    readonly #arrived: NumberList;
    #doubled: number;
    #forgotten = false;
    /** Where the reader is in the channel: saved together with its list, so that both are always of one moment. */
    position: Position | undefined;

    /** Goes on with what this tab kept, if that is of the same log. */
    constructor(log: string) {
        const kept = read();
        const same = kept?.log === log ? kept : undefined;
        this.#log = log;
        this.run = same?.run ?? crypto.getRandomValues(new Uint32Array(2)).join('-');
        this.written = new NumberList(same?.written);
        this.#arrived = new NumberList(same?.arrived);
        this.#doubled = same?.doubled ?? 0;
        this.position = same?.position;
    }

    arrive(n: number, position: Position | undefined): void {
        if (!this.#arrived.add(n)) this.#doubled += 1;
        this.position = position;
    }

    get verdict(): Verdict {
        const lost = this.written.countMissingIn(this.#arrived, this.#arrived.last);
        return {
            written: this.written.count, arrived: this.#arrived.count, doubled: this.#doubled, lost,
            onTheWay: this.written.countMissingIn(this.#arrived, Infinity) - lost,
        };
    }

    save(): void {
        if (this.#forgotten) return;
        const kept: Kept = {
            run: this.run, log: this.#log, written: this.written.ranges, arrived: this.#arrived.ranges,
            doubled: this.#doubled, position: this.position,
        };
        write(JSON.stringify(kept));
    }

    /** The next page begins a new run. */
    forget(): void {
        this.#forgotten = true;
        write('');
    }
}

function read(): Kept | undefined {
    try {
        return JSON.parse(sessionStorage.getItem(key) || 'null') ?? undefined;
    } catch {
        return undefined;  // without storage each page is a run of its own
    }
}

function write(text: string): void {
    try {
        sessionStorage.setItem(key, text);
    } catch {
        // Without storage a reload begins anew.
    }
}
