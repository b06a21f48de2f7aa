// The network between a page and the server, with its faults: a TCP proxy on a port of its own that looks into the head of
// the first request of each connection. (Browsers give each WebSocket handshake a connection of its own, so the first
// request is enough to know one.)

import {connect, createServer, type AddressInfo, type Server, type Socket} from 'node:net';

/**
 * The fate of a WebSocket handshake: refused by a proxy with 403 or 400, stripped of its Upgrade header by one that does
 * not know it, or swallowed by one that never answers.
 */
export type HandshakeFault = 'forbidden' | 'bad_request' | 'stripped' | 'unanswered';

/** Which bytes: those from the server, those to it, or both. */
export type Direction = 'both' | 'from_server' | 'to_server';

const headBytesMax = 64 * 1024;
const answers = {
    forbidden: 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
    bad_request: 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
};

export class FaultProxy {
    readonly #listener: Server;
    readonly #links = new Set<Link>();
    #targetPort: number;
    #cut = false;
    #held: Direction | undefined;
    #latencyMs = 0;
    #sliceBytes = Infinity;
    #bytesPerSecond = Infinity;
    #closeAfterBytes = Infinity;
    #closedAtLimit: () => void = () => {};
    #handshakes: HandshakeFault | undefined;
    /** WebSocket handshakes that came, and those of them that were hindered. */
    readonly handshakes = {seen: 0, hindered: 0};

