// Signing in. The demo's server gives a name to the page that asks for it first, and signs a token for it; where people have
// accounts, the function `token` asks their own backend instead.

import {connect, PulsewireError, type ConnectOptions, type TokenRequest} from 'pulsewire';
import {drawnSecret} from './names.ts';
import type {Requests} from '../messages.ts';

const key = 'pulsewire-account';
const answerMs = 8_000;

interface Kept {
    user: string;
    /** Whoever has it may ask for this name again. */
    secret: string;
}

export class Account {
    readonly #url: URL;
    readonly #options: ConnectOptions;
    readonly #changed: (refusal?: string) => void;
    /** Of this tab, also after a reload: two tabs may be two users. */
    #kept = keptInTab();
    /** The token that signing in brought, until it is used. */
    #fresh: string | undefined;

    /** `changed` is called when somebody signed in or out, with the reason if nobody asked for that. */
    constructor(url: URL, options: ConnectOptions, changed: (refusal?: string) => void) {
        this.#url = url;
        this.#options = options;
        this.#changed = changed;
    }

    /** Who is signed in. */
    get name(): string | undefined {
        return this.#kept?.user;
    }

    /** For connect(). */
    get options(): ConnectOptions {
        return this.#kept ? {token: this.#token, anonymous: true} : {};
    }

    /** Called before the first connection, when a token expires, and when the server takes it no more. */
    readonly #token = async ({signal}: TokenRequest): Promise<string | null> => {
        const kept = this.#kept;
        if (!kept) return null;
        const fresh = this.#fresh;
        this.#fresh = undefined;
        try {
            return fresh ?? await this.#ask(kept, signal);
        } catch (error) {
            if (!(error instanceof PulsewireError) || error.code !== 'rejected') throw error;
            this.#keep(undefined);
            this.#changed(`You were signed out: ${error.message}.`);
            return null;
        }
    };

    /** Rejects with the server's reason where it gives the name to nobody, or to somebody else. */
    async signIn(user: string): Promise<void> {
        const wanted = {user, secret: drawnSecret()};
        this.#fresh = await this.#ask(wanted);
        this.#keep(wanted);
        this.#changed();
    }

    signOut(): void {
        this.#keep(undefined);
        this.#changed();
    }

    // Over a connection of its own, as nobody: the chat's is not open before there is a token.
    async #ask(kept: Kept, signal?: AbortSignal): Promise<string> {
        const desk = connect<Requests>(this.#url, this.#options);
        try {
            return (await desk.request('session.open', kept, {timeoutMs: answerMs, signal})).token;
        } finally {
            desk.close();
        }
    }

    #keep(kept: Kept | undefined): void {
        this.#kept = kept;
        try {
            if (kept) sessionStorage.setItem(key, JSON.stringify(kept));
            else sessionStorage.removeItem(key);
        } catch {
            // Signed in until the page is left.
        }
    }
}

function keptInTab(): Kept | undefined {
    try {
        const kept = JSON.parse(sessionStorage.getItem(key) ?? 'null') as Kept | null;
        return kept?.user && kept.secret ? kept : undefined;
    } catch {
        return undefined;
    }
}
