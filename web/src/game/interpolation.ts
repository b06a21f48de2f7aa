// What is drawn is a little in the past, so that the next tick is always there already: as far as ticks have been late within the
// last seconds, and not further. Between two ticks everybody moves in a straight line.

import type {GameTick} from '../messages.ts';

const tickMs = 50;
const memoryMs = 3_000;     // for how long a late tick is remembered
const delayMinMs = tickMs;  // there has to be a tick after the one that is drawn
const delayMaxMs = 500;     // whoever is later than this is seen to jump
const pacePerMs = 0.1;      // how fast the delay changes; faster would be seen

export class Interpolation {
    #ticks: GameTick[] = [];
    #arrivals: {at: number; behindMs: number}[] = [];
    #delayMs = 2 * tickMs;
    #drawnAt: number | undefined;

    add(tick: GameTick, now: number): void {
        const last = this.#ticks.at(-1);
        if (last && tick.at_ms <= last.at_ms) this.#forget();  // the server has begun anew
        this.#ticks.push(tick);
        // By how much this page's clock is ahead of the server's, delay included; the least of them is the quickest way.
        this.#arrivals.push({at: now, behindMs: now - tick.at_ms});
        this.#arrivals = this.#arrivals.filter(({at}) => now - at < memoryMs);
    }

    /** How much later than the quickest one a tick has been lately. */
    get jitterMs(): number {
        const behind = this.#arrivals.map(({behindMs}) => behindMs);
        return behind.length > 0 ? Math.max(...behind) - Math.min(...behind) : 0;
    }

    /** How far in the past the arena is drawn. */
    get delayMs(): number {
        return this.#delayMs;
    }

    /** The arena as it was at the moment to draw now; undefined before the first tick. */
    at(now: number): GameTick | undefined {
        this.#adapt(now);
        const quickest = Math.min(...this.#arrivals.map(({behindMs}) => behindMs));
        const moment = now - quickest - this.#delayMs;  // by the server's clock
        while (this.#ticks.length > 2 && this.#ticks[1]!.at_ms <= moment) this.#ticks.shift();
        const [before, after] = this.#ticks;
        if (!before || !after) return before;
        return between(before, after, (moment - before.at_ms) / (after.at_ms - before.at_ms));
    }

    get newest(): GameTick | undefined {
        return this.#ticks.at(-1);
    }

    #adapt(now: number): void {
        const wanted = Math.min(delayMaxMs, Math.max(delayMinMs, this.jitterMs + tickMs));
        const step = pacePerMs * (now - (this.#drawnAt ?? now));
        this.#delayMs += Math.max(-step, Math.min(step, wanted - this.#delayMs));
        this.#drawnAt = now;
    }

    #forget(): void {
        this.#ticks = [];
        this.#arrivals = [];
    }
}

function between(before: GameTick, after: GameTick, part: number): GameTick {
    const share = Math.min(1, Math.max(0, part));
    const players = before.players.map((player) => {
        const next = after.players.find(({session}) => session === player.session) ?? player;
        return {...player, x: player.x + (next.x - player.x) * share, y: player.y + (next.y - player.y) * share};
    });
    return {...before, players};
}
