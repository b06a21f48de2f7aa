import {afterEach, mock} from 'node:test';
import {connect} from '../src/index.js';
import type {Client} from '../src/client/client.js';
import type {ConnectionState} from '../src/client/events.js';
import type {ConnectOptions} from '../src/client/options.js';

/** A frame as an object, or a whole line. */
export type Frame = Record<string, unknown> | string;

const lineOf = (frame: Frame) => (typeof frame === 'string' ? frame : JSON.stringify(frame));
const messageOf = (frames: Frame[]) => frames.map(lineOf).join('\n');

/** Texts and bytes, one behind the other. */
export function binaryMessage(...parts: (string | Uint8Array)[]): ArrayBuffer {
    return Uint8Array.from(parts.flatMap((part) => [...(typeof part === 'string' ? new TextEncoder().encode(part) : part)])).buffer;
}

const clients = new Set<Client>();
// Timers of a client that a failed test left open would keep Node running.
afterEach(() => {
    for (const client of clients) client.close();
    clients.clear();
});

/** Resolves when the client enters the state. WebAssembly that is being started does not keep Node running by itself. */
export async function entered(client: Client, state: 'connecting' | 'closed'): Promise<void> {
    const alive = setInterval(() => {}, 60_000);
    await new Promise<void>((resolve) => client.on(state, () => resolve()));
    clearInterval(alive);
}

/** A promise whose rejection may come before anybody waits for it. */
export function held<T>(promise: Promise<T>): Promise<T> {
    promise.catch(() => {});
    return promise;
}

/** Lets everything that is due now happen: promises, and what the SDK does in microtasks. */
export async function settle(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
}

/** A WebSocket whose server is the test. */
export class FakeWebSocket {
    onopen: ((event: any) => void) | null = null;
    onmessage: ((event: any) => void) | null = null;
    onclose: ((event: any) => void) | null = null;
    onerror: ((event: any) => void) | null = null;
    readonly messages: string[] = [];
    readonly binaryMessages: Uint8Array[] = [];
    closedWith: number | undefined;

    constructor(readonly url: string, readonly protocol: string) {}

    send(data: string | Uint8Array): void {
        if (typeof data === 'string') this.messages.push(data);
        else this.binaryMessages.push(data);
    }

    close(code?: number): void {
        this.closedWith = code;
    }

    open(): void {
        this.onopen?.({});
    }

    receive(...frames: Frame[]): void {
        this.onmessage?.({data: messageOf(frames)});
    }

    /** A binary message (docs/protocol.md 2.5). */
    receiveBinary(...parts: (string | Uint8Array)[]): void {
        this.onmessage?.({data: binaryMessage(...parts)});
    }

    drop(code = 1006): void {
        this.onclose?.({code});
    }

    /** All lines that the client sent, parsed. */
    get sent(): Record<string, any>[] {
        return this.messages.flatMap((message) => message.split('\n')).map((line) => JSON.parse(line));
    }

    /** The last line of that op. */
    last(op: string): Record<string, any> {
        const found = this.sent.filter((frame) => frame.op === op).at(-1);
        if (!found) throw new Error(`no ${op} was sent, only ${JSON.stringify(this.sent)}`);
        return found;
    }
}

/** An EventSource whose server is the test. */
export class FakeEventSource {
    onmessage: ((event: any) => void) | null = null;
    onerror: ((event: any) => void) | null = null;
    closed = false;

    constructor(readonly url: string) {}

    close(): void {
        this.closed = true;
    }

    receive(...frames: Frame[]): void {
        this.onmessage?.({data: messageOf(frames)});
    }

    fail(): void {
        this.onerror?.({});
    }
}

/** A POST that waits for the test's answer. */
export interface FakePost {
    url: string;
    connection: string;
    body: string;
    signal: AbortSignal;
    answer(status: number): void;
    fail(): void;
}

/** The means of one client, in the test's hands. */
export class FakeNetwork {
    readonly sockets: FakeWebSocket[] = [];
    readonly streams: FakeEventSource[] = [];
    readonly posts: FakePost[] = [];
    /** Requests that ask why no transport opens. */
    readonly probes: {url: string; init: RequestInit; answer(response: Response): void; fail(): void}[] = [];
    readonly errors: [unknown, string][] = [];
    readonly states: ConnectionState[] = [];
    readonly options: ConnectOptions;

