// The dashboard. Presence says which lamps are there, their kept words how they are, also of those that are gone; a request
// goes to one lamp and has exactly one outcome.

import {PulsewireError, type Channel} from 'pulsewire';
import {request} from 'pulsewire/requests';
import type {LampState, Messages} from '../messages.ts';
import type {Wish} from './lamp.ts';

const answerWithinMs = 2_000;
const goneMax = 3;  // of the lamps that are gone, those that spoke last

export interface KnownLamp {
    state: LampState;
    /** When it said so, by the server's clock. */
    saidAt: number;
    /** Where it can be asked; undefined when it is gone. */
    session: string | undefined;
    /** When this dashboard was told that it is gone. */
    goneAt: number | undefined;
}

export class Dashboard {
    readonly #channel: Channel<Messages>;
    readonly #lamps = new Map<string, KnownLamp>();
    readonly #show: (lamps: readonly KnownLamp[]) => void;
    #known = false;

    constructor(channel: Channel<Messages>, show: (lamps: readonly KnownLamp[]) => void) {
        this.#channel = channel;
        this.#show = show;
        channel.on('lamp.state', (state, {time}) => this.#heard(state, time ?? Date.now()));
        channel.watch('presence', () => this.#lookWhoIsThere());
    }

    /** Resolves with what the lamp has done; rejects with its refusal, or with the reason why there is no answer. */
    async ask(name: string, wish: Wish): Promise<LampState> {
        const session = this.#lamps.get(name)?.session;
        if (!session) throw new PulsewireError('not_present', `${name} is not here`);
        return request<LampState>(this.#channel, session, 'lamp.set', wish, {timeoutMs: answerWithinMs});
    }

    #heard(state: LampState, saidAt: number): void {
        const lamp = this.#lamps.get(state.name);
        this.#lamps.set(state.name, {session: undefined, goneAt: undefined, ...lamp, state, saidAt});
        this.#lookWhoIsThere();
    }

    #lookWhoIsThere(): void {
        const sessions = new Map(this.#channel.members.map(({session, info}) => [lampNameOf(info), session] as const));
        for (const [name, lamp] of this.#lamps) {
            const session = sessions.get(name);
            const goneAt = session ? undefined : lamp.goneAt ?? (this.#known && lamp.session ? Date.now() : undefined);
            this.#lamps.set(name, {...lamp, session, goneAt});
        }
        this.#known = true;
        const gone = [...this.#lamps].filter(([, {session}]) => !session).sort(([, a], [, b]) => b.saidAt - a.saidAt);
        for (const [name] of gone.slice(goneMax)) this.#lamps.delete(name);
        this.#show([...this.#lamps.values()]);
    }
}

// What others show of themselves is unchecked input.
const lampNameOf = (info: unknown): string | undefined => {
    const {kind, name} = (info ?? {}) as {kind?: unknown; name?: unknown};
    return kind === 'lamp' && typeof name === 'string' ? name : undefined;
};
