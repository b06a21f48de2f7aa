import {PulsewireError} from './errors.js';

/**
 * The JSON text of a value that is to be sent. Throws `invalid_argument`, with the place as a JSON pointer, for values that
 * JSON would change or leave out without saying so: a Map, bytes, a function, NaN, undefined in a list.
 */
export function toJson(value: unknown): string {
    // The objects around the value that is being written, and the names that lead to it.
    const around: unknown[] = [];
    const names: string[] = [];
    try {
        return JSON.stringify(value, function (this: any, name, value) {
            const depth = (around.length = around.lastIndexOf(this) + 1);
            names.length = depth && depth - 1;
            if (depth) names.push(name);
            const why = around.includes(value) ? 'a cycle' : unsayable(value, this[name]);
            if (why && (value !== undefined || !depth || Array.isArray(this))) throw why;
            around.push(value);
            return value;
        });
    } catch (cause) {
        const pointer = names.map((name) => '/' + name.replace(/~/g, '~0').replace(/\//g, '~1')).join('');
        const why = typeof cause === 'string' ? `${pointer || 'it'} is ${cause}, which JSON cannot carry` : cause;
        throw new PulsewireError('invalid_argument', `The payload cannot be sent: ${why}`, {pointer, cause});
    }
}

/** The kind of a value that JSON cannot carry, where `before` is the value before its toJSON(); undefined for others. */
function unsayable(value: any, before: any): string | undefined {
    const kind = kindOf(value);
    if (!/^(Object|Array|String|Number|Boolean|Null)$/.test(kind) || (kind === 'Number' && !isFinite(value))) {
        return typeof value === 'object' ? `a ${kind}` : typeof value === 'function' ? 'a function' : String(value);
    }
    if (value === null && before) return `an invalid ${kindOf(before)}`;
    if (ArrayBuffer.isView(before)) return `a ${kindOf(before)}`;
    if (kind !== 'Object' || Object.keys(value).length) return undefined;
    // An object of a class, all of whose contents are private.
    const above = Object.getPrototypeOf(value);
    return above && Object.getPrototypeOf(above) ? `a ${above.constructor.name} without members` : undefined;
}

/** `Array`, `Map`, `Null` and so on. */
export function kindOf(value: unknown): string {
    return Object.prototype.toString.apply(value).slice(8, -1);
}
