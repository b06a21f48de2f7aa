import {localErrors, type ErrorCode} from '../base/codes.js';
import {PulsewireError} from '../base/errors.js';
import {fromBase64} from '../base/payload.js';
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
    return core.bytes() ?? JSON.parse(core.slice(Field.payload) || 'null');
}

/** Reads a page of history. */
export function historyFrom(core: Core): HistoryAnswer {
    const messages = payloadFrom(core);
    const raws = payloadsOf(core.slice(Field.payload));
    messages.forEach((message: any, i: number) => {
        const {binary, ...rest} = message;
        messages[i] = binary ? {...rest, payload: fromBase64(message.payload), raw: ''} : {...rest, raw: raws[i]};
    });
    const says = (name: string) => core.header().includes(`"${name}":true`);
    return {messages, more: says('more'), position: positionFrom(core), ...(says('missed') && {missed: true})};
}

/** The texts of the payloads in that of a list of messages: of each, what follows its own "payload": up to its end. */
function payloadsOf(text: string): string[] {
    const payloads: string[] = [];
    const parts = /("payload":)|"(?:[^"\\]|\\.)*"|[[{]|[\]}]|(,)/g;
    let depth = 0;
    let begin = 0;
    for (let part; (part = parts.exec(text)); ) {
        const [found, key, comma] = part;
        if (key && depth === 2) begin = parts.lastIndex;
        const deeper = /^[[{]/.test(found) ? 1 : /^[\]}]/.test(found) ? -1 : 0;
        // The payload's member ends where the next one begins, or with its message.
        if (begin && depth === 2 && (comma || deeper < 0)) {
            payloads.push(text.slice(begin, part.index));
            begin = 0;
        }
        depth += deeper;
    }
    return payloads;
}

/** Reads the error that the server, or the machine itself, gives as an answer. */
export function errorFrom(core: Core): PulsewireError {
    const [code, message] = localErrors[core.byte(ByteField.localCode)] ?? [core.slice(Field.code) as ErrorCode, core.string(Field.message)];
    return new PulsewireError(code, message, {pointer: core.string(Field.pointer)});
}
