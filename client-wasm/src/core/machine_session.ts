import {invalid, limit} from '../base/check.js';
import {PulsewireError} from '../base/errors.js';
import type {Data} from '../base/payload.js';
import {randomName, randomWords} from '../base/random.js';
import {utf8Bytes} from '../base/utf8.js';
import {isFinal, type CloseReason, type ConnectionState, type Position} from '../client/events.js';
import type {ReportError} from '../client/handlers.js';
import type {HistoryOptions} from '../client/channel_options.js';
import type {ConnectOptions} from '../client/options.js';
import type {
    HistoryAnswer, Outgoing, Question, Receiver, Session, SessionOwner, Subscription,
} from '../client/session.js';
import {errorFrom, historyFrom, payloadFrom, positionFrom} from './answer.js';
import {receive} from './channel_event.js';
import type {Core} from './core.js';
import type {DebugEvent} from './debug.js';
import {choiceFrom, debugWanted, endpointsFrom} from './environment.js';
import {Host, type Listener, type ToldKind} from './host.js';
import {instantiate, whyNot, type LoadModule} from './load.js';
import {ByteField, Call, Choice, Field, Kind, Page, State} from './numbers.js';
import {stateFrom} from './state.js';
import type {TokenMemory} from './token.js';
import type {Endpoints} from './transports.js';
import type {Found} from './why.js';

/** Options that are numbers of the machine, in the order in which `create` of bridge/bridge.cpp takes them. */
const defaults = {
    backoffMinMs: 500,
    backoffMaxMs: 20_000,
    stableAfterMs: 10_000,
    attemptsMax: 0,
    openTimeoutMs: 10_000,
    commandTimeoutMs: 10_000,
    outboxMessagesMax: 1000,
    outboxBytesMax: 1_048_576,
};

/** The extras of a command of the application. */
interface Supplement {
    /** JSON text; its size in bytes stands before the numbers. */
    readonly payload?: Data;
    readonly signal?: AbortSignal | undefined;
    /** Called each time that the command is handed to a transport. */
    sent?(): void;
}

interface Pending {
    readonly payload: Data | undefined;
    sent?(): void;
    answered(core: Core): void;
    failed(error: unknown): void;
}

// Room for all of a frame but its names and its payload.
const frameBytesMax = 144;
// The machine numbers commands from 1, the payloads of subscriptions are numbered from here.
const infoIdMin = 2 ** 31;
/** The events that are kept until core/debug.ts is there to print them. */
const debugEventsMax = 1000;

/**
 * The session of this page's own machine: what the application waits for, and whom the machine's actions concern. Calls
 * that come before WebAssembly has started wait for it.
 */
export class MachineSession implements Session, Listener {
    name = '';
    user = '';
    secret: string;
    readonly url: string;
    readonly outboxMax: readonly number[];
    state: ConnectionState;
    readonly report: ReportError;
    readonly unheard: ReportError;
    readonly start: () => void;
    readonly #owner: SessionOwner;
    readonly #options: ConnectOptions;
    readonly #endpoints: Endpoints;
    readonly #commands = new Map<number, Pending>();
    readonly #receivers = new Map<number, Receiver>();
    readonly #infos = new Map<number, string>();
    #infoId = infoIdMin;
    #host: Host | undefined;
    #queue: (() => void)[] = [];
    #why: CloseReason | undefined;
    readonly #begin: ConnectionState;
    #tokens: TokenMemory = {};
    /** The question for a token. */
    #asking: AbortController | undefined;
    /** Why no transport opens, once that was found out. */
    #because: Found | undefined;
    /** What happens, if somebody wants to see it. */
    readonly #events: any[] | undefined;

