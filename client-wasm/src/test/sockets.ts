import type {EventSourceConstructor, EventSourceLike, WebSocketConstructor, WebSocketLike} from '../client/options.js';
import type {Connection} from './connection.js';
import {EventDecoder, FrameDecoder} from './decoder.js';
import {asText} from './binary_text.js';
import type {Path} from './path.js';

const connecting = 0;
const open = 1;
const closed = 3;
const closedStream = 2;
const closeAbnormal = 1006;
const secretLetters = 26;

/** The class of WebSockets over that path. */
export function webSocketOver(path: Path): WebSocketConstructor {
    return class TestWebSocket implements WebSocketLike {
        onopen: ((event: any) => void) | null = null;
        onmessage: ((event: any) => void) | null = null;
        onclose: ((event: any) => void) | null = null;
        onerror: ((event: any) => void) | null = null;
        readyState = connecting;
        readonly #connection: Connection | undefined;

        constructor(readonly url: string, readonly protocol: string) {
            this.#connection = path.connect('', new FrameDecoder(), {
                opened: () => {
                    this.readyState = open;
                    this.onopen?.({type: 'open', target: this});
                },
                received: (data) => this.onmessage?.({type: 'message', target: this, data}),
                ended: (code) => this.#ended(code),
            });
            if (!this.#connection) soon(() => this.#ended(closeAbnormal));
        }

        send(data: string | Uint8Array): void {
            if (this.readyState === connecting) throw new DOMException('The WebSocket is not open yet.', 'InvalidStateError');
            if (this.readyState === open) this.#connection?.send(typeof data === 'string' ? data : asText(data));
        }

        close(code = 1005): void {
            if (this.readyState === closed) return;
            this.readyState = closed;
            this.#connection?.close();
            soon(() => this.onclose?.({type: 'close', target: this, code, reason: '', wasClean: true}));
        }

        #ended(code: number): void {
            if (this.readyState === closed) return;
            this.readyState = closed;
            if (code === closeAbnormal) this.onerror?.({type: 'error', target: this});
            this.onclose?.({type: 'close', target: this, code, reason: '', wasClean: code !== closeAbnormal});
        }
    };
}

/** The class of event streams over that path, for the SDK's `/sse`. */
export function eventSourceOver(path: Path): EventSourceConstructor {
    return class TestEventSource implements EventSourceLike {
        onopen: ((event: any) => void) | null = null;
        onmessage: ((event: any) => void) | null = null;
        onerror: ((event: any) => void) | null = null;
        readyState = connecting;
        readonly #connection: Connection | undefined;

        constructor(readonly url: string) {
            const letters = Array.from({length: secretLetters}, () => Math.floor(path.network.random() * 32).toString(32));
            this.#connection = path.connect(letters.join(''), new EventDecoder(), {
                opened: () => {
                    this.readyState = open;
                    this.onopen?.({type: 'open', target: this});
                },
                received: (data) => this.onmessage?.({type: 'message', target: this, data}),
                ended: () => this.#ended(),
            });
            if (!this.#connection) soon(() => this.#ended());
        }

        close(): void {
            this.readyState = closedStream;
            this.#connection?.close();
        }

        // A browser's would come back by itself; the SDK closes it at this event.
        #ended(): void {
            if (this.readyState === closedStream) return;
            this.readyState = closedStream;
            this.onerror?.({type: 'error', target: this});
        }
    };
}

/** Events come after the call that causes them. */
function soon(tell: () => void): void {
    void Promise.resolve().then(tell);
}
