import {localErrors, type ErrorCode} from '../base/codes.js';
import type {Core} from './core.js';
import {PulsewireError} from '../base/errors.js';
import type {ReportError} from '../client/handlers.js';
import {Host, type Listener} from './host.js';
import {toJson, utf8Bytes} from '../base/json.js';
import {whyNot} from './load.js';
import {checkType} from '../base/names.js';
import {ByteField, Call, Field, Kind} from './numbers.js';
import {stateFrom} from './state.js';
import type {Endpoints} from './transports.js';
import type {Outgoing} from '../client/client_storage.js';
import type {CloseReason, ConnectionState, Position} from '../client/events.js';

/** Who is told what happens to a subscription. */
export interface Receiver {
    /** The channel's. */
    readonly name: string;
    /** `kind` says what happened, `core` has the fields. After `refused` nothing more comes. */
    receive(kind: Kind, core: Core): void;
    /** A message; offset and time are 0 where there are none, the JSON text of the payload is that part of `text`. */
    deliver(type: string, offset: number, time: number, replayed: boolean, text: string, begin: number, end: number): void;
    /** The client ended, and the subscription with it. */
    closed(error: PulsewireError, reason: CloseReason): void;
}

/** A command of the application. */
export interface Command<T> {
    readonly call: Call;
    readonly texts: readonly string[];
    /** JSON text that goes with it; its size in bytes stands before the numbers. */
    readonly payload?: string;
    readonly numbers: readonly number[];
    readonly signal: AbortSignal | undefined;
    /** Called each time that it is handed to a transport. */
    sent?(): void;
    /** Reads the answer. */
    read(core: Core): T;
}

interface Pending {
    readonly payload: string | undefined;
    sent?(): void;
    answered(core: Core): void;
    failed(error: unknown): void;
}

// Room for all of a frame but its names and its payload.
const frameBytesMax = 144;
// The machine numbers commands from 1, the payloads of subscriptions are numbered from here.
const infoIdMin = 2 ** 31;

/**
 * One client: what the application waits for, and what is to be told to whom. Calls that come before WebAssembly has
 * started wait for it.
 */
export class Session implements Listener {
    readonly name: string;
    state: ConnectionState;
    readonly #onState: (state: ConnectionState) => void;
    readonly report: ReportError;
    readonly #commands = new Map<number, Pending>();
    readonly #receivers = new Map<number, Receiver>();
    readonly #infos = new Map<number, string>();
    #infoId = infoIdMin;
    #core!: Core;
    #host: Host | undefined;
    #queue: (() => void)[] = [];
    #why: CloseReason | undefined;

    constructor(
        name: string, state: ConnectionState, onState: (state: ConnectionState) => void, report: ReportError,
    ) {
        this.name = name;
        this.state = state;
        this.#onState = onState;
        this.report = report;
    }

