/** Lines that are kept; beyond: the oldest are forgotten. */
const linesMax = 10_000;
/** Characters of a text that are kept; a longer one ends with an ellipsis. */
const textMax = 1_000;

/**
 * What happened, one line each: milliseconds since the server began, the connection, a sign (`○` opens, `→` the client
 * sends, `←` it gets, `×` it ends, `!` a fault or a refusal) and the text.
 */
export class Trace {
    readonly #lines: string[] = [];
    readonly #beganMs = performance.now();

    note(connection: number, sign: '○' | '→' | '←' | '×' | '!', text: string): void {
        const ms = Math.round(performance.now() - this.#beganMs);
        if (this.#lines.length === linesMax) this.#lines.shift();
        const kept = text.length > textMax ? `${text.slice(0, textMax)}…` : text;
        this.#lines.push(`${ms} ${connection ? `#${connection}` : '-'} ${sign} ${kept}`);
    }

    lines(): string[] {
        return [...this.#lines];
    }
}
