import {check, checkOptions, signal, type Rules} from '../base/check.js';
import {checkType} from '../base/names.js';
import {dataOf} from '../base/payload.js';
import {guarded} from './guarded.js';
import type {RequestOptions} from './options.js';
import type {Session} from './session.js';

/** The longest that the server waits for a handler (docs/protocol.md 4.12), in milliseconds. */
const longestMs = 120_000;
export const requestMs = /^Number (\d{1,5}|1[01]\d{4}|120000)(\.\d+)?$/;
const rules: Rules<RequestOptions> = {timeoutMs: requestMs, signal};

/** Asks the server or, with a channel and a session of it, that client. */
export function ask(
    session: Session, type: string, payload: unknown, options: RequestOptions, timeoutMs: number, who?: {channel: string; to: string},
): Promise<any> {
    const asked = async () => {
        checkType(type);
        if (who) check('session', who.to, /^String [\w-]{8,64}$/);
        checkOptions(options, rules);
        let data = dataOf(payload);
        if (data instanceof Promise) data = await data;
        // A large one takes its time to leave: over a slow link a second for each kilobyte.
        const waitMs = options.timeoutMs ?? Math.min(timeoutMs + (data.length >> 10) * 1000, longestMs);
        return session.request({type, payload: data, timeoutMs: waitMs, signal: options.signal, ...who});
    };
    return guarded(asked(), (error) => session.unheard(error, `the request ${type}`));
}
