// An event stream read without a browser, so that every field of every event can be seen (`id:` and `retry:` too).

import {get, type IncomingMessage} from 'node:http';
import {Inbox} from './inbox.ts';
import {soon} from './soon.ts';

export interface StreamEvent {
    event: string;
    id: string | undefined;
    data: string;
    retry?: string;
}

export class EventStream {
    readonly events = new Inbox<StreamEvent>();
    readonly headers: IncomingMessage['headers'];
    /** Resolves when the stream ended, whoever ended it. */
    readonly ended: Promise<void>;
    readonly #response: IncomingMessage;
    #listener: (event: StreamEvent) => void = () => {};

    private constructor(response: IncomingMessage) {
        this.#response = response;
        this.headers = response.headers;
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
            const blocks = (text + part).split(/\r?\n\r?\n/);
            text = blocks.pop()!;
            for (const block of blocks) this.#take(block);
        });
        this.ended = new Promise((ended) => response.on('error', () => ended()).on('close', () => ended()));
    }

    static async open(url: string, headers: Record<string, string> = {}): Promise<EventStream> {
        const response = await soon(new Promise<IncomingMessage>((answered, failed) => {
            get(url, {agent: false, headers: {accept: 'text/event-stream', ...headers}}, answered).on('error', failed);
        }), `event stream at ${url}`);
        if (response.statusCode !== 200) {
            response.destroy();
            throw new Error(`${url} was answered by ${response.statusCode}`);
        }
        return new EventStream(response);
    }

    /** The next event of this name; `message` is the one without a name. */
    next(event: string): Promise<StreamEvent> {
        return this.events.next(`event ${event}`, (item) => item.event === event);
    }

    /** Calls `listener` with every event, those that came already included. */
    onEvent(listener: (event: StreamEvent) => void): void {
        this.events.items.forEach(listener);
        this.#listener = listener;
    }

    close(): void {
        this.#response.destroy();
    }

    #take(block: string): void {
        const event: StreamEvent = {event: 'message', id: undefined, data: ''};
        const data: string[] = [];
        for (const line of block.split(/\r?\n/)) {
            const [, field, value = ''] = /^(\w+): ?(.*)$/.exec(line) ?? [];
            if (field === 'data') data.push(value);
            else if (field === 'event') event.event = value;
            else if (field === 'id') event.id = value;
            else if (field === 'retry') event.retry = value;
        }
        const whole = {...event, data: data.join('\n')};
        this.events.put(whole);
        this.#listener(whole);
    }
}
