import {callable, check, invalid} from '../base/check.js';
import {PulsewireError} from '../base/errors.js';
import type {Channel} from '../client/channel.js';
import {guarded} from '../client/guarded.js';
import type {Message} from '../client/message.js';
import {Listeners} from './state_store.js';
import {againMs, StateStream, type Fold} from './stream.js';
import type {SharedMap} from './types.js';

/** A value and the offset of the message that set it. */
interface Entry {
    readonly value: unknown;
    readonly offset: number;
}

/** A change of this client that is shown, and not confirmed yet. */
interface Pending {
    readonly key: string;
    /** null: a deletion. */
    readonly value: unknown;
    /** Where the server has put it. */
    offset?: number;
    /** Resolves when it is in the entries, or came to nothing. */
    readonly settled: Promise<void>;
    settle(): void;
}

const keyRule = /^String [\w\-.:]{1,64}$/;

/** The newest message of each key, of a channel whose snapshots the server makes (docs/protocol.md 4.32). */
export class KeyedStore<T> implements SharedMap<T>, Fold {
    readonly type = undefined;
    readonly #channel: Channel<any>;
    readonly #messageType: string;
    readonly #listeners: Listeners;
    readonly #stream: StateStream;
    readonly #ended: () => void;
    #entries = new Map<string, Entry>();
    /** Those of a state that begins anew, until it is whole. */
    #next: Map<string, Entry> | undefined;
    /** Oldest first. */
    readonly #pending = new Set<Pending>();
    #snapshot: ReadonlyMap<string, T> | undefined;
    #closed = false;

    constructor(channel: Channel<any>, type: string, ended: () => void) {
        this.#channel = channel;
        this.#messageType = type;
        this.#ended = ended;
        this.#listeners = new Listeners(channel);
        this.#stream = new StateStream(channel, this);
    }

    get(key: string): T | undefined {
        return this.getSnapshot().get(key);
    }

    has(key: string): boolean {
        return this.getSnapshot().has(key);
    }

    get size(): number {
        return this.getSnapshot().size;
    }

    entries(): IterableIterator<[string, T]> {
        return this.getSnapshot().entries() as IterableIterator<[string, T]>;
    }

    readonly getSnapshot = (): ReadonlyMap<string, T> => {
        if (this.#snapshot) return this.#snapshot;
        const all = new Map<string, T>();
        for (const [key, {value}] of this.#entries) all.set(key, value as T);
        for (const {key, value} of this.#pending) {
            if (value === null) all.delete(key);
            else all.set(key, value as T);
        }
        return (this.#snapshot = all);
    };

    readonly subscribe = (listener: () => void): (() => void) => this.#listeners.add(listener);

    set(key: string, value: T): Promise<void> {
        return this.#guarded('setting', key, async () => {
            if (value === undefined || value === null) throw invalid(`a value cannot be ${value}: delete() the key`);
            await this.#publish(key, value);
        });
    }

    delete(key: string): Promise<void> {
        return this.#guarded('deleting', key, () => this.#publish(key, null));
    }

    update(key: string, change: (value: T | undefined) => T | undefined): Promise<T | undefined> {
        return this.#guarded('updating', key, async () => {
            check('change', change, callable);
            for (;;) {
                await this.#stream.ready;
                if (this.#closed) throw new PulsewireError('closed', 'The state was closed.');
                // What is shown while it begins anew may be of a log that is lost.
                if (!this.#stream.whole) {
                    await this.#nextChange();
                    continue;
                }
                // One after the other: where a change that is on its way will be is not known.
                for (let found; (found = [...this.#pending].find((pending) => pending.key === key)); ) await found.settled;
                if (!this.#stream.whole) continue;
                const offset = this.#offsetOf(key);
                const before = this.#entries.get(key)?.value as T | undefined;
                const value = change(before);
                if (value === before) return value;
                try {
                    await this.#publish(key, value ?? null, offset);
                    return value;
                } catch (error: any) {
                    if (error.code !== 'conflict') throw error;
                }
                // What has come between is on its way here, unless it came to nothing.
                if (this.#offsetOf(key) === offset) await this.#nextChange();
            }
        });
    }

    get ready(): Promise<void> {
        return this.#stream.ready;
    }

    get offset(): number {
        return this.#stream.offset;
    }

    offer(): Promise<boolean> {
        return this.#stream.offer();
    }

    close(): void {
        this.#closed = true;
        this.#ended();
        this.#stream.close();
        this.#listeners.clear();
        for (const {settle} of this.#pending) settle();
        this.#pending.clear();
    }

    // --- the fold ---

    begin(): void {
        this.#next = new Map();
    }

    load(saved: unknown): void {
        for (const message of saved as Message[]) this.take(message);
    }

    take({type, conflate = type, payload, offset}: Message): void {
        const entries = this.#next ?? this.#entries;
        if (payload === null) entries.delete(conflate);
        else entries.set(conflate, {value: payload, offset: offset!});
        if (this.#next) return;
        this.#settle(offset!);
        this.#change();
    }

    whole(): void {
        if (this.#next) this.#entries = this.#next;
        this.#next = undefined;
        this.#settle(this.#stream.offset);
        this.#change();
    }

    save(): unknown {
        return undefined;
    }

    clear(): void {
        this.#next = undefined;
        this.#entries = new Map();
        this.#settle(Infinity);
        this.#change();
    }

    // --- what is on its way ---

    async #publish(key: string, value: unknown, ifOffset?: number): Promise<void> {
        check('key', key, keyRule);
        let settle!: () => void;
        const settled = new Promise<void>((resolve) => (settle = resolve));
        const pending: Pending = {key, value, settled, settle};
        this.#pending.add(pending);
        this.#change();
        try {
            pending.offset = (await this.#channel.publish(this.#messageType, value, {conflate: key, ifOffset}))!.offset;
            if (this.#stream.whole) this.#settle(this.#stream.offset);
        } catch (error) {
            this.#pending.delete(pending);
            settle();
            throw error;
        } finally {
            this.#change();
        }
    }

    /** The entries have what came up to this offset. */
    #settle(offset: number): void {
        for (const pending of this.#pending) {
            if (!(pending.offset! <= offset)) continue;
            this.#pending.delete(pending);
            pending.settle();
        }
    }

    #offsetOf(key: string): number {
        return this.#entries.get(key)?.offset ?? 0;
    }

    #nextChange(): Promise<void> {
        return new Promise((resolve) => {
            const done = () => {
                clearTimeout(timer);
                stop();
                resolve();
            };
            const timer = setTimeout(done, againMs);
            const stop = this.subscribe(done);
        });
    }

    #change(): void {
        this.#snapshot = undefined;
        this.#listeners.tell();
    }

    #guarded<R>(doing: string, key: string, act: () => Promise<R>): Promise<R> {
        return guarded(act(), (error) => this.#channel.session.unheard(error, `${doing} ${String(key)} in channel ${this.#channel.name}`));
    }
}
