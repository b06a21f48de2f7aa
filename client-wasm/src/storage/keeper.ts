import {fromBase64, toBase64} from '../base/payload.js';
import {randomName} from '../base/random.js';
import {utf8Bytes} from '../base/utf8.js';
import type {ClientStorage, StorageHooks, StorageWarning, UnsentMessage} from '../client/client_storage.js';
import type {Position} from '../client/events.js';
import type {Outgoing, Session} from '../client/session.js';
import type {KeeperOptions, Store, StoredMessage} from './store.js';

interface Entry {
    stored: StoredMessage;
    readonly told: UnsentMessage;
    readonly signal: AbortSignal;
    readonly bytes: number;
    /** Written, or never to be: it may be sent. */
    ready: boolean;
    /** The application knows of it. */
    shown: boolean;
    resolve(position: Position | undefined): void;
    reject(error: unknown): void;
}

// A store that takes longer is treated as one that failed; the messages do not wait for it.
const openMsMax = 5000;
const writeMsMax = 2000;
const positionsEveryMs = 1000;
const retryMs = 1000;

/**
 * A client's storage: writes each message before it is sent, sends what earlier pages left before what is new, and
 * forgets what was answered. Knows nothing of where all that is kept.
 */
export class Keeper implements ClientStorage {
    readonly #store: Store;
    readonly #maxAgeMs: number;
    readonly #repeatWithinMs: number;
    #session!: Session;
    #hooks!: StorageHooks;
    #opened: 'not yet' | 'yes' | 'no' = 'not yet';
    #ended = false;
    /** The user of the connection that was open last; undefined until that is known. */
    #user: string | undefined;
    #late = false;
    #count = 0;
    #lastAt = 0;
    readonly #unsent = new Map<string, Entry>();
    /** Names this life of the client: the session may be one that an earlier page had. */
    #owner = '';
    /** Messages that the client has not been given yet, in order. */
    #queue: Entry[] = [];
    #sending = 0;
    #sendingBytes = 0;
    readonly #changes = new Map<string, Entry | undefined>();
    readonly #positions = new Map<string, Position>();
    readonly #unsaved = new Map<string, Position>();
    #saving: ReturnType<typeof setTimeout> | undefined;
    #retry: ReturnType<typeof setTimeout> | undefined;
    readonly #warned = new Set<string>();

    constructor(store: Store, {maxAgeMs = 86_400_000, repeatWithinMs = 300_000}: KeeperOptions) {
        this.#store = store;
        this.#maxAgeMs = maxAgeMs;
        this.#repeatWithinMs = repeatWithinMs;
    }

