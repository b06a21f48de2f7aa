// The network as one page's SDK sees it, with faults that the page itself makes: between the SDK and the browser's own
// WebSocket, EventSource and fetch, which connect() takes as options. The server knows nothing of it.

import type {ConnectOptions, EventSourceLike, WebSocketLike} from 'pulsewire';

const closeAbnormal = 1006;

/** A transport of the SDK that can be ended from here. */
interface Link {
    lose(): void;
}

export class BreakableNetwork {
    readonly #links = new Set<Link>();
    #offline: ReturnType<typeof setTimeout> | undefined;
    #unplugged = false;
    #stalled: ReturnType<typeof setTimeout> | undefined;
    #waiting: (() => void)[] = [];

    /** Options of connect() that lead through this network. */
    get options(): Pick<ConnectOptions, 'WebSocket' | 'EventSource' | 'fetch'> {
        const network = this;
        return {
            WebSocket: class extends BreakableWebSocket {
                constructor(url: string, protocols: string) {
                    super(network, () => new WebSocket(url, protocols));
                }
            },
            EventSource: class extends BreakableEventSource {
                constructor(url: string) {
                    super(network, () => new EventSource(url));
                }
            },
            fetch: (...request) => this.#fetch(request),
        };
    }

    get offline(): boolean {
        return this.#unplugged || this.#offline !== undefined;
    }

    /** Whether something that is sent now has to wait. */
    get hindered(): boolean {
        return this.offline || this.#stalled !== undefined;
    }

    /** Open links are lost at once, as if a cable had been pulled; those opened afterwards are not. */
    cut(): void {
        this.#waiting = [];
        for (const link of [...this.#links]) link.lose();
    }

    /** For so long nothing passes in either direction and nothing ends; then all that waited does, in order. */
    stall(ms: number, over: () => void): void {
        clearTimeout(this.#stalled);
        this.#stalled = setTimeout(() => {
            this.#stalled = undefined;
            for (const pass of this.#waiting.splice(0)) pass();
            over();
        }, ms);
    }

    /** Cut, and for so long nothing can be opened either. */
    goOffline(ms: number, over: () => void): void {
        clearTimeout(this.#offline);
        this.#offline = setTimeout(() => {
            this.#offline = undefined;
            over();
        }, ms);
        this.cut();
    }

    /** Cut, and nothing can be opened until plug(). */
    unplug(): void {
        this.#unplugged = true;
        this.cut();
    }

    plug(): void {
        this.#unplugged = false;
    }

    /** @internal for the links */
    add(link: Link): void {
        this.#links.add(link);
    }

    /** @internal for the links */
    remove(link: Link): void {
        this.#links.delete(link);
    }

    /** Lets something pass, now or when the stall is over. @internal for the links */
    pass(what: () => void): void {
        if (this.#stalled === undefined) what();
        else this.#waiting.push(what);
    }

    // A request that was given up by a cut may have arrived, as it may in a real one.
    async #fetch([input, init]: Parameters<typeof fetch>): Promise<Response> {
        if (this.offline) throw new TypeError('the page is offline');
        const {promise, lose} = losable<Response>();
        const link = {lose};
        this.add(link);
        this.pass(() => {
            fetch(input, init).then((response) => this.pass(() => promise.resolve(response)), promise.reject);
        });
        return promise.of.finally(() => this.remove(link));
    }
}

function losable<T>() {
    let resolve!: (value: T) => void;
    let reject!: (reason: unknown) => void;
    const of = new Promise<T>((resolved, rejected) => [resolve, reject] = [resolved, rejected]);
    return {promise: {of, resolve, reject}, lose: () => reject(new TypeError('the connection was cut'))};
}

class BreakableWebSocket implements WebSocketLike, Link {
    onopen: WebSocketLike['onopen'] = null;
    onmessage: WebSocketLike['onmessage'] = null;
    onclose: WebSocketLike['onclose'] = null;
    onerror: WebSocketLike['onerror'] = null;
    readonly #network: BreakableNetwork;
    #socket: WebSocket | undefined;

    constructor(network: BreakableNetwork, open: () => WebSocket) {
        this.#network = network;
        network.add(this);
        if (network.offline) {
            queueMicrotask(() => this.lose());
            return;
        }
        const socket = open();
        this.#socket = socket;
        socket.onopen = (event) => this.#tell(() => this.onopen?.(event));
        socket.onmessage = (event) => this.#tell(() => this.onmessage?.(event));
        socket.onclose = (event) => this.#tell(() => {
            network.remove(this);
            this.onclose?.(event);
        });
        socket.onerror = (event) => this.#tell(() => this.onerror?.(event));
    }

    set binaryType(type: BinaryType) {
        if (this.#socket) this.#socket.binaryType = type;
    }

    send(data: string | BufferSource): void {
        this.#tell(() => {
            if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(data);
        });
    }

    close(code?: number): void {
        this.#end(code);
    }

    lose(): void {
        this.#end();
        this.onclose?.({code: closeAbnormal});
    }

    #end(code?: number): void {
        this.#network.remove(this);
        const socket = this.#socket;
        this.#socket = undefined;
        if (!socket) return;
        socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null;
        socket.close(code);
    }

    // Not when this one has ended while it waited.
    #tell(what: () => void): void {
        const socket = this.#socket;
        this.#network.pass(() => {
            if (socket === this.#socket) what();
        });
    }
}

class BreakableEventSource implements EventSourceLike, Link {
    onmessage: EventSourceLike['onmessage'] = null;
    onerror: EventSourceLike['onerror'] = null;
    readonly #network: BreakableNetwork;
    #source: EventSource | undefined;

    constructor(network: BreakableNetwork, open: () => EventSource) {
        this.#network = network;
        network.add(this);
        if (network.offline) {
            queueMicrotask(() => this.lose());
            return;
        }
        const source = open();
        this.#source = source;
        const tell = (what: () => void): void => network.pass(() => {
            if (source === this.#source) what();
        });
        source.onmessage = (event) => tell(() => this.onmessage?.(event));
        source.onerror = (event) => tell(() => this.onerror?.(event));
    }

    close(): void {
        this.#network.remove(this);
        this.#source?.close();
        this.#source = undefined;
    }

    lose(): void {
        this.close();
        this.onerror?.({});
    }
}
