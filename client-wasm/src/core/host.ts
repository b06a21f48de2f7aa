import type {Data} from '../base/payload.js';
import type {Core, Deliverer} from './core.js';
import {endpointsFrom} from './environment.js';
import {ByteField, Call, Field, HalfField, Kind, Via} from './numbers.js';
import {openEventStream, openWebSocket, type Endpoints, type OpenTransport} from './transports.js';

/** The kinds of actions that the host does not carry out itself. */
export type ToldKind = Exclude<Kind, Kind.openTransport | Kind.closeTransport | Kind.send | Kind.setTimer>;

/** The host's other half: it has the payloads and tells the application. */
export interface Listener extends Deliverer {
    /** The payload that belongs behind the header of a command or a subscription. */
    payloadOf(id: number): Data;
    told(kind: ToldKind, core: Core): void;
    /** For the option `debug`; arguments are those of a DebugEvent. */
    note(sign: string, told: unknown, attempt?: number): void;
    /** WebAssembly trapped; nothing works any more. */
    broken(error: unknown): void;
}

const pageEvents = ['online', 'pageshow', 'visibilitychange', 'focus', 'pagehide', 'beforeunload'];
/** The first ones are news of the network. */
const newsMax = 3;
/** When a transport is looked at after such an event, in milliseconds: one that ends with it takes a moment. */
const looksMs = [0, 200, 800, 3000];
/**
 * After how long the machine is told at the latest that publications arrived, in milliseconds. Reading the clock for each of
 * them would take as long as half of the rest.
 */
const heardMs = 1000;
const closeNormal = 1000;
const closeAway = 1001;
const closeAbnormal = 1006;
const closeTooBig = 1009;

/** Does what the machine says with sockets and timers, and tells it what happened. Decides nothing itself. */
export class Host {
    readonly #core: Core;
    readonly #endpoints: Endpoints;
    readonly #listener: Listener;
    /** By attempt; two for a moment when the server hands over to another. */
    readonly #transports = new Map<number, OpenTransport>();
    #timer: ReturnType<typeof setTimeout> | undefined;
    #hearing: ReturnType<typeof setTimeout> | undefined;
    #obeying = false;
    #over = false;
    /** Lines leave one by one, since something on the way found a message too big. */
    #alone = false;
    #postFailures = 0;

