import {PulsewireError} from './errors.js';

/** The JSON text of a value that is to be sent; throws `invalid_argument` for what JSON cannot say. */
export function toJson(value: unknown): string {
    try {
        const text = JSON.stringify(value) as string | undefined;
        if (text) return text;
        throw new TypeError(`a value of type ${typeof value} has no JSON form`);
    } catch (cause) {
        throw new PulsewireError('invalid_argument', `The payload cannot be sent: ${cause}`, {cause});
    }
}

/** Bytes of a text in UTF-8. */
export function utf8Bytes(text: string): number {
    return new TextEncoder().encode(text).length;
}