    constructor(options: ConnectOptions = {}) {
        const {sockets, streams, posts, probes, errors} = this;
        this.options = {
            WebSocket: class extends FakeWebSocket {
                constructor(url: string, protocol: string) {
                    super(url, protocol);
                    sockets.push(this);
                }
            },
            EventSource: class extends FakeEventSource {
                constructor(url: string) {
                    super(url);
                    streams.push(this);
                }
            },
            fetch: (url, init) =>
                new Promise((resolve, reject) => {
                    const signal = init!.signal!;
                    signal.addEventListener('abort', () => reject(signal.reason));
                    if (!init!.method) {
                        probes.push({url: String(url), init: init!, answer: resolve, fail: () => reject(new TypeError('fetch failed'))});
                        return;
                    }
                    posts.push({
                        url: String(url),
                        connection: new Headers(init!.headers).get('Pulsewire-Connection') ?? '',
                        body: String(init!.body),
                        signal,
                        answer: (status) => resolve(new Response(null, {status})),
                        fail: () => reject(new TypeError('fetch failed')),
                    });
                }),
            onError: (error, context) => errors.push([error, context]),
            ...options,
        };
    }

    get socket(): FakeWebSocket {
        const socket = this.sockets.at(-1);
        if (!socket) throw new Error('no WebSocket was opened');
        return socket;
    }

    get stream(): FakeEventSource {
        const stream = this.streams.at(-1);
        if (!stream) throw new Error('no EventSource was opened');
        return stream;
    }

    get stateNames(): string[] {
        return this.states.map(({name}) => name);
    }

    /** A client whose WebAssembly has started and whose first transport is being opened. */
    async connect(url = 'http://server.test'): Promise<Client> {
        const client = connect(url, this.options);
        clients.add(client);
        client.on('state', (state) => this.states.push(state));
        await entered(client, 'connecting');
        return client;
    }

    /** The server takes the connection that is being opened. */
    async welcome(fields: Record<string, unknown> = {}): Promise<void> {
        this.socket.open();
        await settle();
        this.socket.receive(welcomeFor(this.socket.last('connect'), fields));
        await settle();
    }
}

export function welcomeFor(connect: Record<string, any>, fields: Record<string, unknown> = {}): Frame {
    return {
        op: 'welcome', session: connect.session, connection: 'secret', server: 'fake', ping_ms: 25_000, pong_ms: 8_000,
        message_bytes_max: 65_536, channels_max: 128, requests_max: 64, ...fields,
    };
}

/** A client with an open connection, and its network. */
export async function opened(options: ConnectOptions = {}): Promise<{client: Client; network: FakeNetwork}> {
    const network = new FakeNetwork(options);
    const client = await network.connect();
    await network.welcome();
    return {client, network};
}

/** The server accepts the subscription of that channel. */
export async function accept(socket: FakeWebSocket, channel: string, fields: Record<string, unknown> = {}): Promise<void> {
    const asked = socket.sent.filter((frame) => frame.op === 'subscribe' && frame.channel === channel).at(-1);
    if (!asked) throw new Error(`nobody subscribes to ${channel}`);
    socket.receive({op: 'subscribed', id: asked.id, channel, epoch: 'e1', offset: 0, replay: 0, ...fields});
    await settle();
}

/** A publication as the server sends it. */
export function publication(channel: string, offset: number, payload: unknown, type = 'chat.message'): Frame {
    return {type, channel, offset, time: 1_764_000_000_000 + offset, payload};
}

/** Replaces timers and clocks; tick() moves them. */
export function fakeClock(): {tick(ms: number): Promise<void>; restore(): void} {
    const real = performance.now;
    mock.timers.enable({apis: ['setTimeout', 'Date'], now: 1_000_000});
    performance.now = () => Date.now();
    return {
        async tick(ms) {
            mock.timers.tick(ms);
            await settle();
        },
        restore() {
            mock.timers.reset();
            performance.now = real;
        },
    };
}
