import type {ErrorCode} from './codes.js';
import {PulsewireError} from './errors.js';

function check(name: string, pattern: RegExp, code: ErrorCode, what: string): void {
    if (typeof name !== 'string' || !pattern.test(name)) throw new PulsewireError(code, `"${String(name)}" is no ${what}; it has to match ${pattern}`);
}

/** Throws unless the name of a channel is valid (docs/protocol.md 1.2). */
export function checkChannel(name: string): void {
    check(name, /^[\w\-.:/@~=+$!]{1,255}$/, 'invalid_channel', 'channel');
}

/** Throws unless the type of a message is valid (docs/protocol.md 1.3). */
export function checkType(type: string): void {
    check(type, /^(?!pulsewire\.)[\w\-.:/]{1,64}$/, 'invalid_type', 'type');
}
