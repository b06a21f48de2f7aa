import type {Data} from '../base/payload.js';
import type {Channel} from '../client/channel.js';
import type {AskedEvent} from '../client/session.js';
import type {Asker, RequestHandler} from './asker.js';

/** Everything of one channel that is asked and answered. */
export class Answerer {
    readonly handlers = new Map<string, RequestHandler>();
    readonly #channel: Channel<any>;
    /** Requests that are being answered, by transport and number. */
    readonly #open = new Map<string, AbortController>();

    constructor(channel: Channel<any>) {
        this.#channel = channel;
    }

    readonly onAsked = ({attempt, request, type, session, user, payload}: AskedEvent): void => {
        const key = `${attempt} ${request}`;
        if (!type) return this.#open.get(key)?.abort();
        const stop = new AbortController();
        this.#open.set(key, stop);
        void this.#answer(type, payload, {session, signal: stop.signal, ...(user && {user})}).then(({refusal, data}) => {
            this.#open.delete(key);
            if (stop.signal.aborted) return;
            const head = `{"op":"respond","request":${request},`;
            if (data === undefined) this.#channel.session.respond(attempt, `${head}${refusal}}`);
            else this.#channel.session.respond(attempt, `${head}"payload":`, data);
        });
    };

    async #answer(type: string, payload: unknown, from: Asker): Promise<{refusal?: string; data?: Data}> {
        const handler = this.handlers.get(type);
        if (!handler) return refusal('no_handler', `no handler for requests of type ${type}`);
        try {
            const result = (await handler(payload, from)) ?? null;
            const data = this.#channel.data(result);
            return {data: data instanceof Promise ? await data : data};
        } catch (error) {
            const {code, message} = error as {code?: unknown, message: string};
            if (code === 'rejected') return refusal(code, message);
            this.#channel.session.report(error, `a request ${type} of channel ${this.#channel.name}`);
            return refusal('handler_failed', 'the handler failed');
        }
    }
}

function refusal(code: string, message: string) {
    return {refusal: `"code":"${code}","message":${JSON.stringify(message)}`};
}
