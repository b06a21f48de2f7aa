import {PulsewireError} from './errors.js';

/** The JSON text of a value that is to be sent; throws `invalid_argument` for what JSON cannot say. */
export function toJson(value: unknown, what: string): string {
    let cause: unknown = `a value of type ${typeof value} has no JSON form`;
    try {
        const text = JSON.stringify(value) as string | undefined;
        if (text !== undefined) return text;
    } catch (error) {
        cause = error;
    }
    throw new PulsewireError('invalid_argument', `The ${what} is not JSON: ${(cause as Error).message ?? cause}`, {cause});
}

/** Bytes of a text in UTF-8. JSON.stringify escapes single surrogates, so each stands for half of four bytes. */
export function utf8Bytes(text: string): number {
    let bytes = text.length;
    for (let i = 0; i < text.length; i++) {
        const unit = text.charCodeAt(i);
        if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
    }
    return bytes;
}
