/** How late everything is that travels: a time, and a random one on top of it. */
export class Delay {
    ms = 0;
    jitterMs = 0;
    readonly #random: () => number;

    constructor(random: () => number) {
        this.#random = random;
    }

    next(): number {
        return this.ms + (this.jitterMs && this.#random() * this.jitterMs);
    }
}
