// The last minute as two rows of bars, what was written and what arrived in each half second, and over them the times in
// which something was broken.

import {byId, makeSvg, prefersReducedMotion} from '../shared/dom.ts';

const windowMs = 60_000;
const bucketMs = 500;
const size = {width: 960, height: 260};
const rows = {written: {base: 130, up: true}, arrived: {base: 134, up: false}} as const;
const rowHeight = 96;

export type Row = keyof typeof rows;

interface Fault {
    label: string;
    from: number;
    to: number | undefined;
}

interface Kept {
    counts: [number, number, number][];
    faults: Fault[];
}

export class Timeline {
    readonly #svg = makeSvg('svg', {class: 'lose__svg', role: 'img', preserveAspectRatio: 'none', viewBox: `0 0 ${size.width} ${size.height}`});
    readonly #faultMarks = makeSvg('g', {class: 'lose__fault-marks'});
    readonly #paths = {written: makeSvg('path', {'data-row': 'written'}), arrived: makeSvg('path', {'data-row': 'arrived'})};
    readonly #labels: HTMLElement;
    /** By the start of each half second: what was written and what arrived in it. */
    readonly #counts = new Map<number, {written: number; arrived: number}>();
    #faults: Fault[] = [];

    constructor() {
        const place = byId('timeline');
        this.#labels = document.createElement('div');
        this.#labels.className = 'lose__fault-labels';
        this.#svg.append(this.#faultMarks, this.#paths.written, this.#paths.arrived);
        place.append(this.#svg, this.#labels);
        this.#draw();
        setInterval(() => this.#draw(), prefersReducedMotion() ? 1000 : 250);
    }

    count(row: Row, count: number): void {
        const bucket = Math.floor(Date.now() / bucketMs) * bucketMs;
        const counts = this.#counts.get(bucket) ?? {written: 0, arrived: 0};
        counts[row] += count;
        this.#counts.set(bucket, counts);
    }

    /** Marks the time from now on as broken, until the returned function is called. */
    begin(label: string, from = Date.now()): () => void {
        const fault: Fault = {label, from, to: undefined};
        this.#faults.push(fault);
        return () => { fault.to = Date.now(); };
    }

    /** What the next page of this tab goes on with. */
    get kept(): Kept {
        return {
            counts: [...this.#counts].map(([bucket, {written, arrived}]) => [bucket, written, arrived]),
            faults: this.#faults.map((fault) => ({...fault, to: fault.to ?? Date.now()})),
        };
    }

    goOn({counts, faults}: Kept): void {
        for (const [bucket, written, arrived] of counts) this.#counts.set(bucket, {written, arrived});
        this.#faults = faults;
    }

    #draw(): void {
        const now = Date.now();
        const start = now - windowMs;
        for (const bucket of this.#counts.keys()) if (bucket < start - bucketMs) this.#counts.delete(bucket);
        this.#faults = this.#faults.filter(({to}) => to === undefined || to > start);

        const x = (time: number): number => Math.max(0, ((time - start) / windowMs) * size.width);
        const most = Math.max(1, ...[...this.#counts.values()].flatMap(({written, arrived}) => [written, arrived]));
        for (const row of ['written', 'arrived'] as const) {
            const {base, up} = rows[row];
            // The square root, so that a burst does not flatten all the rest.
            const bars = [...this.#counts].filter(([, counts]) => counts[row] > 0).map(([bucket, counts]) => {
                const height = Math.sqrt(counts[row] / most) * rowHeight;
                const [left, right] = [x(bucket), x(Math.min(now, bucket + bucketMs)) - 1.5];
                return `M${left.toFixed(1)} ${base}V${(base + (up ? -height : height)).toFixed(1)}H${right.toFixed(1)}V${base}Z`;
            });
            this.#paths[row].setAttribute('d', bars.join(''));
        }
        this.#faultMarks.replaceChildren(...this.#faults.map(({from, to}) => makeSvg('rect', {
            x: x(from).toFixed(1), y: 0, width: Math.max(3, x(to ?? now) - x(from)).toFixed(1), height: size.height,
        })));
        this.#labels.replaceChildren(...this.#faults.map(({label, from}, i) => {
            const text = document.createElement('span');
            text.textContent = label;
            text.style.setProperty('--x', (x(from) / size.width).toFixed(4));
            text.style.setProperty('--y', String(i % 3));
            return text;
        }));
        const sum = (row: Row): number => [...this.#counts.values()].reduce((total, counts) => total + counts[row], 0);
        this.#svg.setAttribute('aria-label', `The last minute: ${sum('written')} written, ${sum('arrived')} arrived, ${this.#faults.length} times broken`);
    }
}
