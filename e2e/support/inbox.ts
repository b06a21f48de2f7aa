// All arrivals, in order. Nothing is thrown away, so a test may wait for one thing and judge the whole afterwards.

import {soon} from './soon.ts';

export class Inbox<Item> {
    readonly items: Item[] = [];
    #read = 0;
    #arrived: (() => void)[] = [];

    put(item: Item): void {
        this.items.push(item);
        for (const wake of this.#arrived.splice(0)) wake();
    }

    /** The next item that fits, after those that were asked for before. */
    async next(what: string, fits: (item: Item) => boolean = () => true): Promise<Item> {
        const find = async (): Promise<Item> => {
            for (;;) {
                while (this.#read < this.items.length) {
                    const item = this.items[this.#read++]!;
                    if (fits(item)) return item;
                }
                await new Promise<void>((wake) => this.#arrived.push(wake));
            }
        };
        return soon(find(), () => `${shortened(what)}; what came: ${this.items.slice(-20).map(shortened).join(', ')}`);
    }
}

function shortened(value: unknown): string {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
