import {closeNames} from '../base/codes.js';
import type {Core} from './core.js';
import {ByteField, Field, HalfField, State, Via} from './numbers.js';
import type {CloseReason, ConnectionState} from '../client/events.js';

/** The machine's state as the application sees it; `why` is the reason of an end that came from here. */
export function stateFrom(core: Core, session: string, why: CloseReason | undefined): ConnectionState {
    const to = core.byte(ByteField.to);
    const transport = core.byte(ByteField.via) === Via.sse ? 'sse' : 'websocket';
    const attempt = core.word(Field.attempt);
    if (to === State.connecting) return {name: 'connecting', attempt: attempt + 1, transport};
    if (to === State.open) return {name: 'open', transport, session};
    const code = core.word(HalfField.close) >>> 16;
    const name = closeNames[code] ?? 'unknown';
    const message = core.string(Field.message) || `The connection ended: ${name} (${code}).`;
    const reason: CloseReason = {code, name, message, ...why, reconnect: to === State.waiting};
    if (to === State.closed) return {name: 'closed', reason};
    const retryInMs = core.word(Field.delayMs);
    return {name: 'waiting', retryInMs, retryAt: Date.now() + retryInMs, attempt, reason};
}