    private constructor(listener: Server, targetPort: number) {
        this.#listener = listener;
        this.#targetPort = targetPort;
        listener.on('connection', (client) => this.#accept(client));
    }

    static async start(targetPort: number): Promise<FaultProxy> {
        const listener = createServer({allowHalfOpen: true});
        await new Promise<void>((listening) => listener.listen(0, '127.0.0.1', listening));
        return new FaultProxy(listener, targetPort);
    }

    get origin(): string {
        return `http://127.0.0.1:${(this.#listener.address() as AddressInfo).port}`;
    }

    /** Connections that are open now. */
    get connections(): number {
        return this.#links.size;
    }

    /** Resets every connection, and each new one as soon as it comes, until heal(). */
    cut(): void {
        this.#cut = true;
        this.reset();
    }

    /** Resets every connection that is open now; new ones pass. */
    reset(): void {
        for (const link of [...this.#links]) link.destroy();
    }

    /** Nothing passes and nothing ends: half-open, or deaf on one side. heal() lets what waited go on. */
    blackhole(direction: Direction = 'both'): void {
        this.#held = direction;
        for (const link of this.#links) link.hold(direction);
    }

    /** Each byte comes later by so much, in both directions. */
    delay(ms: number): void {
        this.#latencyMs = ms;
    }

    /** Everything sent arrives in pieces of at most so many bytes. */
    slice(bytes: number): void {
        this.#sliceBytes = bytes;
    }

    /** So many bytes a second come from the server on each connection, and what it sends beyond that backs up to it. */
    bandwidth(bytesPerSecond: number): void {
        this.#bytesPerSecond = bytesPerSecond;
    }

    /** Each new connection is reset as soon as so many bytes came from the server. Resolves when the first one is. */
    closeAfter(bytes: number): Promise<void> {
        this.#closeAfterBytes = bytes;
        return new Promise((closed) => { this.#closedAtLimit = closed; });
    }

    hinderWebSockets(how: HandshakeFault): void {
        this.#handshakes = how;
    }

    /** All faults end. What was reset stays reset. */
    heal(): void {
        this.#cut = false;
        this.#held = undefined;
        this.#latencyMs = 0;
        this.#sliceBytes = this.#closeAfterBytes = this.#bytesPerSecond = Infinity;
        this.#handshakes = undefined;
        for (const link of this.#links) link.hold(undefined);
    }

    /** New connections go to another server. */
    pointAt(targetPort: number): void {
        this.#targetPort = targetPort;
    }

    async stop(): Promise<void> {
        this.reset();
        await new Promise((closed) => this.#listener.close(closed));
    }

    #accept(client: Socket): void {
        if (this.#cut) {
            client.resetAndDestroy();
            return;
        }
        const link = new Link(client, {
            connect: () => connect({port: this.#targetPort, host: '127.0.0.1', allowHalfOpen: true}),
            latencyMs: () => this.#latencyMs,
            sliceBytes: () => this.#sliceBytes,
            bytesPerSecond: () => this.#bytesPerSecond,
            closeAfterBytes: this.#closeAfterBytes,
            closedAtLimit: this.#closedAtLimit,
            head: (head) => this.#judge(head),
        });
        this.#links.add(link);
        link.onEnd = () => this.#links.delete(link);
        link.hold(this.#held);
    }

    #judge(head: string): Verdict {
        if (!/^upgrade: *websocket\s*$/im.test(head)) return {forward: head};
        this.handshakes.seen += 1;
        if (!this.#handshakes) return {forward: head};
        this.handshakes.hindered += 1;
        switch (this.#handshakes) {
            case 'forbidden':
            case 'bad_request':
                return {answer: answers[this.#handshakes]};
            case 'stripped':
                return {forward: head.replace(/^(upgrade|connection|sec-websocket-[\w-]+):.*\r\n/gim, '')};
            case 'unanswered':
                return {};
        }
    }
}

/** The fate of the head of a first request: passed on, answered here, or neither. */
interface Verdict {
    forward?: string;
    answer?: string;
}

interface Way {
    connect(): Socket;
    latencyMs(): number;
    sliceBytes(): number;
    bytesPerSecond(): number;
    closeAfterBytes: number;
    closedAtLimit(): void;
    head(head: string): Verdict;
}

// One connection of a client and, once its first request is read, the one to the server.
class Link {
    readonly #client: Socket;
    readonly #way: Way;
    #server: Socket | undefined;
    #head: Buffer = Buffer.alloc(0);
    #held: Direction | undefined;
    #resting = false;  // the server's bytes have used up their share for now
    #fromServer = 0;
    onEnd: () => void = () => {};

    constructor(client: Socket, way: Way) {
        this.#client = client;
        this.#way = way;
        client.setNoDelay(true);
        client.on('error', () => this.destroy()).on('close', () => this.destroy());
        client.on('data', this.#readHead);
        client.on('end', () => { if (!this.#server) this.destroy(); });
    }

    hold(direction: Direction | undefined): void {
        this.#held = direction;
        this.#flow(this.#client);
        if (this.#server) this.#flow(this.#server);
    }

    // Reads from the socket again, unless its direction is held.
    #flow(from: Socket): void {
        const held = this.#held === 'both' || this.#held === (from === this.#client ? 'to_server' : 'from_server');
        if (held || (from === this.#server && this.#resting)) from.pause();
        else from.resume();
    }

    // Reads nothing more from the server for as long as the bytes take at this bandwidth.
    #rest(bytes: number): void {
        const ms = (bytes / this.#way.bytesPerSecond()) * 1000;
        if (ms === 0) return;
        this.#resting = true;
        this.#flow(this.#server!);
        setTimeout(() => {
            this.#resting = false;
            if (!this.#server!.destroyed) this.#flow(this.#server!);
        }, ms);
    }

    destroy(): void {
        for (const socket of [this.#client, this.#server]) {
            if (socket && !socket.destroyed) socket.resetAndDestroy();
        }
        this.onEnd();
    }

    readonly #readHead = (part: Buffer): void => {
        this.#head = Buffer.concat([this.#head, part]);
        const end = this.#head.indexOf('\r\n\r\n');
        if (end < 0 && this.#head.length < headBytesMax) return;
        this.#client.off('data', this.#readHead);
        const headBytes = end < 0 ? this.#head.length : end + 4;
        const {forward, answer} = this.#way.head(this.#head.toString('latin1', 0, headBytes));
        if (answer !== undefined) this.#client.end(answer);
        if (forward !== undefined) this.#open(Buffer.concat([Buffer.from(forward, 'latin1'), this.#head.subarray(headBytes)]));
        else this.#flow(this.#client);
    };

    #open(first: Buffer): void {
        const server = this.#way.connect();
        this.#server = server;
        server.setNoDelay(true);
        server.on('error', () => this.destroy()).on('close', () => this.destroy());
        const toServer = new Lane(server, this.#way, () => this.#flow(this.#client));
        const toClient = new Lane(this.#client, this.#way, () => this.#flow(server));
        toServer.write(first);
        this.#client.on('data', (data: Buffer) => {
            if (!toServer.write(data)) this.#client.pause();
        });
        this.#client.on('end', () => toServer.end());
        server.on('data', (data: Buffer) => {
            const left = Math.max(0, this.#way.closeAfterBytes - this.#fromServer);
            this.#fromServer += data.length;
            this.#rest(data.length);
            if (data.length >= left) {
                toClient.last(data.subarray(0, left), () => {
                    this.destroy();
                    this.#way.closedAtLimit();
                });
            } else if (!toClient.write(data)) {
                server.pause();
            }
        });
        server.on('end', () => toClient.end());
        this.#flow(server);
    }
}

// One direction of a link: in order, late and sliced as the way says, and never more than the receiver takes.
class Lane {
    readonly #to: Socket;
    readonly #way: Way;
    readonly #waiting: {at: number; act: () => void}[] = [];

    /** `more` is called when the receiver takes bytes again after write() said that it does not. */
    constructor(to: Socket, way: Way, more: () => void) {
        this.#to = to;
        this.#way = way;
        to.on('drain', more);
    }

    /** Whether the receiver takes more. */
    write(data: Buffer): boolean {
        const slice = Math.min(this.#way.sliceBytes(), data.length);
        this.#later(() => {
            for (let start = 0; start < data.length; start += slice) this.#to.write(data.subarray(start, start + slice));
        });
        return !this.#to.writableNeedDrain;
    }

    /** Writes what may be nothing, and calls back when it is out and will not be overtaken. */
    last(data: Buffer, written: () => void): void {
        this.#later(() => this.#to.write(data, written));
    }

    end(): void {
        this.#later(() => this.#to.end());
    }

    #later(act: () => void): void {
        const latencyMs = this.#way.latencyMs();
        if (latencyMs === 0 && this.#waiting.length === 0) return act();
        const at = Math.max(performance.now() + latencyMs, this.#waiting.at(-1)?.at ?? 0);
        this.#waiting.push({at, act});
        if (this.#waiting.length === 1) this.#wait();
    }

    #wait(): void {
        const next = this.#waiting[0];
        if (!next) return;
        setTimeout(() => {
            this.#waiting.shift();
            if (!this.#to.destroyed) next.act();
            this.#wait();
        }, Math.max(0, next.at - performance.now()));
    }
}
