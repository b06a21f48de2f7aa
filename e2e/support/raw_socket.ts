// A WebSocket that says exactly what it is told to say, right or wrong (docs/protocol.md).

import {WebSocket, type RawData} from 'ws';
import {Inbox} from './inbox.ts';
import {soon} from './soon.ts';

/** A frame of the protocol, or a publication (3.1). */
export interface Frame {
    op?: string;
    id?: number;
    type?: string;
    channel?: string;
    offset?: number;
    epoch?: string;
    code?: string | number;
    message?: string;
    pointer?: string;
    payload?: any;
    [member: string]: unknown;
}

export interface RawOptions {
    protocol?: string;
    headers?: Record<string, string>;
}

export class RefusedHandshake extends Error {
    readonly status: number;
    constructor(status: number) {
        super(`the handshake was answered by ${status}`);
        this.status = status;
    }
}

/** Any WebSocket; what arrives are texts. */
export class RawSocket {
    readonly texts = new Inbox<string>();
    readonly closed: Promise<{code: number; reason: string}>;
    readonly #socket: WebSocket;

    protected constructor(socket: WebSocket) {
        this.#socket = socket;
        socket.on('message', (data: RawData) => this.received(String(data)));
        this.closed = new Promise((ended) => socket.on('close', (code, reason) => ended({code, reason: String(reason)})));
    }

    static async open(url: string, {protocol, headers = {}}: RawOptions = {}): Promise<RawSocket> {
        return new RawSocket(await opened(url, protocol, headers));
    }

    get isOpen(): boolean {
        return this.#socket.readyState === WebSocket.OPEN;
    }

    get protocol(): string {
        return this.#socket.protocol;
    }

    send(data: string | Uint8Array): void {
        this.#socket.send(data);
    }

    close(): void {
        this.#socket.close();
    }

    protected received(text: string): void {
        this.texts.put(text);
    }
}

/** A connection that speaks the protocol by hand. */
export class RawConnection extends RawSocket {
    /** Every frame. */
    readonly frames = new Inbox<Frame>();
    /** Publications and direct messages alone. */
    readonly messages = new Inbox<Frame>();
    readonly #answers = new Inbox<Frame>();
    welcome: Frame = {};
    #lastId = 0;

    /** Opens and connects; `session` is drawn unless given. */
    static async connect(origin: string, options: RawOptions & {session?: string} = {}): Promise<RawConnection> {
        const socket = await opened(`${origin.replace('http', 'ws')}/ws`, 'pulsewire.v1', options.headers ?? {});
        const connection = new RawConnection(socket);
        connection.welcome = await connection.ask({op: 'connect', version: 1, session: options.session ?? drawnSession()});
        return connection;
    }

    frame(frame: Frame): void {
        this.send(JSON.stringify(frame));
    }

    /** Sends a command with the next id; resolves with its answer, be it an error. */
    async ask(command: Frame): Promise<Frame> {
        const id = ++this.#lastId;
        this.frame({op: command.op!, id, ...command});
        return this.#answers.next(`answer to ${JSON.stringify(command)}`, (frame) => frame.id === id);
    }

    /** The next publication or direct message. */
    async message(): Promise<Frame> {
        return this.messages.next('message');
    }

    protected override received(text: string): void {
        super.received(text);
        for (const line of text.split('\n')) {
            if (!line) continue;
            const frame = JSON.parse(line) as Frame;
            if (frame.op === 'ping') this.send('{"op":"pong"}');
            this.frames.put(frame);
            if (frame.op === undefined) this.messages.put(frame);
            else if (frame.id !== undefined) this.#answers.put(frame);
        }
    }
}

export const drawnSession = (): string => `e2e-${Math.random().toString(36).slice(2, 12).padEnd(10, '0')}`;

async function opened(url: string, protocol: string | undefined, headers: Record<string, string>): Promise<WebSocket> {
    const socket = new WebSocket(url, protocol ? [protocol] : [], {headers, perMessageDeflate: false});
    await soon(new Promise<void>((open, failed) => {
        socket.once('open', open);
        socket.once('unexpected-response', (_, response) => {
            failed(new RefusedHandshake(response.statusCode!));
            response.destroy();
        });
        socket.on('error', failed);
    }), `WebSocket at ${url}`);
    return socket;
}
