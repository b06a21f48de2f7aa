import {localErrors, type ErrorCode} from '../base/codes.js';
import {PulsewireError} from '../base/errors.js';
import type {Position} from '../client/events.js';
import type {HistoryAnswer} from '../client/session.js';
import type {Core} from './core.js';
import {ByteField, Field} from './numbers.js';

/** Reads the position that an answer has. */
export function positionFrom(core: Core): Position {
    return {epoch: core.slice(Field.epoch), offset: core.long(Field.offset)};
}

/** Reads the payload of a line; null where it has none. */
export function payloadFrom(core: Core): any {
    return JSON.parse(core.slice(Field.payload) || 'null');
}

/** Reads a page of history. */
export function historyFrom(core: Core): HistoryAnswer {
    return {messages: payloadFrom(core), more: core.header().includes('"more":true'), position: positionFrom(core)};
}

/** Reads the error that the server, or the machine itself, gives as an answer. */
export function errorFrom(core: Core): PulsewireError {
    const [code, message] = localErrors[core.byte(ByteField.localCode)] ?? [core.slice(Field.code) as ErrorCode, core.string(Field.message)];
    return new PulsewireError(code, message, {pointer: core.string(Field.pointer)});
}
