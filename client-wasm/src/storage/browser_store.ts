import type {Store, StoredMessage, StoredPosition} from './store.js';

interface Row extends StoredMessage {
    readonly scope: string;
    readonly owner: string;
}

/** The memory of a tab across its pages. */
interface Tab {
    /** The client that stood in this tab last. */
    owner?: string;
    positions: Record<string, StoredPosition>;
}

const table = 'messages';
// A page that is reloaded is gone for a moment; its successor in the same tab comes first.
const takeoverAfterMs = 5000;
// A page that was left holds its lock for some milliseconds more.
const predecessorMs = 500;
const positionsMax = 200;

/**
 * Messages in IndexedDB, positions in the tab's own sessionStorage. Each client holds a Web Lock of its name for its
 * life. A message whose owner's lock is free has lost its owner, and whoever holds that lock may take it over.
 */
export class BrowserStore implements Store {
    readonly #name: string;
    readonly #over = new AbortController();
    readonly #watched = new Set<string>();
    #scope = '';
    #owner = '';
    #adopt!: (messages: readonly StoredMessage[]) => void;
    #database!: IDBDatabase;
    #news: BroadcastChannel | undefined;

    constructor(name: string) {
        this.#name = name;
    }

    async open(scope: string, owner: string, adopt: (messages: readonly StoredMessage[]) => void): Promise<void> {
        this.#scope = scope;
        this.#owner = owner;
        this.#adopt = adopt;
        const before = this.#follow();
        if (!globalThis.navigator?.locks) throw new Error('there are no Web Locks here; they need https: or localhost');
        if (!globalThis.indexedDB) throw new Error('there is no IndexedDB here');
        // The lock first: a message without a held lock is an orphan.
        await this.#hold();
        this.#database = await openDatabase(this.#name);
        if (this.#over.signal.aborted) return this.#database.close();
        this.#news = new BroadcastChannel(this.#prefix);
        this.#news.onmessage = ({data}) => void this.#watch(String(data));
        this.#news.postMessage(owner);
        const {held = []} = await navigator.locks.query();
        for (const {name = ''} of held) if (name.startsWith(this.#prefix)) void this.#watch(name.slice(this.#prefix.length));
        for (const other of await this.#owners()) {
            if (!(await this.#claim(other, other === before ? predecessorMs : 0))) void this.#watch(other);
        }
        const left = this.#left();
        if (!left.length) return;
        await this.put(left);
        sessionStorage.removeItem(this.#leftKey);
        this.#adopt(left);
    }

    put(messages: readonly StoredMessage[]): Promise<void> {
        return this.#change((rows) => {
            for (const message of messages) rows.put({...message, scope: this.#scope, owner: this.#owner});
        });
    }

    remove(keys: readonly string[]): Promise<void> {
        return this.#change((rows) => {
            for (const key of keys) rows.delete(key);
        });
    }

    position(channel: string): StoredPosition | undefined {
        return this.#remembered().positions[channel];
    }

    savePositions(positions: ReadonlyMap<string, StoredPosition>): void {
        const tab = this.#remembered();
        // Those that moved last stand last; the oldest go first.
        const rest = Object.entries(tab.positions).filter(([channel]) => !positions.has(channel));
        this.#remember({...tab, positions: Object.fromEntries([...rest, ...positions].slice(-positionsMax))});
    }

    // Set only between two pages of a tab: a tab that is duplicated while its page lives finds nothing.
    takeSession(): string | undefined {
        const session = sessionStorage.getItem(this.#sessionKey) ?? '';
        sessionStorage.removeItem(this.#sessionKey);
        return /^[\w-]{8,64}( [\w.=-]+)?$/.test(session) ? session : undefined;
    }

    leaveSession(session: string): void {
        sessionStorage.setItem(this.#sessionKey, session);
    }

    // IndexedDB has nothing that is done when it returns. An earlier page's may not have been taken yet.
    leaveMessages(messages: readonly StoredMessage[]): void {
        sessionStorage.setItem(this.#leftKey, JSON.stringify([...this.#left(), ...messages]));
    }

    #left(): StoredMessage[] {
        return JSON.parse(sessionStorage.getItem(this.#leftKey) ?? '[]') as StoredMessage[];
    }

    get #leftKey(): string {
        return `${this.#prefix}left`;
    }

    forget(): void {
        this.#remember({...this.#remembered(), positions: {}});
        sessionStorage.removeItem(this.#sessionKey);
    }

    get #sessionKey(): string {
        return `pulsewire/${this.#name}/session`;
    }

    close(): void {
        this.#over.abort();
        this.#news?.close();
        // Lets its transactions end first. Undefined where it was closed before it was open.
        (this.#database as IDBDatabase | undefined)?.close();
    }

    get #prefix(): string {
        return `pulsewire/${this.#name}/${this.#scope}/`;
    }

    /** Notes that this client stands in the tab now; tells which one did before. */
    #follow(): string | undefined {
        try {
            const tab = this.#remembered();
            this.#remember({...tab, owner: this.#owner});
            return tab.owner;
        } catch {
            // Positions will say so. Without its place in line this page is like a new tab.
            return undefined;
        }
    }

    /** Another client of this tab may have written meanwhile, so it is read each time. */
    #remembered(): Tab {
        return {positions: {}, ...JSON.parse(sessionStorage.getItem(this.#prefix) ?? '{}') as Partial<Tab>};
    }

    #remember(tab: Tab): void {
        sessionStorage.setItem(this.#prefix, JSON.stringify(tab));
    }

    /** Holds the lock of this client's name until close(), or until the page is gone. */
    #hold(): Promise<void> {
        return new Promise((held, failed) => {
            navigator.locks.request(this.#prefix + this.#owner, () => {
                held();
                const {signal} = this.#over;
                if (!signal.aborted) return new Promise<void>((over) => signal.addEventListener('abort', () => over()));
            }).catch(failed);
        });
    }

    /** Waits for the end of another client, leaves its successor in the tab some time, and takes over what is left. */
    async #watch(other: string): Promise<void> {
        if (other === this.#owner || this.#watched.has(other)) return;
        this.#watched.add(other);
        const {signal} = this.#over;
        try {
            do {
                await navigator.locks.request(this.#prefix + other, {signal}, () => {});
                await new Promise((waited) => setTimeout(waited, takeoverAfterMs));
            } while (!signal.aborted && !(await this.#claim(other)));
        } catch {
            // Closed. Or the storage failed, which the next message will tell; the orphans stay where they are.
        }
        this.#watched.delete(other);
    }

    /** Takes over another client's messages if its lock is free, or becomes so soon; false when it lives. */
    async #claim(other: string, waitMs = 0): Promise<boolean> {
        if (other === this.#owner) return true;
        const waiting = new AbortController();
        const timer = waitMs && setTimeout(() => waiting.abort(), waitMs);
        const how = waitMs ? {signal: waiting.signal} : {ifAvailable: true};
        try {
            return await navigator.locks.request(this.#prefix + other, how, async (lock) => {
                clearTimeout(timer);
                if (lock) this.#adopt(await this.#takeOver(other));
                return lock !== null;
            });
        } catch (error) {
            if (waiting.signal.aborted) return false;
            throw error;
        }
    }

    /** Everybody who left messages for this server. */
    async #owners(): Promise<Set<string>> {
        const owners = new Set<string>();
        await this.#change((rows) => {
            const walk = rows.index('owner').openKeyCursor(IDBKeyRange.bound([this.#scope], [this.#scope, []]), 'nextunique');
            walk.onsuccess = () => {
                const cursor = walk.result;
                if (!cursor) return;
                owners.add((cursor.key as string[])[1]!);
                cursor.continue();
            };
        }, false);
        return owners;
    }

    /** Makes them this client's own, in one transaction. */
    async #takeOver(other: string): Promise<Row[]> {
        let taken: Row[] = [];
        await this.#change((rows) => {
            const all = rows.index('owner').getAll([this.#scope, other]) as IDBRequest<Row[]>;
            all.onsuccess = () => {
                taken = all.result;
                for (const row of taken) rows.put({...row, owner: this.#owner});
            };
        }, false);
        return taken;
    }

    /** One transaction; `whole` when all its requests are made at once, so that it need not wait for their answers. */
    #change(act: (rows: IDBObjectStore) => void, whole = true): Promise<void> {
        return new Promise((done, failed) => {
            const transaction = this.#database.transaction(table, 'readwrite');
            transaction.oncomplete = () => done();
            transaction.onabort = () => failed(transaction.error);
            try {
                act(transaction.objectStore(table));
                // The page may be gone before the answers would have come.
                if (whole) transaction.commit?.();
            } catch (error) {
                failed(error);
                transaction.abort();
            }
        });
    }
}

/** Deletes all that is kept under a name. Open databases of that name close by themselves. */
export function deleteStored(name: string): Promise<void> {
    const prefix = `pulsewire/${name}/`;
    for (const key of Object.keys(sessionStorage)) if (key.startsWith(prefix)) sessionStorage.removeItem(key);
    return new Promise((deleted, failed) => {
        const request = indexedDB.deleteDatabase(name);
        request.onsuccess = () => deleted();
        request.onerror = () => failed(request.error);
    });
}

function openDatabase(name: string): Promise<IDBDatabase> {
    return new Promise((opened, failed) => {
        const request = indexedDB.open(name, 1);
        request.onupgradeneeded = () => {
            request.result.createObjectStore(table, {keyPath: 'key'}).createIndex('owner', ['scope', 'owner']);
        };
        request.onsuccess = () => {
            // Somebody deletes the database, or a later version changes it: not to be held up.
            request.result.onversionchange = () => request.result.close();
            opened(request.result);
        };
        request.onerror = () => failed(request.error);
    });
}