    constructor(core: Core, endpoints: Endpoints, listener: Listener) {
        this.#core = core;
        this.#endpoints = endpoints;
        this.#listener = listener;
        for (const event of pageEvents) globalThis.addEventListener?.(event, this.#online);
    }

    /** Tells the machine something and carries out what it wants done. */
    tell(call: Call, ...numbers: number[]): void {
        this.run((core) => core.call(call, [], ...numbers));
    }

    /** Sends a line, or its beginning with the payload; not at all when that transport is gone. */
    send(attempt: number, line: string, payload?: Data): void {
        const transport = this.#transports.get(attempt);
        if (typeof payload === 'string') line += payload + '}';
        const bytes = payload as Uint8Array<ArrayBuffer> | undefined;
        if (transport) this.#listener.note('→', bytes && typeof payload !== 'string' ? `${line}(${bytes.length} bytes)` : line, attempt);
        transport?.send(line, typeof payload === 'string' ? undefined : bytes);
    }

    /** The same for whatever `call` does with the machine. */
    run(call: (core: Core) => void): void {
        if (this.#over) return;
        try {
            call(this.#core);
            if (this.#obeying) return;
            this.#obeying = true;
            this.#obey();
            this.#obeying = false;
        } catch (error) {
            this.#broken(error);
        }
    }

    /** As run(), without a function made for each message. */
    #received(message: string | ArrayBuffer, attempt: number): void {
        if (this.#over) return;
        try {
            // A handler's wishes are carried out after the message.
            this.#obeying = true;
            if (typeof message === 'string') this.#core.receive(message, attempt, this.#obey, this.#listener);
            else this.#core.receiveBinary(message, attempt, this.#obey, this.#listener);
            this.#obeying = false;
            if (this.#core.heard) this.#hearing ??= setTimeout(this.#hear, heardMs);
        } catch (error) {
            this.#broken(error);
        }
    }

    #broken(error: unknown): void {
        this.end();
        this.#listener.broken(error);
    }

    /** Closes everything; the machine is told nothing any more. */
    end(): void {
        this.#over = true;
        for (const event of pageEvents) globalThis.removeEventListener?.(event, this.#online);
        clearTimeout(this.#timer);
        clearTimeout(this.#hearing);
        for (const transport of this.#transports.values()) transport.close(closeNormal);
    }

    /** With any call the machine is told what was heard; this one says nothing else. */
    readonly #hear = (): void => {
        this.#hearing = undefined;
        this.tell(Call.publication, 0, 0, 0, 0, 0);
    };

    readonly #online = (event: Event): void => {
        const {type} = event;
        for (const ms of looksMs) setTimeout(this.#look, ms);
        if (type === 'pagehide' && 'persisted' in event) this.#leave();
        if (pageEvents.indexOf(type) < newsMax && globalThis.document?.visibilityState !== 'hidden') this.tell(Call.networkOnline);
    };

    /** The page goes, perhaps to be shown again, which is news of the network: to the others it is not there meanwhile. */
    #leave(): void {
        for (const [attempt, transport] of [...this.#transports]) {
            transport.close(closeAway);
            this.#transports.delete(attempt);
            this.tell(Call.transportClosed, attempt, closeAway);
        }
    }

    readonly #look = (): void => {
        for (const transport of this.#transports.values()) transport.look();
    };

    /** One action after the other, also those that come up meanwhile: what is told is told in order. */
    readonly #obey = (): void => {
        while (!this.#over && this.#core.next()) this.#do(this.#core);
    };

    #do(core: Core): void {
        const kind: Kind = core.byte(ByteField.kind);
        const attempt = core.word(Field.attempt);
        const transport = this.#transports.get(attempt);
        if (kind === Kind.openTransport) {
            this.#open(core.byte(ByteField.via), attempt, core.text());
        } else if (kind === Kind.closeTransport) {
            transport?.close(core.word(HalfField.close) >>> 16);
            this.#transports.delete(attempt);
        } else if (kind === Kind.send) {
            const payloadOf = core.word(Field.payloadOf);
            const text = core.text();
            this.send(attempt, text, payloadOf ? this.#listener.payloadOf(payloadOf) : undefined);
        } else if (kind === Kind.setTimer) {
            clearTimeout(this.#timer);
            this.#timer = setTimeout(() => {
                this.#look();
                this.tell(Call.timer);
            }, core.word(Field.delayMs));
        } else {
            this.#listener.told(kind, core);
        }
    }

    /**
     * `elsewhere`: where the server told to come back (docs/protocol.md 7.1); never from a secure server to an open one, and
     * with a token only where the application allows it.
     */
    #open(via: Via, attempt: number, elsewhere: string): void {
        const closed = (code: number) => {
            this.#transports.delete(attempt);
            this.#alone ||= code === closeTooBig;
            this.#listener.note('×', code, attempt);
            this.tell(Call.transportClosed, attempt, code);
        };
        try {
            const endpoints = elsewhere ? endpointsFrom(elsewhere, this.#endpoints) : this.#endpoints;
            if (secure(this.#endpoints) > secure(endpoints) || this.#endpoints.hosts?.includes(endpoints.host!) === false) throw elsewhere;
            const sse = via === Via.sse;
            this.#listener.note('○', sse ? endpoints.sseUrl : endpoints.websocketUrl, attempt);
            this.#transports.set(attempt, (sse ? openEventStream : openWebSocket)(endpoints, {
                opened: () => this.tell(Call.transportOpened, attempt),
                received: (message) => {
                    this.#listener.note('←', typeof message === 'string' ? message : `(a binary message of ${message.byteLength} bytes)`, attempt);
                    this.#received(message, attempt);
                },
                closed,
                // No UTF-16 unit becomes more than three bytes.
                unitsMax: () => (this.#alone ? 0 : this.#core.messageBytesMax() / 3),
                posted: (through) => (this.#postFailures = through ? 0 : this.#postFailures + 1),
            }));
        } catch {
            // Refused at once, for example ws: from an https: page.
            closed(closeAbnormal);
        }
    }
}

/** 's' of https:, or the colon of http:, which is less. */
function secure({sseUrl}: Endpoints): string {
    return sseUrl[4]!;
}
