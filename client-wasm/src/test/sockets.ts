import type {WebSocketConstructor, WebSocketLike} from '../client/options.js';
import type {Connection, Opening} from './connection.js';
import {FrameDecoder} from './decoder.js';
import {asText} from './binary_text.js';
import type {Path} from './path.js';

const connecting = 0;
const open = 1;
const closed = 3;
const closeAbnormal = 1006;

const opening = (): Opening => ({name: 'websocket', decoder: new FrameDecoder(), secret: '', open: (hub, connection) => (hub.open(connection, ''), 0)});

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
            this.#connection = path.connect(opening(), {
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

/** Events come after the call that causes them. */
function soon(tell: () => void): void {
    void Promise.resolve().then(tell);
}
