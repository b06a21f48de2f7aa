import {PulsewireError} from '../base/errors.js';
import type {Channel} from '../client/channel.js';
import type {PublishOptions} from '../client/channel_options.js';
import type {Client} from '../client/client.js';
import type {UnsentMessage} from '../client/client_storage.js';
import type {Position} from '../client/events.js';
import {guarded} from '../client/guarded.js';
import type {AnyMessages} from '../client/options.js';
import {type ClientSource, Listeners, Noticed, sharedStore, type Store} from './store.js';

/** A message that waits for its acknowledgement. */
export interface PendingMessage<P = unknown, K extends string = string> {
    /** Names it in a list. */
    readonly key: string;
    readonly type: K;
    readonly payload: P;
    /** When it was published, in milliseconds since 1970 by this machine's clock. */
    readonly at: number;
    /** Whether an earlier page published it; needs a storage. */
    readonly restored: boolean;
    /** Gives it up. If it was sent already, it may arrive. */
    withdraw(): void;
}

/** A message that was not published. */
export interface FailedMessage<P = unknown, K extends string = string> {
    /** Names it in a list. */
    readonly key: string;
    readonly type: K;
    readonly payload: P;
    /** When it was published, in milliseconds since 1970 by this machine's clock. */
    readonly at: number;
    readonly error: PulsewireError;
    /** Takes it off the list and publishes it once more. */
    retry(): void;
    /** Takes it off the list. */
    dismiss(): void;
}

/** The publications of a component, and how they fare; shared by all components of the channel. */
export interface PublishView<M extends object = AnyMessages> {
    /** The messages that wait for their acknowledgement, in order; with a storage also those of earlier pages. */
    readonly pending: readonly {[K in keyof M & string]: PendingMessage<M[K], K>}[keyof M & string][];
    /**
     * The messages that were not published, up to the newest 100. A failure that no component looks at, and for which nobody
     * awaits the promise, goes to the console.
     */
    readonly failed: readonly {[K in keyof M & string]: FailedMessage<M[K], K>}[keyof M & string][];
}

/** As channel.publish(). The failure of a message that is not transient is also shown in `failed`. */
export type Publish<M extends object = AnyMessages> = <K extends keyof M & string>(
    type: K, payload: M[K], options?: PublishOptions,
) => Promise<Position | undefined>;

const failedMax = 100;
const nothing: PublishView<any> = Object.freeze({pending: Object.freeze([]), failed: Object.freeze([])});
/** Those that have something to show outlive their components. */
const busy = new Set<Outbox>();

class Outbox {
    readonly #client: Client<any>;
    readonly #channel: Channel<any>;
    readonly #listeners = new Listeners(() => this.#begin());
    readonly #noticed = new Noticed();
    readonly subscribe = this.#listeners.add;
    readonly #seen = new WeakSet<UnsentMessage>();
    #pending: readonly PendingMessage[] = [];
    #failed: readonly FailedMessage[] = [];
    #view = nothing;
    #count = 0;

    constructor(client: Client<any>, channel: Channel<any>) {
        this.#client = client;
        this.#channel = channel;
    }

    readonly getSnapshot = (): PublishView<any> => this.#view;

    readonly publish: Publish<any> = (type, payload, options = {}) => {
        const channel = this.#channel;
        if (options.transient) return channel.publish(type, payload, options);
        this.#findUnsent();
        const {signal} = options;
        const stop = new AbortController();
        const abort = () => stop.abort();
        if (signal?.aborted) abort();
        signal?.addEventListener('abort', abort);
        const published = channel.publish(type, payload, {...options, signal: stop.signal});
        // This one is the message that is new among the unsent now.
        const kept = this.#newUnsent().length > 0;
        this.#wait({type, payload, at: Date.now(), restored: false, withdraw: abort}, published, kept, options);
        let looks: number;
        published.catch(() => (looks = this.#noticed.looks)).then(() => signal?.removeEventListener('abort', abort));
        return guarded(published, (error) => {
            if (error.code !== 'aborted') this.#noticed.failed(error, `publishing ${type} in channel ${channel.name}`, looks);
        });
    };

    #begin(): () => void {
        const stop = this.#client.on('restored', () => this.#findUnsent());
        this.#findUnsent();
        return stop;
    }

    /** The client's unsent messages of this channel that were not here before. */
    #newUnsent(): UnsentMessage[] {
        const found = this.#client.unsent.filter((message) => message.channel === this.#channel.name && !this.#seen.has(message));
        for (const message of found) this.#seen.add(message);
        return found;
    }

    /** Messages of earlier pages, and those that were published past this outbox. */
    #findUnsent(): void {
        for (const message of this.#newUnsent()) {
            const {type, payload, at, restored, acknowledged} = message;
            this.#wait({type, payload, at, restored, withdraw: () => message.withdraw()}, acknowledged, true, {});
        }
    }

    /** `kept`: a storage has it, so that the next client sends it if this one is closed. */
    #wait(message: Omit<PendingMessage, 'key'>, acknowledged: Promise<unknown>, kept: boolean, options: PublishOptions): void {
        const pending = {...message, key: `${++this.#count}`};
        const settled = () => (this.#pending = this.#pending.filter((other) => other !== pending));
        this.#pending = [...this.#pending, pending];
        acknowledged.then(settled, (error: PulsewireError) => {
            settled();
            if (error.code !== 'aborted' && !(kept && error.code === 'closed')) this.#fail(pending, error, options);
        }).then(() => this.#changed());
        this.#changed();
    }

    #fail({key, type, payload, at}: PendingMessage, error: PulsewireError, options: PublishOptions): void {
        const dismiss = () => {
            this.#failed = this.#failed.filter((other) => other !== failed);
            this.#changed();
        };
        const retry = () => {
            dismiss();
            void this.publish(type, payload, options);
        };
        const failed: FailedMessage = {key, type, payload, at, error, retry, dismiss};
        this.#failed = [...this.#failed, failed].slice(-failedMax);
    }

    #changed(): void {
        const pending = this.#pending;
        const failed = this.#failed;
        const look = () => this.#noticed.look();
        this.#view = {
            pending,
            get failed() {
                look();
                return failed;
            },
        };
        if (pending.length + failed.length) busy.add(this);
        else busy.delete(this);
        this.#listeners.tell();
    }
}

/** The outbox of a channel for a component, and the function that publishes. */
export function publishStore<M extends object = AnyMessages>(source: ClientSource, name: string | undefined): Store<PublishView<M>> & {readonly publish: Publish<M>} {
    const {shared, ...store} = sharedStore(source, name, 'outbox', nothing as PublishView<M>, (client, channel) => new Outbox(client, channel));
    const publish: Publish<M> = (type, payload, options) =>
        shared()?.publish(type, payload, options) ?? Promise.reject(new PulsewireError('invalid_argument', 'There is no channel to publish in: its name is undefined.'));
    return {...store, publish};
}
