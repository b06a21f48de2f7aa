import {PulsewireError} from './errors.js';
import {kindOf} from './json.js';

/** The value's kind and, where it is no object, its text have to match; an object of rules is for one with such members. */
export type Rule = RegExp | {readonly [member: string]: Rule};
export type Rules<T> = {readonly [Name in keyof Required<T>]: Rule};

export const callable = /^\w*Function/;
export const flag = /^Boolean/;
export const signal = /^AbortSignal/;
/** Infinity is no limit. */
export const amount = /^Number ([\d.]+|Infinity)$/;
export const positive = /^Number (?!0$)([\d.]+|Infinity)$/;

/** The error for an argument that cannot work. */
export function invalid(message: string): PulsewireError {
    return new PulsewireError('invalid_argument', message);
}

/** A limit as the machine takes it: whole, and not longer than a timer's longest delay, about 24 days. */
export function limit(value: number): number {
    return Math.min(Math.ceil(value), 2 ** 31 - 1);
}

/** Throws `invalid_argument` unless the value fits. */
export function check(name: string, value: any, rule: Rule): void {
    if (!(rule instanceof RegExp)) {
        check(name, value, /^Object/);
        for (const member of Object.keys(rule)) check(`${name}.${member}`, value[member], rule[member]!);
        return;
    }
    const kind = kindOf(value);
    const text = `${kind} ${typeof value !== 'object' ? String(value) : kind === 'Date' ? +value : ''}`;
    if (!rule.test(text)) throw invalid(`${name} cannot be ${text}: it has to match ${rule}`);
}

/** Throws `invalid_argument` unless all of the options are known and fit; those that are undefined count as missing. */
export function checkOptions<T extends object>(options: T, rules: Rules<T>): void {
    check('options', options, /^Object/);
    for (const [option, value] of Object.entries(options)) {
        checkKnown(option, Object.keys(rules), 'option');
        if (value !== undefined) check(option, value, rules[option as keyof T]);
    }
}

/** Throws `invalid_argument` unless the name is one of those that are known; says which one is probably meant. */
export function checkKnown(name: string, known: readonly string[], kind: string): void {
    if (known.includes(name)) return;
    name = String(name);
    // By the pairs of letters that both have, and by how they begin.
    const likeness = (other: string) => [...` ${name}`].filter((letter, at) => ` ${other}`.includes(letter + name[at])).length;
    const best = known.reduce((one, other) => (likeness(other) > likeness(one) ? other : one));
    throw invalid(`there is no ${kind} ${name}${likeness(best) ? `: did you mean ${best}?` : `, only ${known.join(', ')}`}`);
}
