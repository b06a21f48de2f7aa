import {temporaryErrors, type ErrorCode} from './codes.js';

/** The error of every rejected promise and every refusal of the SDK; docs/sdk.md lists the codes with their remedies. */
export class PulsewireError extends Error {
    declare readonly name: 'PulsewireError';
    /** The kind of failure, for programs. */
    readonly code: ErrorCode;
    /** The place in the payload that was wrong, as a JSON pointer. */
    readonly pointer?: string;

    constructor(code: ErrorCode, message: string, options?: {pointer?: string; cause?: unknown}) {
        super(message, options);
        this.code = code;
        if (options?.pointer) this.pointer = options.pointer;
    }

    static {
        // Also where the code is minified, and before a stack is written.
        for (const named of [this, this.prototype]) Object.defineProperty(named, 'name', {value: 'PulsewireError'});
    }

    /** Each entry of the package has this class; an error of one is an error of all. */
    static override [Symbol.hasInstance](error: any): boolean {
        return error?.name === 'PulsewireError';
    }

    /** Whether the same call may succeed later. */
    get temporary(): boolean {
        return temporaryErrors.test(this.code);
    }
}