    get unsent(): readonly UnsentMessage[] {
        return [...this.#unsent.values()].filter(this.#mine).map(({told}) => told);
    }

    sessionOf(user: string | undefined): string | undefined {
        try {
            const [session, owner = ''] = this.#store.takeSession?.()?.split(' ') ?? [];
            return owner === user ? session : undefined;
        } catch {
            return undefined;  // a new one then; what else does not work is told by positions
        }
    }

    start(session: Session, hooks: StorageHooks): void {
        if (this.#hooks) throw hooks.error('invalid_argument', 'A storage serves one client: make another one for this.');
        this.#session = session;
        // Its messages' keys begin with it, so nobody can guess them (docs/protocol.md 4.9).
        this.#owner = randomName();
        this.#hooks = hooks;
        if (!hooks.signsIn) this.#user = '';
        for (const event of ['pagehide', 'visibilitychange']) globalThis.addEventListener?.(event, this.#leaving);
        hooks.onClosed(() => this.#end());
        void this.#open();
    }

    publish(message: Outgoing): Promise<Position | undefined> {
        if (this.#ended) return this.#session.publish(message);
        const {channel, type, echo, timeoutMs, conflate, signal} = message;
        const binary = typeof message.payload !== 'string';
        const payload = typeof message.payload === 'string' ? message.payload : toBase64(message.payload);
        const [messagesMax, bytesMax] = this.#session.outboxMax;
        const bytes = utf8Bytes(payload);
        // Those of another user take no room.
        const waiting = [...this.#unsent.values()].filter(this.#mine);
        if (waiting.length >= messagesMax! || waiting.reduce((sum, other) => sum + other.bytes, bytes) > bytesMax!) {
            return Promise.reject(this.#hooks.error('outbox_full', 'Too much waits for an answer. Wait until the connection is back, or raise outboxMessagesMax or outboxBytesMax.'));
        }
        this.#lastAt = Math.max(Date.now(), this.#lastAt + 1);
        const entry = this.#entry({
            key: `${this.#owner}.${++this.#count}`, channel, type, payload, echo, timeoutMs, at: this.#lastAt,
            ...(binary && {binary}),
            ...(conflate && {conflate}),
            ...(this.#author && {user: this.#author}),
            // It leaves at once: one write instead of two.
            ...(this.#session.state.name === 'open' && {sentAt: this.#lastAt}),
        }, false, signal);
        this.#queue.push(entry);
        if (this.#opened !== 'not yet') this.#write(entry.stored.key, entry);
        return entry.told.acknowledged;
    }

    opened(user: string): void {
        if (!this.#hooks.signsIn) return this.#pump();
        if (user !== this.#user) {
            this.#savePositions();
            this.#positions.clear();
        }
        this.#user = user;
        for (const entry of [...this.#unsent.values()]) {
            // Written here before it was known who the user is.
            if (!entry.told.restored && !entry.stored.user && user) {
                entry.stored = {...entry.stored, user};
                if (entry.ready) this.#write(entry.stored.key, entry);
            }
            this.#show(entry);
            // Its user has not come back in time.
            if (entry.told.restored && !this.#mine(entry) && Date.now() - entry.stored.at > this.#maxAgeMs && take(this.#queue, entry)) {
                this.#failed(entry, this.#expired());
            }
        }
        this.#pump();
    }

    signOut(): void {
        if (this.#ended) return;
        for (const entry of [...this.#unsent.values()]) {
            if (this.#mine(entry)) this.#failed(entry, this.#hooks.error('aborted', 'The user was signed out.'));
        }
        this.#queue = this.#queue.filter(({stored}) => this.#unsent.has(stored.key));
        if (this.#hooks.signsIn) this.#user = undefined;
        clearTimeout(this.#saving);
        this.#saving = undefined;
        this.#positions.clear();
        this.#unsaved.clear();
        try {
            this.#store.forget?.();
        } catch (error) {
            this.#warn('failed', 'Positions of the user who was signed out cannot be removed.', error);
        }
    }

    /** The user of the connection; undefined while it is being opened for whoever has signed in, and before. */
    get #author(): string | undefined {
        const {name, state} = this.#session;
        return !this.#hooks.signsIn || name || state.name === 'closed' ? this.#user : undefined;
    }

    /** Whether it is the present user's; until that one is known, what was written on this page. */
    readonly #mine = ({stored: {user = ''}, told}: Entry): boolean => {
        const author = this.#author;
        return author === undefined ? !told.restored : user === author;
    };

    /** Told to the application when it is known to be this user's. */
    #show(entry: Entry): void {
        if (entry.shown || !this.#mine(entry)) return;
        entry.shown = true;
        this.#hooks.tell('restored', entry.told);
    }

    position(channel: string): Position | undefined {
        // A channel may ask before opened() is called.
        const present = (this.#hooks.signsIn && this.#session.user) || '';
        try {
            const moved = present === (this.#user ?? '') && this.#positions.get(channel);
            if (moved) return moved;
            const {user = '', ...position} = this.#store.position(channel) ?? {epoch: '', offset: 0};
            return user === present && position.epoch ? position : undefined;
        } catch (error) {
            return void this.#warn('failed', 'No position can be read: channels begin anew.', error);
        }
    }

    moved(channel: string, position: Position): void {
        this.#positions.set(channel, position);
        this.#unsaved.set(channel, position);
        this.#saving ??= setTimeout(() => this.#savePositions(), positionsEveryMs);
    }

    async #open(): Promise<void> {
        // Later than connect() returns, so that the application hears of it.
        const adopt = (messages: readonly StoredMessage[]) => queueMicrotask(() => this.#adopt(messages));
        const opening = this.#store.open(this.#session.url, this.#owner, adopt).then(() => void (this.#opened = 'yes'));
        try {
            await within(openMsMax, opening);
        } catch (error) {
            // It may still open, for example when a page that was loaded ahead is shown.
            this.#opened = 'no';
            this.#warn('unavailable', 'Unsent messages are not kept beyond this page.', error);
        }
        for (const entry of this.#queue) if (!entry.ready) this.#write(entry.stored.key, entry);
        this.#pump();
    }

    #entry(stored: StoredMessage, restored: boolean, signal?: AbortSignal): Entry {
        const {key, channel, type, at} = stored;
        let resolve!: Entry['resolve'];
        let reject!: Entry['reject'];
        const acknowledged = new Promise<Position | undefined>((...settle) => ([resolve, reject] = settle));
        const stop = new AbortController();
        const withdraw = () => stop.abort(signal?.reason);
        signal?.addEventListener('abort', withdraw);
        if (signal?.aborted) withdraw();
        acknowledged.catch(() => {}).then(() => signal?.removeEventListener('abort', withdraw));
        const told = {
            key, channel, type, at, restored, acknowledged, withdraw,
            get payload(): unknown {
                return stored.binary ? fromBase64(stored.payload) : JSON.parse(stored.payload);
            },
        };
        const entry: Entry = {stored, told, signal: stop.signal, bytes: utf8Bytes(stored.payload), ready: restored, shown: !restored, resolve, reject};
        // A message that the machine has is withdrawn there.
        stop.signal.addEventListener('abort', () => {
            if (take(this.#queue, entry)) this.#send(entry);
        });
        this.#unsent.set(key, entry);
        return entry;
    }

    /** Messages of others who are gone: before what is new here, unless that has left already. */
    #adopt(messages: readonly StoredMessage[]): void {
        if (this.#ended) return;
        const adopted: Entry[] = [];
        for (const stored of [...messages].sort((a, b) => a.at - b.at)) {
            if (this.#unsent.has(stored.key)) continue;
            const entry = this.#entry(stored, true);
            this.#lastAt = Math.max(this.#lastAt, stored.at);
            adopted.push(entry);
        }
        const later = this.#opened === 'not yet' ? this.#queue.filter(({told}) => !told.restored) : [];
        this.#queue = [...this.#queue.filter((entry) => !later.includes(entry)), ...adopted, ...later];
        for (const entry of later) {
            this.#unsent.delete(entry.told.key);
            this.#unsent.set(entry.told.key, entry);
        }
        for (const entry of adopted) this.#show(entry);
        if (this.#opened !== 'not yet') this.#pump();
    }

    /** Hands the machine what is next, as long as its outbox has room: there it keeps the order by itself. */
    #pump(): void {
        if (this.#retry || this.#author === undefined || this.#session.state.name === 'closed') return;
        const [messagesMax, bytesMax] = this.#session.outboxMax;
        for (let entry; (entry = this.#queue.find((other) => this.#mine(other))); ) {
            const full = this.#sending >= messagesMax! || this.#sendingBytes + entry.bytes > bytesMax!;
            if (!entry.ready || (full && this.#sending)) return;
            take(this.#queue, entry);
            this.#send(entry);
        }
    }

    #send(entry: Entry): void {
        const {stored, signal, bytes, told: {restored}} = entry;
        const age = Date.now() - stored.at;
        const repeatMs = restored && stored.sentAt ? stored.sentAt + this.#repeatWithinMs - Date.now() : Infinity;
        const leftMs = stored.timeoutMs ? stored.timeoutMs - age : Infinity;
        if (repeatMs <= 0) return this.#failed(entry, this.#unknown());
        if (restored && (age > this.#maxAgeMs || leftMs <= 0)) {
            return this.#failed(entry, this.#expired());
        }
        const timeoutMs = Math.min(leftMs, repeatMs);
        this.#sending++;
        this.#sendingBytes += bytes;
        const settled = () => {
            this.#sending--;
            this.#sendingBytes -= bytes;
        };
        const sent = () => {
            if (entry.stored.sentAt) return;
            entry.stored = {...entry.stored, sentAt: Date.now()};
            this.#write(stored.key, entry);
        };
        this.#session.publish({
            ...stored, payload: stored.binary ? fromBase64(stored.payload) : stored.payload, transient: false, timeoutMs: timeoutMs < Infinity ? Math.max(1, timeoutMs) : 0, signal, sent,
        }).then(
            (position) => {
                settled();
                this.#forget(entry);
                entry.resolve(position);
                this.#pump();
            },
            (error: {code?: string}) => {
                settled();
                if (error.code === 'closed' && !this.#ended) {
                    // The client may be opened again, for the same user.
                    if (this.#unsent.has(stored.key)) this.#wait(entry);
                } else if (error.code === 'outbox_full' && restored) {
                    this.#postpone(entry);
                } else {
                    this.#failed(entry, error.code === 'timeout' && repeatMs <= leftMs ? this.#unknown() : error);
                    this.#pump();
                }
            },
        );
    }

    /** Requests and queries have filled the machine's outbox. Until there is room nothing may overtake what waits. */
    #postpone(entry: Entry): void {
        this.#wait(entry);
        this.#retry ??= setTimeout(() => {
            this.#retry = undefined;
            this.#pump();
        }, retryMs);
    }

    #wait(entry: Entry): void {
        const later = this.#queue.findIndex(({stored}) => stored.at > entry.stored.at);
        this.#queue.splice(later < 0 ? this.#queue.length : later, 0, entry);
    }

    #expired(): unknown {
        return this.#hooks.error('timeout', 'It waited too long to be sent.');
    }

    #unknown(): unknown {
        return this.#hooks.error('disconnected', 'It was sent before, but no answer came: it may have arrived. It is too old to be sent again without the risk of a second copy.');
    }

    /** A message that fails because the client was closed is kept: the next client sends it. */
    #failed(entry: Entry, error: unknown): void {
        if ((error as {code?: string}).code !== 'closed') this.#forget(entry);
        entry.reject(error);
    }

    #forget({stored: {key}}: Entry): void {
        this.#unsent.delete(key);
        this.#write(key, undefined);
    }

    /** Writes or removes a message, together with what else changes in this go. */
    #write(key: string, entry: Entry | undefined): void {
        if (!this.#changes.size) queueMicrotask(() => void this.#flush());
        this.#changes.set(key, entry);
    }

    async #flush(): Promise<void> {
        const entries: Entry[] = [];
        const keys: string[] = [];
        for (const [key, entry] of this.#changes) entry ? entries.push(entry) : keys.push(key);
        this.#changes.clear();
        if (this.#opened === 'yes') {
            try {
                const done = Promise.all([
                    entries.length && this.#store.put(entries.map(({stored}) => stored)),
                    keys.length && this.#store.remove(keys),
                ]);
                // Once late is enough: from then on nothing waits for it.
                await within(this.#late ? 0 : writeMsMax, done);
            } catch (error) {
                this.#late ||= error === tooLate;
                this.#warn('failed', 'The disk is not up to date: a message may be lost with this page, or be sent again after it.', error);
            }
        }
        for (const entry of entries) entry.ready = true;
        this.#pump();
    }

    readonly #leaving = ({type}: {type: string}): void => {
        if (type === 'pagehide') {
            this.#leaveSession();
            this.#leaveMessages();
        }
        if (type === 'pagehide' || globalThis.document?.visibilityState === 'hidden') this.#savePositions();
    };

    #leaveSession(): void {
        // One that was never open is no client that anybody saw.
        if (this.#user === undefined) return;
        try {
            this.#store.leaveSession?.(`${this.#session.secret} ${this.#user}`.trimEnd());
        } catch {
            // The next page begins as a new client.
        }
    }

    #leaveMessages(): void {
        const unwritten = this.#queue.filter(({ready}) => !ready);
        if (!unwritten.length) return;
        try {
            this.#store.leaveMessages?.(unwritten.map(({stored}) => stored));
        } catch (error) {
            this.#warn('failed', 'Messages that were not written yet are lost with this page.', error);
        }
    }

    #savePositions(): void {
        clearTimeout(this.#saving);
        this.#saving = undefined;
        if (!this.#unsaved.size) return;
        try {
            const user = this.#user;
            this.#store.savePositions(user ? new Map([...this.#unsaved].map(([channel, position]) => [channel, {...position, user}])) : this.#unsaved);
        } catch (error) {
            this.#warn('failed', 'Positions cannot be kept: after a reload channels begin anew.', error);
        }
        this.#unsaved.clear();
    }

    #end(): void {
        this.#ended = true;
        for (const event of ['pagehide', 'visibilitychange']) globalThis.removeEventListener?.(event, this.#leaving);
        this.#savePositions();
        clearTimeout(this.#retry);
        // The session refuses them with `closed`.
        for (const entry of this.#queue.splice(0)) this.#send(entry);
        void this.#flush().finally(() => this.#store.close());
    }

    #warn(code: StorageWarning['code'], what: string, cause: unknown): void {
        if (this.#warned.has(code)) return;
        this.#warned.add(code);
        this.#hooks.tell('storage', {code, message: `${what} (${cause})`, cause});
    }
}

const tooLate = new Error('the storage does not answer');

async function within(ms: number, promise: Promise<unknown>): Promise<void> {
    let timer: ReturnType<typeof setTimeout>;
    const late = new Promise<never>((_, failed) => (timer = setTimeout(() => failed(tooLate), ms)));
    await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Removes it; false when it is not there. */
function take<T>(list: T[], item: T): boolean {
    const at = list.indexOf(item);
    return at >= 0 && list.splice(at, 1).length > 0;
}
