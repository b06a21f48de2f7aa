import type {Channel} from '../client/channel.js';
import type {Client} from '../client/client.js';

/**
 * The client of a page, or a function that gives it, such as `() => (client ??= connect())`. The function is first called
 * when a component needs the client in a browser, and never where pages are rendered on a server.
 */
export type ClientSource = Client<any> | (() => Client<any>);

/** A value for components, in the form that React's useSyncExternalStore takes: all members may be used without the object. */
export interface Store<T> {
    /** The same object until there is another one. */
    readonly getSnapshot: () => T;
    /** Calls `listener` after each change; returns the function that ends it. */
    readonly subscribe: (listener: () => void) => () => void;
    /** The value where nothing is connected, as on a server. */
    readonly initial: T;
}

export function clientOf(source: ClientSource): Client<any> {
    return typeof source === 'function' ? source() : source;
}

/** Any number of listeners as one use: it begins with the first, and ends a moment after the last has gone. */
export class Listeners {
    readonly #begin: () => () => void;
    #listeners: readonly (() => void)[] = [];
    #end: (() => void) | undefined;

    constructor(begin: () => () => void) {
        this.#begin = begin;
    }

    readonly add = (listener: () => void): (() => void) => {
        const mine = () => listener();
        this.#end ??= this.#begin();
        this.#listeners = [...this.#listeners, mine];
        return () => {
            this.#listeners = this.#listeners.filter((other) => other !== mine);
            // A component that is mounted again at once, as in React's StrictMode, finds everything as it was.
            setTimeout(() => {
                if (this.#listeners.length) return;
                this.#end?.();
                this.#end = undefined;
            }, 0);
        };
    };

    readonly tell = (): void => {
        for (const listener of this.#listeners) listener();
    };
}

/**
 * The store of a channel that `make` made, one for all components that ask for the same `key`. The client is not looked for
 * before the store is used, so that nothing connects where components are only rendered.
 */
export function sharedStore<S extends Omit<Store<T>, 'initial'>, T>(
    source: ClientSource, name: string | undefined, key: string, initial: T, make: (client: Client<any>, channel: Channel<any>) => S,
): Store<T> & {readonly shared: () => S | undefined} {
    let found: S | undefined;
    const shared = (): S | undefined => {
        if (name === undefined || found) return found;
        const client = clientOf(source);
        const channel = client.channel<any>(name);
        let stores = known.get(channel);
        if (!stores) known.set(channel, (stores = new Map()));
        found = stores.get(key);
        if (!found) stores.set(key, (found = make(client, channel)));
        return found;
    };
    return {
        initial,
        shared,
        getSnapshot: () => shared()?.getSnapshot() ?? initial,
        subscribe: (listener) => shared()?.subscribe(listener) ?? (() => {}),
    };
}

const known = new WeakMap<Channel<any>, Map<string, any>>();

/** Time for a component to look at a failure. */
const patienceMs = 1_000;

/** Notices whether components look at a failure; one that none looks at goes to the console, since nothing fails in silence. */
export class Noticed {
    #looks = 0;

    look(): void {
        ++this.#looks;
    }

    /** The number of looks so far. */
    get looks(): number {
        return this.#looks;
    }

    failed(error: unknown, context: string, before = this.#looks): void {
        setTimeout(() => this.#looks > before || console.error(`${context}: ${error}`), patienceMs);
    }
}
