import type {Channel} from './client/channel.js';
import type {RequestOptions} from './client/options.js';
import {Answerer} from './requests/answerer.js';
import type {RequestHandler} from './requests/asker.js';

export type {RequestOptions} from './client/options.js';
export type {Asker, RequestHandler} from './requests/asker.js';

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
    return channel.session.request({type, payload, timeoutMs, signal, channel: channel.name, to: session}) as Promise<Response>;
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
        channel.onAsked = answerer.onAsked;
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
