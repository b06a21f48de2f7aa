// How much arrived, how late, and whether anything was missed.

const samplesMax = 200;
const rateWindowMs = 5000;

export class Delivery {
    received = 0;
    missed = 0;
    latencyNow: number | undefined;
    #lastOffset: number | undefined;
    readonly #latencies: number[] = [];
    #arrivals: number[] = [];

    /** Offsets of a channel grow by one; a jump is what was missed. */
    count(offset: number | undefined): void {
        this.received += 1;
        if (offset === undefined) return;
        if (this.#lastOffset !== undefined && offset > this.#lastOffset + 1) this.missed += offset - this.#lastOffset - 1;
        this.#lastOffset = offset;
    }

    /** These will not come; the next one is `to` + 1. In a log that begins anew `to` may be smaller than `from`. */
    miss(from: number, to: number): void {
        this.missed += Math.max(0, to - from + 1);
        this.#lastOffset = to;
    }

    /** For a message that came live, not out of the history. */
    measure(latencyMs: number): void {
        this.#arrivals.push(performance.now());
        this.latencyNow = latencyMs;
        this.#latencies.push(latencyMs);
        if (this.#latencies.length > samplesMax) this.#latencies.shift();
    }

    quantile(q: number): number | undefined {
        const sorted = [...this.#latencies].sort((a, b) => a - b);
        return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
    }

    get perSecond(): number {
        const now = performance.now();
        this.#arrivals = this.#arrivals.filter((at) => now - at < rateWindowMs);
        const window = Math.min(rateWindowMs, now - (this.#arrivals[0] ?? now));
        return window < 1000 ? this.#arrivals.length : this.#arrivals.length / (window / 1000);
    }
}
