import type {EventSourceConstructor, WebSocketConstructor} from '../client/options.js';
import {toBase64} from '../base/payload.js';
import {takeBatch} from './line_batch.js';

/** The two ways to the server, and with what to go them. */
export interface Endpoints {
    readonly websocketUrl: string;
    readonly sseUrl: string;
    readonly WebSocket: WebSocketConstructor | undefined;
    readonly EventSource: EventSourceConstructor | undefined;
    readonly fetch: typeof fetch;
    readonly host?: string;
    /** The hosts to which a token may go; undefined: there is none, and any will do. */
    readonly hosts?: readonly string[] | undefined;
}

/** Where a transport tells what happens; after `closed`, or after its close() was called, nothing more. */
export interface TransportEvents {
    opened(): void;
    /** Text, or a binary message. */
    received(message: string | ArrayBuffer): void;
    closed(closeCode: number): void;
    /** The largest message in UTF-16 units; a single larger line is sent alone. */
    unitsMax(): number;
    /** A POST of commands got through or did not; gives how many did not in a row, over all transports. */
    posted(through: boolean): number;
}

export interface OpenTransport {
    /** Finds out whether it has ended without saying so: Firefox ends some of a page that begins to load another. */
    look(): void;
    /** Lines given in one go leave as one message. With bytes, the line ends where the payload comes. */
    send(line: string, bytes?: Uint8Array<ArrayBuffer>): void;
    close(closeCode: number): void;
}

const closeNormal = 1000;
const closeAbnormal = 1006;
/** Statuses of a POST that no repetition changes, unlike those of a connection that is gone and of haste. */
const refusal = /^4(?!04|08|29)/;
/** So many times in a row no POST of commands gets through, though that of connect does: then it is the commands. */
const postFailuresMax = 6;
// The readyState of what has ended.
const closedState = 3;
const closedStream = 2;

/** A line up to its payload, without the key of that. */
function beforePayload(line: string): string {
    return line.slice(0, line.lastIndexOf('"payload":'));
}

/** A line, and the bytes that are its payload (docs/protocol.md 2.5). */
function binaryFrame(line: string, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const head = `${beforePayload(line)}"bytes":${bytes.length}}\n`;
    const frame = new Uint8Array(head.length + bytes.length);
    for (let i = 0; i < head.length; i++) frame[i] = head.charCodeAt(i);
    frame.set(bytes, head.length);
    return frame;
}

export function openWebSocket({websocketUrl, WebSocket}: Endpoints, events: TransportEvents): OpenTransport {
    const socket = new WebSocket!(websocketUrl, 'pulsewire.v1');
    const lines: string[] = [];
    let scheduled = false;
    const flush = () => {
        scheduled = false;
        for (let message; (message = takeBatch(lines, events.unitsMax())); ) socket.send(message);
    };
    socket.binaryType = 'arraybuffer';
    socket.onopen = events.opened;
    socket.onmessage = ({data}) => events.received(data);
    let over = false;
    const ended = (code: number) => {
        if (!over) events.closed(code);
        over = true;
    };
    const look = () => {
        if (socket.readyState === closedState) ended(closeAbnormal);
    };
    // The server says in a frame that it ends a connection for good; a bare 1000 is the word of something between.
    socket.onclose = ({code}) => ended(code === closeNormal ? closeAbnormal : code || closeAbnormal);
    // Node's own WebSocket, and Chromium's where a policy forbids it, fail with this event alone.
    socket.onerror = () => setTimeout(look, 0);
    return {
        send(line, bytes) {
            if (bytes) {
                flush();
                return socket.send(binaryFrame(line, bytes));
            }
            lines.push(line);
            if (!scheduled) queueMicrotask(flush);
            scheduled = true;
        },
        look,
        close(code) {
            flush();
            over = true;
            socket.onopen = socket.onmessage = socket.onclose = null;
            // A page may send no others than 1000 and these.
            socket.close(code < 3000 ? 1000 : code);
        },
    };
}

/** Server-Sent Events one way, POST the other (docs/protocol.md 8.1 to 8.3). */
export function openEventStream({sseUrl, EventSource, fetch}: Endpoints, events: TransportEvents): OpenTransport {
    const source = new EventSource!(sseUrl);
    const lines: string[] = [];
    const stop = new AbortController();
    const {signal} = stop;
    let connection = '';
    let posting = false;
    /** Lines that leave one by one, as a body that has them was refused. */
    let alone = 0;

    function close() {
        source.onmessage = source.onerror = null;
        source.close();
        stop.abort();
    }

    // An EventSource would come back by itself, to a connection of which the machine knows nothing.
    const lost = (source.onerror = () => {
        if (signal.aborted) return;
        close();
        events.closed(closeAbnormal);
    });

    async function post() {
        // Lines that are sent in the same go come along.
        await undefined;
        const headers = {'Pulsewire-Connection': connection};
        for (let body; !signal.aborted && (body = takeBatch(lines, alone-- > 0 ? 0 : events.unitsMax())); ) {
            // Without a status: the network, or an answer that the page may not read.
            const {ok, status = 0} = await fetch(sseUrl, {method: 'POST', headers, body, signal, redirect: 'error'}).catch((): Partial<Response> => ({}));
            if (signal.aborted) return;
            // The first command; connect is none.
            const [, id] = /^{"op":"\w+","id":(\d+)/m.exec(body) ?? [];
            if (!ok) refused(body.split('\n'), status, id);
            else if (id && alone < 0) events.posted(true);
        }
        posting = false;
    }

    // Something on the way, such as a firewall, does not let the body pass. A line alone is answered in the server's place.
    function refused(body: string[], status: number, id?: string) {
        if (!id || !(refusal.test(`${status}`) || events.posted(false) >= postFailuresMax)) return lost();
        if (body[1]) alone = lines.unshift(...body) && body.length;
        else events.received(`{"op":"error","id":${id},"code":"${status === 413 ? 'too_large' : 'blocked'}","message":"Refused on the way to the server, with status ${status}."}`);
    }

    source.onmessage = ({data}: {data: string}) => {
        if (connection) return events.received(data);
        // The first frame names the connection (8.1).
        connection = /"connection":"([^"]+)/.exec(data)?.[1] ?? '';
        if (connection) events.opened();
        else lost();
    };
    return {
        send(line, bytes) {
            lines.push(bytes ? `${beforePayload(line)}"binary":true,"payload":"${toBase64(bytes)}"}` : line);
            if (!posting) post().catch(lost);
            posting = true;
        },
        look() {
            if (source.readyState === closedStream) lost();
        },
        close,
    };
}
