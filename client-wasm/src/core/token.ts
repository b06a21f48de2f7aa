import {PulsewireError} from '../base/errors.js';
import type {CloseReason} from '../client/events.js';
import type {ConnectOptions, TokenReason} from '../client/options.js';
import type {Session, SessionOwner} from '../client/session.js';

/** The memory between two questions. */
export interface TokenMemory {
    /** The token that the application gave last. */
    given?: string | null;
    /** Why there was none, as it was told. */
    missing?: string;
}

/** In the machine's order. */
const reasons: readonly TokenReason[] = ['connect', 'expiring', 'expired', 'revoked', 'refused'];

/**
 * Asks the application for a token: resolves with it, with '' for a client that goes on as nobody, with the reason why there
 * is none, or with undefined where the user was signed out instead. With `signal` the answer is not wanted any more.
 */
export async function tokenFrom(
    {token, anonymous, storage}: ConnectOptions, session: Session, {signOut, found}: SessionOwner, memory: TokenMemory, why: number, signal: AbortSignal,
): Promise<string | CloseReason | undefined> {
    const reason = reasons[why]!;
    try {
        let given = token as string | null;
        if (typeof token === 'function') given = await token({reason, signal});
        // It serves until it has expired, so this failure is told to nobody.
        else if (reason === 'expiring') return failure('');
        if (signal.aborted) return undefined;
        if (given === null) {
            if (!anonymous) throw new PulsewireError('unauthorized', 'nobody is signed in');
            if (session.user) return signOut();
        } else {
            if (typeof given !== 'string' || !/^[\w\-.~+/=]+$/.test(given)) throw new TypeError(`a ${typeof given} that is no token`);
            const known = given === memory.given && reason !== 'connect';
            if (known) throw new PulsewireError(token === given ? 'unauthorized' : 'internal', `it is ${reason}, and there is only the same one again`);
            if (session.name && !session.user) return signOut();
        }
        if (memory.given === undefined) session.secret = storage?.sessionOf(given === null ? '' : userIn(given)) ?? session.secret;
        memory.given = given;
        memory.missing = '';
        return given ?? '';
    } catch (error: any) {
        if (signal.aborted) return undefined;
        const message = `There is no token: ${error?.message ?? error}`;
        if (error?.code === 'unauthorized') return {code: 4502, name: 'unauthorized', message, reconnect: false};
        if (message !== memory.missing) {
            if (session.state.name === 'open') session.unheard(error, 'the option token');
            else found(message);
        }
        memory.missing = message;
        return failure(message);
    }
}

/**
 * The user whom a token names, as the server writes it; undefined where that cannot be read. Nobody has verified it: it decides
 * only whether this page goes on as the client of the page before, and the server has its own word.
 */
function userIn(token: string): string | undefined {
    try {
        const payload = atob(token.split('.')[1]!.replace(/-/g, '+').replace(/_/g, '/'));
        const {sub} = JSON.parse(new TextDecoder().decode(Uint8Array.from(payload, (byte) => byte.charCodeAt(0))));
        const bytes = [...new TextEncoder().encode(sub)];
        return bytes.map((byte) => String.fromCharCode(byte).replace(/[^\w.-]/, `=${byte.toString(16).toUpperCase().padStart(2, '0')}`)).join('');
    } catch {
        return undefined;
    }
}

function failure(message: string): CloseReason {
    return {code: 0, name: 'token_failed', message, reconnect: true};
}
