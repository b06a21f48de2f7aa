import {callable, check, invalid} from '../base/check.js';
import {PulsewireError} from '../base/errors.js';
import {randomName} from '../base/random.js';
import type {Channel} from '../client/channel.js';
import {guarded} from '../client/guarded.js';
import type {Message} from '../client/message.js';
import {Listeners} from './state_store.js';
import {StateStream, type Fold} from './stream.js';
import type {SharedMap} from './types.js';

/** A value and the offset of the message that set it, which is its version. */
interface Entry {
    readonly value: unknown;
    readonly version: number;
}

/** A change as it travels; without a value it is a deletion. */
interface Operation {
    readonly key: string;
    readonly value?: unknown;
    /** It counts only if this is the version of the key; 0: if there is none. */
    readonly if?: number;
    /** The writer's name for it. */
    readonly id: string;
}

/** A change of this client that is shown, and not confirmed yet. */
interface Pending extends Operation {
    /** Where the server has put it. */
    offset?: number;
    /** Whether it had effect, told by a state that is not whole yet. */
    effect?: boolean;
    /** Resolves when it has come back, with whether it had effect; undefined: that was not seen. */
    readonly settled: Promise<boolean | undefined>;
    settle(effect: boolean | undefined): void;
}

const keyRule = /^String [^]{1,1024}$/;
const nameCharacters = 10;

export class MapStore<T> implements SharedMap<T>, Fold {
    readonly type: string;
    readonly #channel: Channel<any>;
    readonly #operation: string;
    readonly #listeners: Listeners;
    readonly #stream: StateStream;
    readonly #ended: () => void;
    readonly #name = randomName().slice(0, nameCharacters);
    #count = 0;
    #entries = new Map<string, Entry>();
    /** Those of a state that begins anew, until it is whole. */
    #next: Map<string, Entry> | undefined;
    /** By their names, oldest first. */
    readonly #pending = new Map<string, Pending>();
    #snapshot: ReadonlyMap<string, T> | undefined;

    constructor(channel: Channel<any>, type: string, ended: () => void) {
        this.#channel = channel;
        this.#operation = type;
        this.#ended = ended;
        this.type = `${type}.state`;
        this.#listeners = new Listeners(channel);
        this.#stream = new StateStream(channel, this);
    }

    get(key: string): T | undefined {
        let value = this.#entries.get(key)?.value;
        for (const pending of this.#pending.values()) if (pending.key === key) ({value} = pending);
        return value as T | undefined;
    }

    has(key: string): boolean {
        return this.get(key) !== undefined;
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
        for (const {key, value} of this.#pending.values()) {
            if (value === undefined) all.delete(key);
            else all.set(key, value as T);
        }
        return (this.#snapshot = all);
    };

    readonly subscribe = (listener: () => void): (() => void) => this.#listeners.add(listener);

    set(key: string, value: T): Promise<void> {
        return this.#guarded('setting', key, async () => {
            if (value === undefined) throw invalid('a value cannot be undefined: delete() the key');
            await this.#publish(key, value).acknowledged;
        });
    }

    delete(key: string): Promise<void> {
        return this.#guarded('deleting', key, async () => {
            await this.#publish(key, undefined).acknowledged;
        });
    }

    update(key: string, change: (value: T | undefined) => T | undefined): Promise<T | undefined> {
        return this.#guarded('updating', key, async () => {
            check('change', change, callable);
            for (;;) {
                await this.#stream.ready;
                // One after the other: the version of a change that is on its way is not known.
                await this.#settledBefore(key);
                const entry = this.#entries.get(key);
                const before = entry?.value as T | undefined;
                const value = change(before);
                if (value === before) return value;
                const {acknowledged, settled} = this.#publish(key, value, entry?.version ?? 0);
                await acknowledged;
                const effect = await settled;
                if (effect) return value;
                if (effect === undefined) throw new PulsewireError('disconnected', 'It was published, but what became of it was not seen: a snapshot has taken its place.');
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
        this.#ended();
        this.#stream.close();
        this.#listeners.clear();
        for (const pending of this.#pending.values()) this.#settle(pending, undefined);
    }

    // --- the fold ---

    begin(): void {
        this.#next = new Map();
    }

    load(saved: unknown): void {
        for (const [key, value, version] of saved as [unknown, unknown, unknown][]) {
            if (typeof key !== 'string' || value === undefined || typeof version !== 'number') throw new Error('it has an entry that is none');
            this.#next!.set(key, {value, version});
        }
    }

    take({type, payload, offset}: Message): void {
        if (type !== this.#operation) return;
        const {key, value, if: version, id} = (payload ?? {}) as Partial<Operation>;
        // It comes from another client, which may send anything.
        if (typeof key !== 'string') return;
        const entries = this.#next ?? this.#entries;
        const effect = version === undefined || version === (entries.get(key)?.version ?? 0);
        if (effect && value === undefined) entries.delete(key);
        else if (effect) entries.set(key, {value, version: offset!});
        const pending = id === undefined ? undefined : this.#pending.get(id);
        if (this.#next) {
            // What is shown does not have it yet.
            if (pending) pending.effect = effect;
            return;
        }
        if (pending) this.#settle(pending, effect);
        if (effect || pending) this.#change();
    }

    whole(): void {
        if (this.#next) this.#entries = this.#next;
        this.#next = undefined;
        for (const pending of this.#pending.values()) {
            if (pending.effect === undefined) this.#settleCovered(pending);
            else this.#settle(pending, pending.effect);
        }
        this.#change();
    }

    save(): unknown {
        return [...this.#entries].map(([key, {value, version}]) => [key, value, version]);
    }

    clear(): void {
        this.#next = undefined;
        this.#entries = new Map();
        for (const pending of this.#pending.values()) this.#settle(pending, undefined);
        this.#change();
    }

    // --- what is on its way ---

    #publish(key: string, value: T | undefined, version?: number) {
        check('key', key, keyRule);
        const id = `${this.#name}.${++this.#count}`;
        const operation: Operation = {key, ...(value !== undefined && {value}), ...(version !== undefined && {if: version}), id};
        let settle!: Pending['settle'];
        const settled = new Promise<boolean | undefined>((resolve) => (settle = resolve));
        const pending: Pending = {...operation, settled, settle};
        this.#pending.set(id, pending);
        this.#change();
        const acknowledged = this.#channel.publish(this.#operation, operation).then(
            (at) => {
                pending.offset = at!.offset;
                this.#settleCovered(pending);
            },
            (error) => {
                this.#settle(pending, undefined);
                this.#change();
                throw error;
            },
        );
        return {acknowledged, settled};
    }

    /** Its message does not come any more where a snapshot covers it. */
    #settleCovered(pending: Pending): void {
        if (!this.#pending.has(pending.id) || !this.#stream.whole || !(pending.offset! <= this.#stream.offset)) return;
        this.#settle(pending, this.#entries.get(pending.key)?.version === pending.offset || undefined);
        this.#change();
    }

    #settle(pending: Pending, effect: boolean | undefined): void {
        this.#pending.delete(pending.id);
        pending.settle(effect);
    }

    async #settledBefore(key: string): Promise<void> {
        for (let found; (found = [...this.#pending.values()].find((pending) => pending.key === key)); ) await found.settled;
    }

    #change(): void {
        this.#snapshot = undefined;
        this.#listeners.tell();
    }

    #guarded<R>(doing: string, key: string, act: () => Promise<R>): Promise<R> {
        return guarded(act(), (error) => this.#channel.session.unheard(error, `${doing} ${String(key)} in channel ${this.#channel.name}`));
    }
}
