import type {Channel} from '../client/channel.js';
import type {Position} from '../client/events.js';
import {Handlers} from '../client/handlers.js';
import type {AnyMessage, Message} from '../client/message.js';
import {StateStream, type Fold} from './stream.js';
import type {StateOptions, StateStore} from './types.js';

const changed = 'change';

/** Tells listeners of changes, of many in one go once. */
export class Listeners {
    readonly #handlers: Handlers;
    #told = true;

    constructor(channel: Channel<any>) {
        this.#handlers = new Handlers(`the state of channel ${channel.name}`, channel.session.report);
    }

    add(listener: () => void): () => void {
        return this.#handlers.add(changed, () => listener());
    }

    tell(): void {
        if (this.#told) queueMicrotask(() => {
            this.#told = true;
            this.#handlers.emit(changed, undefined);
        });
        this.#told = false;
    }

    clear(): void {
        this.#handlers.clear();
    }
}

/** A state that a reducer makes of publications. */
export class ReducedState<S, M extends object> implements StateStore<S>, Fold {
    readonly type: string | undefined;
    readonly #channel: Channel<M>;
    readonly #options: StateOptions<S, M>;
    readonly #listeners: Listeners;
    readonly #stream: StateStream;
    #value: S;
    /** The state that begins anew, until it is whole. */
    #next: {value: S} | undefined;

    constructor(channel: Channel<M>, options: StateOptions<S, M>) {
        const {initial, snapshot, from} = options;
        this.type = snapshot?.type;
        this.#channel = channel;
        this.#options = options;
        this.#value = from ? from.value : initial;
        this.#listeners = new Listeners(channel);
        this.#stream = new StateStream(channel, this, {}, from?.position);
    }

    get value(): S {
        return this.#value;
    }

    readonly getSnapshot = (): S => this.#value;

    readonly subscribe = (listener: () => void): (() => void) => this.#listeners.add(listener);

    get ready(): Promise<void> {
        return this.#stream.ready;
    }

    get offset(): number {
        return this.#stream.offset;
    }

    get position(): Position | undefined {
        return this.#stream.whole ? this.#stream.position : undefined;
    }

    offer(): Promise<boolean> {
        return this.#stream.offer();
    }

    close(): void {
        this.#stream.close();
        this.#listeners.clear();
    }

    begin(): void {
        this.#next = {value: this.#options.initial};
    }

    load(saved: unknown): void {
        const {load} = this.#options.snapshot ?? {};
        this.#next = {value: load ? load(saved) : (saved as S)};
    }

    take(message: Message): void {
        const before = this.#next ? this.#next.value : this.#value;
        let value = before;
        try {
            value = this.#options.reduce(before, message as AnyMessage<M>);
        } catch (error) {
            this.#channel.session.report(error, `the reducer of channel ${this.#channel.name}, of message ${message.offset}, which it leaves out`);
        }
        if (this.#next) this.#next.value = value;
        else this.#show(value);
    }

    whole(): void {
        const next = this.#next;
        this.#next = undefined;
        if (next) this.#show(next.value);
    }

    save(): unknown {
        const {save} = this.#options.snapshot!;
        return save ? save(this.#value) : this.#value;
    }

    clear(): void {
        this.#next = undefined;
        this.#show(this.#options.initial);
    }

    #show(value: S): void {
        if (Object.is(value, this.#value)) return;
        this.#value = value;
        this.#listeners.tell();
    }
}
