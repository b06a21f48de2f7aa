import type {Channel} from './client/channel.js';
import type {RequestOptions} from './client/options.js';
import {Answerer} from './requests/answerer.js';
import type {RequestHandler} from './requests/asker.js';

export type {RequestOptions} from './client/options.js';
export type {Asker, RequestHandler} from './requests/asker.js';

const timeoutMsDefault = 10_000;

/**
 * Asks another client of the channel, by its session as {@link Channel.members} shows it; the channel's namespace must
 * allow it (`client_requests`), and this client be subscribed. Rejects with that client's refusal, with `not_present`,
 * with `timeout`, or with `disconnected` when either connection ended before the answer came: it may have run.
 */
export function request<Response = unknown>(
    channel: Channel<any>, session: string, type: string, payload: unknown = null, options: RequestOptions = {},
): Promise<Response> {
    return channel.ask(session, type, payload, options, timeoutMsDefault) as Promise<Response>;
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
    channel = channel.self();
    const leave = channel.on(type, typeof handler === 'function' ? () => {} : handler);
    let answerer = answerers.get(channel);
    if (!answerer) {
        answerers.set(channel, answerer = new Answerer(channel));
        channel.onAsked = answerer.onAsked;
    }
    const {handlers} = answerer;
    handlers.set(type, handler);
    return () => {
        leave();
        if (handlers.get(type) === handler) handlers.delete(type);
    };
}

const answerers = new WeakMap<Channel<any>, Answerer>();