    /** WebAssembly is there: the machine starts with its options, and what waited is done. */
    begin(core: Core, endpoints: Endpoints, options: readonly number[]): void {
        if (this.#closed()) return;
        this.#core = core;
        this.#host = new Host(core, endpoints, this);
        core.call(Call.create, [this.name], ...options);
        this.tell(Call.start);
        this.#flush();
    }

    /** Ends everything, for a reason that is not the machine's. */
    end(reason: CloseReason): void {
        if (this.#closed()) return;
        this.#why = reason;
        if (this.#host) this.tell(Call.stop);
        else this.#enter({name: 'closed', reason});
    }

    tell(call: Call, ...numbers: number[]): void {
        this.#host?.tell(call, ...numbers);
    }

    /** Asks the server, or with names of a channel and a session there its client. */
    async request(
        texts: readonly [type: string, channel: string, session: string], payload: unknown, timeoutMs: number,
        signal: AbortSignal | undefined,
    ): Promise<any> {
        checkType(texts[0]);
        return this.command({
            call: Call.request, texts, payload: toJson(payload), numbers: [timeoutMs], signal,
            read: (core) => JSON.parse(core.slice(Field.payload) || 'null'),
        });
    }

    /** Answers what came over that transport. */
    respond(attempt: number, line: string): void {
        this.#host?.send(attempt, line);
    }

    async command<T>({call, texts, payload, numbers, signal, sent, read}: Command<T>): Promise<T> {
        let id = 0;
        let cancel!: () => void;
        const promise = new Promise<T>((resolve, failed) => {
            cancel = () => {
                failed(new PulsewireError('aborted', 'The call was aborted.', {cause: signal!.reason}));
                if (this.#commands.delete(id)) this.tell(Call.cancel, id);
                id = -1;
            };
            if (signal?.aborted) return cancel();
            this.#whenStarted(failed, () => {
                if (id < 0) return;
                const sizes = payload === undefined ? [] : [utf8Bytes(payload)];
                const max = this.#core.messageBytesMax();
                if (sizes[0] + texts.join('').length + this.name.length + frameBytesMax > max) {
                    return failed(new PulsewireError('too_large', `The payload of ${sizes} bytes is, with its envelope, more than the ${max} of the server.`));
                }
                id = this.#core.call(call, texts, ...sizes, ...numbers);
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

    /** Resolves with the position of a kept message, with undefined for a transient one. */
    publish({channel, type, key = '', conflate = '', payload, echo, transient, timeoutMs, signal, sent}: Outgoing): Promise<Position | undefined> {
        return this.command({
            call: Call.publish,
            texts: [channel, type, key, conflate],
            payload,
            numbers: [+echo, +transient, timeoutMs],
            signal,
            sent,
            read: (core) => (transient ? undefined : positionFrom(core)),
        });
    }

    /** Returns the function that ends the subscription. `info` is the JSON text that goes with it. */
    subscribe(receiver: Receiver, texts: readonly string[], info: string | undefined, ...numbers: number[]): () => void {
        let id = 0;
        const infoId = info ? ++this.#infoId : 0;
        if (info) this.#infos.set(infoId, info);
        this.#whenStarted((error, reason) => receiver.closed(error, reason), () => {
            if (id < 0) return;
            id = this.#core.call(Call.subscribe, texts, infoId, ...numbers);
            this.#receivers.set(id, receiver);
        });
        return () => {
            this.#infos.delete(infoId);
            if (this.#receivers.get(id) === receiver) {
                this.#receivers.delete(id);
                this.tell(Call.unsubscribe, id);
            }
            id = -1;
        };
    }

    payloadOf(id: number): string {
        const command = this.#commands.get(id);
        command?.sent?.();
        return command?.payload ?? this.#infos.get(id)!;
    }

    told(kind: Kind, core: Core): void {
        const id = core.word(Field.id);
        const command = this.#commands.get(id);
        const receiver = this.#receivers.get(id);
        try {
            if (kind === Kind.stateChanged) {
                this.#enter(stateFrom(core, this.name, this.#why));
            } else if (kind === Kind.deliver) {
                const raw = core.slice(Field.payload);
                receiver?.deliver(core.slice(Field.type), core.long(Field.offset), core.long(Field.time), core.byte(ByteField.replayed) > 0, raw, 0, raw.length);
            } else if (kind !== Kind.published && kind !== Kind.answered && kind !== Kind.failed) {
                receiver?.receive(kind, core);
            } else {
                this.#commands.delete(id);
                if (kind !== Kind.failed) command?.answered(core);
                else if (id) command?.failed(errorFrom(core));
                else throw errorFrom(core);
            }
        } catch (error) {
            command?.failed(error);
            this.report(error, 'a frame of the server');
        }
    }

    deliver(
        to: number, type: string, offset: number, time: number, replayed: boolean, text: string, begin: number, end: number,
    ): void {
        try {
            this.#receivers.get(to)?.deliver(type, offset, time, replayed, text, begin, end);
        } catch (error) {
            this.report(error, 'a frame of the server');
        }
    }

    broken(error: unknown): void {
        this.#host = undefined;
        this.end(whyNot(error));
    }

    #closed(): boolean {
        return this.state.name === 'closed';
    }

    /** Does `call` when the machine is there, or tells why it never will be. */
    #whenStarted(failed: (error: PulsewireError, reason: CloseReason) => void, call: () => void): void {
        const {state} = this;
        if (state.name === 'closed') return failed(closedError(state.reason), state.reason);
        if (this.#host) this.#host.run(call);
        else this.#queue.push(() => this.#whenStarted(failed, call));
    }

    #flush(): void {
        for (const call of this.#queue.splice(0)) call();
    }

    #enter(state: ConnectionState): void {
        this.state = state;
        this.#onState(state);
        if (state.name !== 'closed') return;
        this.#host?.end();
        this.#flush();
        const error = closedError(state.reason);
        for (const {failed} of this.#commands.values()) failed(error);
        for (const receiver of this.#receivers.values()) receiver.closed(error, state.reason);
        this.#commands.clear();
        this.#receivers.clear();
    }
}

function closedError({message}: CloseReason): PulsewireError {
    return new PulsewireError('closed', `The client is closed: ${message}`);
}

/** The position that an answer tells. */
export function positionFrom(core: Core): Position {
    return {epoch: core.slice(Field.epoch), offset: core.long(Field.offset)};
}

/** The error that the server, or the machine itself, gives as an answer. */
export function errorFrom(core: Core): PulsewireError {
    const [code, message] = localErrors[core.byte(ByteField.localCode)] ?? [core.slice(Field.code) as ErrorCode, core.string(Field.message)];
    return new PulsewireError(code, message, {pointer: core.string(Field.pointer)});
}
