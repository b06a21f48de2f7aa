import {applyAwarenessUpdate, type Awareness, encodeAwarenessUpdate, removeAwarenessStates} from 'y-protocols/awareness';
import type {Channel} from '../client/channel.js';
import type {PresenceEvent} from '../client/events.js';
import type {Message} from '../client/message.js';

const sessionKey = 0;

interface Changes {
    readonly added: readonly number[];
    readonly updated: readonly number[];
    readonly removed: readonly number[];
}

/**
 * An awareness on a channel: what this client shows goes in transient messages, and who leaves the channel is removed. A
 * message is the sender's session, as members show it, and what y-protocols makes of the states: one byte with the length of
 * the session, the session, the states.
 */
export class SharedAwareness {
    readonly #channel: Channel<any>;
    readonly #awareness: Awareness;
    readonly #type: string;
    readonly #changed: () => void;
    /** Yjs clients by session. */
    readonly #clients = new Map<string, Set<number>>();

    /** `changed`: there is something to be shown to the others. */
    constructor(channel: Channel<any>, awareness: Awareness, type: string, changed: () => void) {
        this.#channel = channel;
        this.#awareness = awareness;
        this.#type = type;
        this.#changed = changed;
        awareness.on('update', this.#onUpdate);
    }

    readonly #onUpdate = ({added, updated, removed}: Changes, origin: unknown): void => {
        const own = this.#awareness.clientID;
        if (origin !== this && [added, updated, removed].some((clients) => clients.includes(own))) this.#changed();
    };

    show(): void {
        const {session} = this.#channel;
        const own = this.#awareness.clientID;
        // Who has never shown anything has nothing to take back.
        if (!session.name || !this.#awareness.meta.has(own)) return;
        const states = encodeAwarenessUpdate(this.#awareness, [own]);
        const name = new TextEncoder().encode(session.name);
        const message = new Uint8Array(1 + name.length + states.length);
        message[sessionKey] = name.length;
        message.set(name, 1);
        message.set(states, 1 + name.length);
        // A hint that no connection takes is of no use later.
        this.#channel.publish(this.#type, message, {transient: true, echo: false}).catch(() => {});
    }

    take({payload}: Message): void {
        const bytes = payload as Uint8Array;
        const end = 1 + bytes[sessionKey]!;
        const session = new TextDecoder().decode(bytes.subarray(1, end));
        const before = new Map([...this.#awareness.meta].map(([client, {clock}]) => [client, clock]));
        applyAwarenessUpdate(this.#awareness, bytes.subarray(end), this);
        for (const [client, {clock}] of this.#awareness.meta) {
            if (before.get(client) === clock || client === this.#awareness.clientID) continue;
            let clients = this.#clients.get(session);
            if (!clients) this.#clients.set(session, (clients = new Set()));
            clients.add(client);
        }
    }

    presence({joined, left}: PresenceEvent): void {
        if (joined && joined.session !== this.#channel.session.name) this.#changed();
        const clients = left && this.#clients.get(left.session);
        if (!clients) return;
        this.#clients.delete(left.session);
        removeAwarenessStates(this.#awareness, [...clients].filter((client) => client !== this.#awareness.clientID), this);
    }

    /** The others see that this one is gone. */
    leave(): void {
        this.#awareness.off('update', this.#onUpdate);
        removeAwarenessStates(this.#awareness, [this.#awareness.clientID], this);
        this.show();
    }
}
