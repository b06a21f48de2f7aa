import {invalid} from '../base/check.js';
import {fromUtf8, toUtf8} from './text_bytes.js';

/** Functions of the module (test-server/bridge.cpp), each with numbers alone. */
type Exports = Readonly<Record<string, (...numbers: number[]) => number>>;

/** A wish of the hub, to its application or its network; test-server/server.hpp lists the kinds. */
export interface HubEvent {
    readonly kind: string;
    readonly connection: number;
    /** Of a token, a command or a request: its answer repeats it. */
    readonly id: number;
    readonly text: string;
}

/** The module's imports serve the C library alone, which is given no chance to print or to end anything. */
function importsOf(module: WebAssembly.Module): WebAssembly.Imports {
    const imports: Record<string, Record<string, () => void>> = {};
    for (const {module: from, name} of WebAssembly.Module.imports(module)) {
        (imports[from] ??= {})[name] = () => {
            if (name !== 'emscripten_notify_memory_growth') throw new Error(`the test server's module has called ${name}: this is a fault of Pulsewire`);
        };
    }
    return imports;
}

/** A request for a plain event stream (docs/protocol.md 8.4); texts are empty where nothing is said. */
export interface EventsRequest {
    readonly channels: readonly string[];
    readonly cursor: string;
    readonly latest: string;
    readonly shown: string;
}

/** The real hub in an instance of the module of its own: texts in, texts out, and the clocks before each call. */
export class Hub {
    readonly #exports: Exports;
    readonly #memory: WebAssembly.Memory;
    readonly #handle: (event: HubEvent) => void;
    #handling = false;

    /**
     * Throws `invalid_argument` for settings that the server would refuse; the message begins with the place. `handle` gets
     * one event after the other; it may call the hub.
     */
    constructor(module: WebAssembly.Module, settings: string, seed: number, handle: (event: HubEvent) => void) {
        const {exports} = new WebAssembly.Instance(module, importsOf(module));
        this.#exports = exports as unknown as Exports;
        this.#memory = exports.memory as WebAssembly.Memory;
        this.#handle = handle;
        this.#exports._initialize?.();
        const [size] = this.#write(settings);
        const fault = this.#read(this.#exports.create!(size!, seed, performance.now(), Date.now()));
        if (fault) throw invalid(fault);
    }

    open(connection: number, secret: string): void {
        this.#run('open', [secret], [connection]);
    }

    /** A plain event stream; `shown` is what a token proves. Returns the refusal as a line; empty: it is open. */
    openEvents(connection: number, retryMs: number, {channels, cursor, latest, shown}: EventsRequest): string {
        return this.#run('open_events', [JSON.stringify(channels), cursor, latest, shown], [connection, retryMs], this.#read);
    }

    receive(connection: number, message: string): void {
        this.#run('receive', [message], [connection]);
    }

    closed(connection: number): void {
        this.#run('closed', [], [connection]);
    }

    /** The bytes that wait for the connection, at most so many. */
    pull(connection: number, bytesMax: number): Uint8Array {
        return this.#run('pull', [], [connection, bytesMax], (at) => new Uint8Array(this.#memory.buffer, at, this.#exports.result_size!()).slice());
    }

    /** The close code with which the server has ended it, all bytes being pulled; 0 while it is open. */
    ended(connection: number): number {
        return this.#exports.ended!(connection);
    }

    hasReadAll(connection: number): boolean {
        return !!this.#exports.has_read_all!(connection);
    }

    /** The answer as a line. */
    publish(channel: string, body: string): string {
        return this.#run('publish', [channel, body], [], this.#read);
    }

    query(line: string): string {
        return this.#run('query', [line], [], this.#read);
    }

    subscribers(channel: string): number[] {
        return JSON.parse(this.#run('subscribers', [channel], [], this.#read)) as number[];
    }

    answer(connection: number, id: number, payload: string): void {
        this.#run('answer', [payload], [connection, id]);
    }

    refuseRequest(connection: number, id: number, code: string, sentence: string): void {
        this.#run('refuse_request', [code, sentence], [connection, id]);
    }

    /** A publish goes on; empty: with the type and the payload that the client gave. */
    passes(number: number, type: string, payload: string): void {
        this.#run('passes', [type, payload], [number]);
    }

    drops(number: number): void {
        this.#run('drops', [], [number]);
    }

    refusePublish(number: number, code: string, sentence: string): void {
        this.#run('refuse_publish', [code, sentence], [number]);
    }

    /** `code` is empty where the command may be carried out. */
    authorized(connection: number, number: number, code: string, sentence: string): void {
        this.#run('authorized', [code, sentence], [connection, number]);
    }

    /** Returns a fault in what the token shows; nothing of it is permitted then. */
    verified(connection: number, number: number, principal: string): string {
        return this.#run('verified', [principal], [connection, number], this.#read);
    }

    revoke(user: string, issuedBeforeMs: number): void {
        this.#run('revoke', [user], [issuedBeforeMs]);
    }

    disconnect(connection: number, code: number, reason: string): void {
        this.#run('disconnect', [reason], [connection, code]);
    }

    tick(): void {
        this.#run('tick', []);
    }

    drain(spreadMs: number): void {
        this.#run('drain', [], [spreadMs]);
    }

    handOver(spreadMs: number): void {
        this.#run('hand_over', [], [spreadMs]);
    }

    restart(keepsLog: boolean): void {
        this.#run('restart', [], [+keepsLog]);
    }

    /** Whether there is such an operation and such a code. */
    refuseNext(operation: string, code: string, sentence: string, times: number): boolean {
        return this.#run('refuse_next', [operation, code, sentence], [times], Boolean);
    }

    askAboutAll(asks: boolean): void {
        this.#exports.ask_about_all!(+asks);
    }

    /** A call of the hub at the present time: numbers first, then the sizes of the texts. `read` gets the result. */
    #run<T = void>(name: string, texts: string[], numbers: number[] = [], read?: (result: number) => T): T {
        this.#exports.set_time!(performance.now(), Date.now());
        const result = this.#exports[name]!(...numbers, ...this.#write(...texts));
        const value = read?.(result);
        this.#handleEvents();
        return value as T;
    }

    /** Events that an event brings about come after it. */
    #handleEvents(): void {
        if (this.#handling) return;
        this.#handling = true;
        try {
            for (let events; (events = this.#takeEvents()).length; ) for (const event of events) this.#handle(event);
        } finally {
            this.#handling = false;
        }
    }

    #takeEvents(): HubEvent[] {
        const at = this.#exports.take_events!();
        const events: HubEvent[] = [];
        if (!this.#exports.result_size!()) return events;
        const rows = this.#read(at).split('\n');
        for (let row = 0; row + 1 < rows.length; row += 2) {
            const [kind, connection, id] = rows[row]!.split(' ');
            events.push({kind: kind!, connection: Number(connection), id: Number(id), text: rows[row + 1]!});
        }
        return events;
    }

    #write(...texts: string[]): number[] {
        if (!texts.length) return [];
        const all = texts.map(toUtf8);
        const sizes = all.map(({length}) => length);
        let at = this.#exports.text_buffer!(sizes.reduce((sum, size) => sum + size, 0));
        const memory = new Uint8Array(this.#memory.buffer);
        for (const bytes of all) {
            memory.set(bytes, at);
            at += bytes.length;
        }
        return sizes;
    }

    readonly #read = (at: number): string => fromUtf8(new Uint8Array(this.#memory.buffer, at, this.#exports.result_size!()));
}
