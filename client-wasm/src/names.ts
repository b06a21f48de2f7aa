import {PulsewireError} from './errors.js';

/** Throws unless the name of a channel is valid (docs/protocol.md 1.2). */
export function checkChannel(name: string): void {
    if (!/^[\w\-.:/@~=+$!]{1,255}$/.test(name)) {
        throw new PulsewireError('invalid_channel', `A channel's name has 1 to 255 characters out of A-Z a-z 0-9 _ - . : / @ ~ = + $ !, this one is "${name}".`);
    }
}

/** Throws unless the type of a message is valid (docs/protocol.md 1.3). */
export function checkType(type: string): void {
    if (!/^(?!pulsewire\.)[\w\-.:/]{1,64}$/.test(type)) {
        throw new PulsewireError('invalid_type', `A type has 1 to 64 characters out of A-Z a-z 0-9 _ - . : / and does not begin with "pulsewire.", this one is "${type}".`);
    }
}
