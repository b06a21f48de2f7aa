import {Awareness} from 'y-protocols/awareness';
import * as Y from 'yjs';
import {randomWords} from '../base/random.js';
import type {Channel} from '../client/channel.js';
import type {Message} from '../client/message.js';
import {partBytesMax} from '../state/parts.js';
import {StateStream, type Fold} from '../state/stream.js';
import {PartCollector, partsOf, sendMsMax} from './parts.js';
import {SharedAwareness} from './presence.js';
import type {YjsOptions, YjsProvider} from './types.js';

const updateType = 'yjs';
const partType = 'yjs.part';
const stateType = 'yjs.state';
const awarenessType = 'yjs.awareness';
/** Changes within this time leave as one message, in milliseconds. */
const joinMs = 50;
/** When changes that the server has refused are sent again, in milliseconds. */
const againMs = 5000;

export class DocumentProvider implements YjsProvider, Fold {
    readonly doc: Y.Doc;
    readonly awareness: Awareness | undefined;
    readonly type = stateType;
    readonly #channel: Channel<any>;
    readonly #stream: StateStream;
    readonly #shared: SharedAwareness | undefined;
    readonly #ownAwareness: boolean;
    readonly #parts = new PartCollector();
    /** What the state consists of that begins anew, until it is whole. */
    #beginning: Uint8Array[] | undefined;
    /** Changes of this document that were not sent yet. */
    #waiting: Uint8Array[] = [];
    /** Gives the error with which it ended. */
    #sending: Promise<unknown> | undefined;
    #timer: ReturnType<typeof setTimeout> | undefined;
    #showing: ReturnType<typeof setTimeout> | undefined;
    #destroyed = false;

    constructor(channel: Channel<any>, doc: Y.Doc, {awareness, presence = {}}: YjsOptions) {
        this.#channel = channel.self();
        this.doc = doc;
        this.#ownAwareness = awareness === undefined;
        this.awareness = awareness === false ? undefined : (awareness ?? new Awareness(doc));
        const shared = this.awareness && (this.#shared = new SharedAwareness(this.#channel, this.awareness, awarenessType, this.#show));
        this.#stream = new StateStream(channel, this, shared ? {presence} : {});
        const {subscription} = this.#stream;
        if (shared) {
            subscription.watch('presence', (event) => shared.presence(event));
            subscription.watch('subscribed', this.#show);
            subscription.on(awarenessType, (_, message) => this.#tried(() => shared.take(message), 'what another client shows'));
        }
        doc.on('update', this.#onUpdate);
        doc.on('destroy', this.#onDestroy);
    }

    get synced(): Promise<void> {
        return this.#stream.ready;
    }

    get unsent(): boolean {
        return this.#sending !== undefined || this.#waiting.length > 0;
    }

    async flush(): Promise<void> {
        await this.synced;
        while (this.unsent) {
            const error = await this.#send();
            if (error) throw error;
        }
    }

    offer(): Promise<boolean> {
        return this.#stream.offer();
    }

    destroy(): void {
        if (this.#destroyed) return;
        this.#destroyed = true;
        this.doc.off('update', this.#onUpdate);
        this.doc.off('destroy', this.#onDestroy);
        clearTimeout(this.#timer);
        clearTimeout(this.#showing);
        this.#shared?.leave();
        // Whoever gave one keeps it.
        if (this.#ownAwareness) this.awareness!.destroy();
        if (this.#stream.whole) void this.#send();
        this.#stream.close();
    }

    // --- the fold ---

    begin(): void {
        this.#beginning = [];
        this.#parts.clear();
    }

    load(saved: unknown): void {
        if (!(saved instanceof Uint8Array)) throw new Error('it is no update of a document');
        // Fails here rather than later.
        Y.decodeUpdate(saved);
        this.#beginning!.push(saved);
    }

    take(message: Message): void {
        const {type, offset} = message;
        if (type !== updateType && type !== partType) return;
        this.#tried(() => {
            const update = type === partType ? this.#parts.add(message) : (message.payload as Uint8Array);
            if (!update) return;
            if (this.#beginning) this.#beginning.push(update);
            else Y.applyUpdate(this.doc, update, this);
        }, `the update of offset ${offset}`);
    }

    whole(): void {
        const updates = this.#beginning ?? [];
        this.#beginning = undefined;
        const theirs = new Y.Doc();
        for (const update of updates) this.#tried(() => Y.applyUpdate(theirs, update), 'an update');
        const all = Y.encodeStateAsUpdate(theirs);
        Y.applyUpdate(this.doc, all, this);
        // What the document had before, or got while the connection was away, and the server has not.
        const same = Y.equalSnapshots(Y.snapshot(theirs), Y.snapshot(this.doc));
        this.#waiting = same ? [] : [Y.encodeStateAsUpdate(this.doc, Y.encodeStateVector(theirs))];
        if (!same) this.#schedule();
        theirs.destroy();
    }

    save(): unknown {
        return Y.encodeStateAsUpdate(this.doc);
    }

    covers(): number | undefined {
        const {first} = this.#parts;
        return first === undefined ? undefined : first - 1;
    }

    /** The next user begins with another document: this one has what was not sent for the user before. */
    clear(): void {
        this.#waiting = [];
        this.destroy();
    }

    // --- what is sent ---

    readonly #onUpdate = (update: Uint8Array, origin: unknown): void => {
        if (origin === this) return;
        this.#waiting.push(update);
        this.#schedule();
    };

    readonly #onDestroy = (): void => this.destroy();

    readonly #show = (): void => {
        if (this.#destroyed) return;
        this.#showing ??= setTimeout(() => {
            this.#showing = undefined;
            this.#shared!.show();
        }, joinMs);
    };

    #schedule(ms = joinMs): void {
        if (!this.#destroyed) this.#timer ??= setTimeout(() => void this.#send(), ms);
    }

    /** One message is on its way at a time; what is changed meanwhile leaves with the next one. Never rejects. */
    #send(): Promise<unknown> {
        clearTimeout(this.#timer);
        this.#timer = undefined;
        return (this.#sending ??= this.#sendAll().finally(() => (this.#sending = undefined)));
    }

    async #sendAll(): Promise<unknown> {
        let update: Uint8Array | undefined;
        try {
            // Before it is known what the server has, whole() finds out what it has not.
            await this.#stream.ready;
            while (this.#waiting.length) {
                update = Y.mergeUpdates(this.#waiting);
                this.#waiting = [];
                await this.#publish(update);
            }
            return undefined;
        } catch (error: any) {
            if (!update) return error;
            this.#waiting.unshift(update);
            if (!/^(closed|timeout)$/.test(error.code)) this.#channel.session.unheard(error, `sending changes of the document in channel ${this.#channel.name}`);
            // With the next change it is tried again; where it helps to wait, without one.
            if (error.temporary || error.code === 'state_full') this.#schedule(againMs);
            return error;
        }
    }

    async #publish(update: Uint8Array): Promise<void> {
        if (update.length <= partBytesMax) return void (await this.#channel.publish(updateType, update));
        const name = new Uint8Array(randomWords(2).buffer);
        const endMs = performance.now() + sendMsMax;
        for (const part of partsOf(update, name)) await this.#channel.publish(partType, part, {timeoutMs: Math.max(1, endMs - performance.now())});
    }

    #tried(act: () => void, what: string): void {
        try {
            act();
        } catch (error) {
            this.#channel.session.report(error, `${what} in channel ${this.#channel.name}`);
        }
    }
}
