import type {Channel} from './client/channel.js';
import type {Core} from './core/core.js';
import {Field} from './core/numbers.js';
import type {RequestOptions} from './client/options.js';

export type {RequestOptions} from './client/options.js';

/** Who asks, and the signal that tells that the answer is not wanted any more. */
export interface Asker {
    /** As {@link Channel.members} shows it. */
    readonly session: string;
    readonly signal: AbortSignal;
}

/** Answers a request of another client with what it returns, which has to have a JSON form. */
export type RequestHandler<Payload = any> = (payload: Payload, from: Asker) => unknown;

const namePattern = /^[\w-]{8,64}$/;
const timeoutMsDefault = 10_000;

/**
 * Asks another client of the channel, by its session as {@link Channel.members} shows it; the channel's namespace must
 * allow it (`client_requests`), and this client be subscribed. Rejects with that client's refusal, with `not_present`,
 * with `timeout`, or with `disconnected` when either connection ended before the answer came: it may have run.
 */
export async function request<Response = unknown>(
    channel: Channel<any>, session: string, type: string, payload: unknown = null,
    {timeoutMs = timeoutMsDefault, signal}: RequestOptions = {},
): Promise<Response> {
    if (!namePattern.test(session)) throw new TypeError(`"${session}" is no session; channel.members has those who can be asked`);
    return channel.session.request([type, channel.name, session], payload, timeoutMs, signal);
}

/**
 * Answers requests of that type from other clients, who can ask this one where the channel's option `presence` shows it.
 * Subscribes, like channel.on(). One handler for each type; returns its remover. What it throws is reported like any
 * handler's failure, and the asker gets `handler_failed`; a PulsewireError with the code `rejected` is passed on to the
 * asker with its message.
 */
export function handle<Payload = any>(
    channel: Channel<any>, type: string, handler: RequestHandler<Payload>,
): () => void {
    let answerer = answerers.get(channel);
    if (!answerer) {
        answerers.set(channel, answerer = new Answerer(channel));
        channel.asked = answerer.asked;
    }
    const {handlers} = answerer;
    handlers.set(type, handler);
    const leave = channel.watch('refused', () => {});
    return () => {
        leave();
        if (handlers.get(type) === handler) handlers.delete(type);
    };
}

const answerers = new WeakMap<Channel<any>, Answerer>();

/** Everything of one channel that is asked and answered. */
class Answerer {
    readonly handlers = new Map<string, RequestHandler>();
    readonly #channel: Channel<any>;
    /** What is being answered, by transport and number. */
    readonly #open = new Map<string, AbortController>();

    constructor(channel: Channel<any>) {
        this.#channel = channel;
    }

    readonly asked = (core: Core): void => {
        const attempt = core.word(Field.attempt);
        const number = core.long(Field.offset);
        const type = core.slice(Field.type);
        const key = `${attempt} ${number}`;
        if (!type) return this.#open.get(key)?.abort();
        const stop = new AbortController();
        this.#open.set(key, stop);
        const from = {session: core.slice(Field.session), signal: stop.signal};
        void this.#answer(type, core.slice(Field.payload), from).then((answer) => {
            this.#open.delete(key);
            if (!stop.signal.aborted) this.#channel.session.respond(attempt, `{"op":"respond","request":${number},${answer}}`);
        });
    };

    async #answer(type: string, payload: string, from: Asker): Promise<string> {
        const handler = this.handlers.get(type);
        if (!handler) return refusal('no_handler', `no handler for requests of type ${type}`);
        try {
            const result = (await handler(JSON.parse(payload), from)) ?? null;
            const text = JSON.stringify(result) as string | undefined;
            if (!text) throw new TypeError(`a value of type ${typeof result} has no JSON form`);
            return `"payload":${text}`;
        } catch (error) {
            const {code, message} = error as {code?: unknown, message: string};
            if (code === 'rejected') return refusal(code, message);
            this.#channel.session.report(error, `a request ${type} of channel ${this.#channel.name}`);
            return refusal('handler_failed', 'the handler failed');
        }
    }
}

function refusal(code: string, message: string): string {
    return `"code":"${code}","message":${JSON.stringify(message)}`;
}
