// A network with jitter, for those who have none: what comes is passed on up to so much later, each message by another delay,
// and in order, as over any TCP connection.

type Arrival = (now: number) => void;

export class BadNetwork {
    jitterMs = 0;
    readonly #waiting: Arrival[] = [];
    #last = 0;

    pass(arrival: Arrival): void {
        const now = performance.now();
        this.#last = Math.max(this.#last, now + Math.random() * this.jitterMs);
        if (this.#last <= now && this.#waiting.length === 0) return arrival(now);
        this.#waiting.push(arrival);
        // Timers of nearly the same moment may fire in any order; each passes on whoever waits longest.
        setTimeout(() => this.#waiting.shift()!(performance.now()), this.#last - now);
    }
}
