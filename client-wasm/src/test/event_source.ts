import type {EventSourceLike} from '../client/options.js';
import type {Connection, Opening} from './connection.js';
import {EventDecoder, FrameEventDecoder} from './decoder.js';
import {statusOf} from './http.js';
import type {Path} from './path.js';

const connecting = 0;
const open = 1;
const closed = 2;
const closeAbnormal = 1006;
const secretLetters = 26;
/** The server tells each stream another moment of these to come back (docs/protocol.md 8.4.6). */
const retryMinMs = 1000;
const retryMaxMs = 5000;
/** A browser's own, until the server has told one. */
const retryFirstMs = 3000;
/** Of statuses and close codes: those of an HTTP answer, after which an EventSource does not come back. */
const lastStatus = 999;

/** As the browser's EventSource, with as much of its events as applications use. */
export interface TestEventSource extends EventSourceLike {
    onopen: ((event: any) => void) | null;
    readonly url: string;
    readonly readyState: number;
    addEventListener(type: string, listener: (event: any) => void): void;
    removeEventListener(type: string, listener: (event: any) => void): void;
}

/** Takes `/events?channel=…`, and the SDK's `/sse`. */
export type TestEventSourceConstructor = new (url: string | URL) => TestEventSource;

/** An event of a stream, or what one line of it says alone. */
interface StreamEvent {
    type: string;
    data: string[];
    id?: string;
    retryMs?: number;
}

/** Reads an event as a browser does (WHATWG HTML, 9.2.6). */
function eventIn(text: string): StreamEvent {
    const event: StreamEvent = {type: 'message', data: []};
    for (const line of text.split('\n')) {
        const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line)!;
        if (field === 'event' && value) event.type = value;
        else if (field === 'data') event.data.push(value!);
        else if (field === 'id') event.id = value!;
        else if (field === 'retry' && /^\d+$/.test(value!)) event.retryMs = Number(value);
    }
    return event;
}

/** The SDK's stream of frames. */
function openingOfFrames({network}: Path): Opening {
    const secret = Array.from({length: secretLetters}, () => Math.floor(network.random() * 32).toString(32)).join('');
    return {name: 'sse', decoder: new FrameEventDecoder(), secret, open: (hub, connection) => (hub.open(connection, secret), 0)};
}

/** A plain stream of channels, after that event. */
function openingOfEvents({network}: Path, {searchParams}: URL, lastEventId: string): Opening {
    const open: Opening['open'] = (hub, connection) => {
        const shown = network.shownBy(searchParams.get('token'));
        if (shown === undefined) return statusOf('unauthorized');
        const refused = hub.openEvents(connection, retryMinMs + Math.floor(network.random() * (retryMaxMs - retryMinMs + 1)), {
            channels: searchParams.getAll('channel'),
            cursor: lastEventId || (searchParams.get('last_event_id') ?? ''),
            latest: searchParams.get('latest') ?? '',
            shown,
        });
        if (!refused) return 0;
        const {code, message} = JSON.parse(refused) as {code: string; message: string};
        network.trace.note(connection, '!', `${code}: ${message}`);
        return statusOf(code);
    };
    return {name: 'events', decoder: new EventDecoder(), secret: '', open};
}

/** The class of event streams over that path. Other addresses than `/sse` and `/events` are not there. */
export function eventSourceOver(path: Path, address: string): TestEventSourceConstructor {
    return class implements TestEventSource {
        static readonly CONNECTING = connecting;
        static readonly OPEN = open;
        static readonly CLOSED = closed;
        readonly CONNECTING = connecting;
        readonly OPEN = open;
        readonly CLOSED = closed;
        readonly url: string;
        onopen: ((event: any) => void) | null = null;
        onmessage: ((event: any) => void) | null = null;
        onerror: ((event: any) => void) | null = null;
        readyState = connecting;
        readonly #asked: URL;
        readonly #listeners = new Map<string, Set<(event: any) => void>>();
        #connection: Connection | undefined;
        #timer: ReturnType<typeof setTimeout> | undefined;
        #retryMs = retryFirstMs;
        #lastEventId = '';

        constructor(url: string | URL) {
            this.#asked = new URL(String(url), address);
            this.url = this.#asked.href;
            this.#connect();
        }

        addEventListener(type: string, listener: (event: any) => void): void {
            this.#listeners.set(type, (this.#listeners.get(type) ?? new Set()).add(listener));
        }

        removeEventListener(type: string, listener: (event: any) => void): void {
            this.#listeners.get(type)?.delete(listener);
        }

        close(): void {
            this.readyState = closed;
            clearTimeout(this.#timer);
            this.#connection?.close();
        }

        readonly #connect = (): void => {
            const frames = this.#asked.pathname.endsWith('/sse');
            const opening = frames ? openingOfFrames(path) : openingOfEvents(path, this.#asked, this.#lastEventId);
            this.#connection = path.connect(opening, {
                opened: () => {
                    this.readyState = open;
                    this.#fire('open');
                },
                received: (text) => (frames ? this.#fire('message', {data: text}) : this.#take(eventIn(text))),
                ended: (code) => this.#ended(code),
            });
            // Events come after the call that causes them.
            if (!this.#connection) void Promise.resolve().then(() => this.#ended(closeAbnormal));
        };

        #take({type, data, id, retryMs}: StreamEvent): void {
            this.#retryMs = retryMs ?? this.#retryMs;
            this.#lastEventId = id ?? this.#lastEventId;
            if (data.length) this.#fire(type, {data: data.join('\n'), lastEventId: this.#lastEventId, origin: this.#asked.origin});
        }

        #ended(code: number): void {
            if (this.readyState === closed) return;
            const forGood = code <= lastStatus;
            this.readyState = forGood ? closed : connecting;
            this.#fire('error');
            if (this.readyState !== connecting) return;
            this.#timer = setTimeout(this.#connect, this.#retryMs);
            (this.#timer as {unref?: () => void}).unref?.();
        }

        #fire(type: string, members: object = {}): void {
            const event = {type, target: this, ...members};
            if (type === 'open') this.onopen?.(event);
            if (type === 'message') this.onmessage?.(event);
            if (type === 'error') this.onerror?.(event);
            for (const listener of [...(this.#listeners.get(type) ?? [])]) listener(event);
        }
    };
}