    constructor(load: LoadModule, url: string | URL, options: ConnectOptions, owner: SessionOwner) {
        this.#owner = owner;
        this.#options = options;
        this.report = owner.report;
        this.unheard = owner.unheard;
        const endpoints = (this.#endpoints = endpointsFrom(url, options));
        const choice = choiceFrom(options, endpoints);
        const numbers = Object.entries(defaults).map(([name, value]) => limit(options[name as keyof typeof defaults] ?? value));
        if (numbers[0]! > numbers[1]!) throw invalid(`backoffMinMs is larger than backoffMaxMs, ${numbers[1]}`);
        this.outboxMax = numbers.slice(-2);
        this.url = endpoints.sseUrl;
        // With a token it depends on who that shows (core/token.ts).
        this.secret = (!options.token && options.storage?.sessionOf('')) || randomName();
        this.state = this.#begin = {name: 'connecting', attempt: 1, transport: choice === Choice.sse ? 'sse' : 'websocket'};
        const debug = options.debug ?? debugWanted();
        if (debug) {
            const events: DebugEvent[] = (this.#events = []);
            import('./debug.js').then(({printDebug}) => printDebug(events, debug), (error) => this.unheard(error, 'the option debug'));
        }
        this.start = () => {
            const {secret} = this;
            load().then(instantiate).then((core) => {
                if (this.#closed() || secret !== this.secret) return;
                // The machine's seed is 64 random bits, for the keys of this life's publishes (docs/protocol.md 4.9).
                core.call(Call.create, [secret], ...randomWords(2), options.token ? choice + 4 : choice, ...numbers);
                this.#host = new Host(core, endpoints, this);
                this.#tell(Call.start);
                this.#flush();
            }).catch((error) => this.broken(error));
        };
    }

    reconnectNow(): void {
        this.#tell(Call.networkOnline);
    }

    end(reason: CloseReason): void {
        if (isFinal(this.state)) return;
        this.#why = reason;
        if (this.#host) this.#tell(Call.stop);
        else this.#enter({name: 'closed', reason});
    }

    again(): void {
        this.secret = randomName();
        this.name = this.user = '';
        this.#tokens = {};
        this.#why = this.#because = undefined;
        this.state = this.#begin;
        this.start();
    }

    publish(message: Outgoing): Promise<Position | undefined> {
        const {channel, type, key = '', conflate = '', more = '', echo, transient, timeoutMs} = message;
        const read = (core: Core) => (transient ? undefined : positionFrom(core));
        return this.#command(Call.publish, [channel, type, key, conflate, more], [+echo, +transient, timeoutMs], read, message);
    }

    async request({type, payload, timeoutMs, signal, channel = '', to = ''}: Question): Promise<unknown> {
        return this.#command(Call.request, [type, channel, to], [limit(timeoutMs)], payloadFrom, {payload, signal});
    }

    history(channel: string, options: HistoryOptions): Promise<HistoryAnswer> {
        const {limit = 100, before, after, since, until} = options;
        const page = after !== undefined ? Page.after : since !== undefined ? Page.since : until !== undefined ? Page.until : Page.before;
        const from = Math.ceil(after ?? before ?? +(since ?? until ?? 0));
        return this.#command(Call.history, [channel], [limit, from, page], historyFrom, options);
    }

    whenKnown(begin: () => () => void): () => void {
        // Ended before it begins, it begins nothing.
        let end: () => void = () => void (begin = () => () => {});
        const when = () => {
            if (this.#options.token && !this.name && !this.#closed()) this.#queue.push(when);
            else end = begin();
        };
        when();
        return () => end();
    }

    subscribe(receiver: Receiver, {since, latest, presence, info, state}: Subscription): () => void {
        let id = 0;
        const infoId = info ? ++this.#infoId : 0;
        if (info) this.#infos.set(infoId, info);
        this.#whenStarted((error, reason) => receiver.onClosed(error, reason), (core) => {
            if (id < 0) return;
            id = core.call(Call.subscribe, [receiver.name, since?.epoch ?? ''], infoId, since?.offset ?? 0, latest, +presence, +!!state);
            this.#receivers.set(id, receiver);
        });
        return () => {
            this.#infos.delete(infoId);
            if (this.#receivers.get(id) === receiver) {
                this.#receivers.delete(id);
                this.#tell(Call.unsubscribe, id);
            }
            id = -1;
        };
    }

    respond(attempt: number, line: string, payload?: Data): void {
        this.#host?.send(attempt, line, payload);
    }

    payloadOf(id: number): Data {
        const command = this.#commands.get(id);
        command?.sent?.();
        return command?.payload ?? this.#infos.get(id)!;
    }

    told(kind: ToldKind, core: Core): void {
        const id = core.word(Field.id);
        const command = this.#commands.get(id);
        const receiver = this.#receivers.get(id);
        try {
            switch (kind) {
                case Kind.stateChanged:
                    // The welcome names the session and the user.
                    if (core.byte(ByteField.to) === State.open) {
                        this.name = core.slice(Field.session);
                        this.user = core.slice(Field.user);
                        this.#flush();
                    }
                    return this.#change(stateFrom(core, this.name, this.#why));
                case Kind.needToken:
                    return void this.#ask(core.word(Field.attempt), id);
                case Kind.deliver: {
                    const raw = core.slice(Field.payload);
                    return this.deliver(
                        id, core.slice(Field.type), core.long(Field.offset), core.long(Field.time), core.byte(ByteField.replayed) > 0, raw, 0, raw.length,
                        core.slice(Field.user), core.bytes(), core.slice(Field.session),
                    );
                }
                case Kind.offered:
                    return this.#owner.offered(core.slice(Field.type));
                case Kind.degraded:
                    return this.#owner.degraded(!!id, core.slice(Field.message));
                case Kind.published:
                case Kind.answered:
                    this.#commands.delete(id);
                    return command?.answered(core);
                case Kind.failed:
                    this.#commands.delete(id);
                    if (!id) throw errorFrom(core);
                    return command?.failed(errorFrom(core));
                default:
                    if (receiver) receive(kind, core, receiver);
            }
        } catch (error) {
            command?.failed(error);
            this.report(error, 'a frame of the server');
        }
    }

    deliver(
        to: number, type: string, offset: number, time: number, replayed: boolean, text: string, begin: number, end: number,
        user?: string, bytes?: Uint8Array, conflate?: string,
    ): void {
        try {
            this.#receivers.get(to)?.deliver(type, offset, time, replayed, text, begin, end, user, bytes, conflate);
        } catch (error) {
            this.report(error, 'a frame of the server');
        }
    }

    note(sign: string, told: unknown, attempt?: number): void {
        if (this.#events && this.#events.length < debugEventsMax) this.#events.push([performance.now(), sign, told, attempt]);
    }

    broken(error: unknown): void {
        this.#host = undefined;
        this.end(whyNot(error));
    }

    async #command<T>(
        call: Call, texts: readonly string[], numbers: readonly number[], read: (core: Core) => T,
        {payload = '', signal, sent}: Supplement,
    ): Promise<T> {
        let id = 0;
        let cancel!: () => void;
        const promise = new Promise<T>((resolve, failed) => {
            cancel = () => {
                failed(new PulsewireError('aborted', 'The call was aborted.', {cause: signal!.reason}));
                if (this.#commands.delete(id)) this.#tell(Call.cancel, id);
                id = -1;
            };
            if (signal?.aborted) return cancel();
            this.#whenStarted(failed, (core) => {
                if (id < 0) return;
                const max = core.messageBytesMax();
                const size = typeof payload === 'string' ? utf8Bytes(payload) : payload.length;
                if (size + texts.join('').length + this.secret.length + frameBytesMax > max) {
                    return failed(new PulsewireError('too_large', `${size} bytes and their envelope are more than the server's ${max}.`));
                }
                id = core.call(call, texts, ...(payload ? [size] : []), ...numbers);
                if (id) this.#commands.set(id, {payload, sent, answered: (core) => resolve(read(core)), failed});
                else failed(new PulsewireError('outbox_full', 'Too much waits for an answer: raise outboxMessagesMax or outboxBytesMax.'));
            });
        });
        signal?.addEventListener('abort', cancel);
        try {
            return await promise;
        } finally {
            signal?.removeEventListener('abort', cancel);
        }
    }

    /**
     * Asks the application for a token. The machine asks again when it has this answer, and not before; with 0 it wants the
     * answer no more. How to ask is loaded by those who have tokens.
     */
    async #ask(attempt: number, reason: number): Promise<void> {
        this.#asking?.abort();
        if (!attempt) return;
        const {signal} = (this.#asking = new AbortController());
        const answer = await import('./token.js').then(
            ({tokenFrom}) => tokenFrom(this.#options, this, this.#owner, this.#tokens, reason, signal),
            (error): CloseReason => {
                const message = `There is no token: ${error}`;
                this.#owner.found(message);
                return {code: 0, name: 'token_failed', message, reconnect: true};
            },
        );
        if (answer === undefined || signal.aborted) return;
        if (typeof answer === 'string') return this.#host!.run((core) => core.call(Call.token, [answer, this.secret], attempt, 0));
        if (!answer.reconnect) return this.end(answer);
        this.#why = answer;
        this.#tell(Call.token, 0, 0, attempt, 1);
        this.#why = undefined;
    }

    #tell(call: Call, ...numbers: number[]): void {
        this.#host?.tell(call, ...numbers);
    }

    #closed(): boolean {
        return this.state.name === 'closed';
    }

    /** Does `call` when the machine is there, or tells why it never will be. */
    #whenStarted(failed: (error: PulsewireError, reason: CloseReason) => void, call: (core: Core) => void): void {
        const {state} = this;
        if (state.name === 'closed') return failed(closedError(state.reason), state.reason);
        if (this.#host) this.#host.run(call);
        else this.#queue.push(() => this.#whenStarted(failed, call));
    }

    #flush(): void {
        for (const call of this.#queue.splice(0)) call();
    }

    /** As #enter(), for a change that the machine tells. A failure to open a transport is looked into. */
    #change(state: ConnectionState): void {
        if (state.name === 'open') {
            this.#because = undefined;
        }
        // Of a close frame the server's own reason is known.
        const failed = this.state.name === 'connecting' && !this.#why && 'reason' in state && /^(1006|4001)$/.test(`${state.reason.code}`);
        if (failed) state = {...state, reason: {...(state as {reason: CloseReason}).reason, ...this.#because}} as ConnectionState;
        const {transport} = this.state as {transport?: string};
        this.#enter(state);
        // The first failure, the second, the fourth and so on.
        if (failed && state.name === 'waiting' && !(state.attempt & (state.attempt - 1))) void this.#findWhy(state, transport === 'sse');
    }

    async #findWhy(state: ConnectionState & {name: 'waiting'}, sse: boolean): Promise<void> {
        // The server that does not answer may be the one that the module comes from.
        const module = await import('./why.js').catch(() => undefined);
        const found = await module?.findWhy(this.#endpoints, sse);
        if (!found || this.#closed() || this.state.name === 'open') return;
        // A server that was there and is away for a moment is no news.
        if (this.#because?.message !== found.message && !(this.name && found.problem === 'unreachable')) this.#owner.found(found.message);
        this.#because = found;
        if (this.state === state) this.note('●', (this.state = {...state, reason: {...state.reason, ...found}}));
    }

    #enter(state: ConnectionState): void {
        this.state = state;
        this.note('●', state);
        if (state.name === 'closed') this.user = '';
        this.#owner.entered(state);
        if (state.name !== 'closed') return;
        this.#asking?.abort();
        this.#host?.end();
        this.#host = undefined;
        this.#flush();
        const error = closedError(state.reason);
        for (const {failed} of this.#commands.values()) failed(error);
        for (const receiver of this.#receivers.values()) receiver.onClosed(error, state.reason);
        this.#commands.clear();
        this.#receivers.clear();
    }
}

function closedError({message}: CloseReason): PulsewireError {
    return new PulsewireError('closed', `The client is closed: ${message}`);
}
