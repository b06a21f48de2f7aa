import {Handlers} from '../client/handlers.js';
import type {Message} from '../client/message.js';
import type {Handle} from './handle.js';
import type {Sharing} from './sharing.js';
import type {MessageList} from './types.js';

const changed = 'change';

export class ChannelList implements MessageList<any> {
    readonly #sharing: Sharing;
    readonly #latest: number;
    readonly #max: number;
    readonly #listeners: Handlers;
    #handle: Handle | undefined;
    #messages: Message[] = [];
    #snapshot: readonly Message[] = Object.freeze([]);
    #changed = false;

    constructor(sharing: Sharing, latest: number, max: number) {
        this.#sharing = sharing;
        this.#listeners = new Handlers(`the list of channel ${sharing.channel.name}`, sharing.channel.session.report);
        this.#latest = latest;
        this.#max = max;
    }

    readonly getSnapshot = (): readonly Message[] => this.#snapshot;

    readonly subscribe = (listener: () => void): (() => void) => {
        const remove = this.#listeners.add(changed, () => listener());
        this.#handle ??= this.#begin();
        return () => {
            remove();
            // A component that is mounted again at once finds the list as it was.
            setTimeout(() => {
                if (this.#listeners.hears(changed)) return;
                this.#handle?.close();
                this.#handle = undefined;
            }, 0);
        };
    };

    #begin(): Handle {
        const handle = this.#sharing.add({latest: this.#latest});
        this.#messages = [];
        handle.on('*', (_, message: Message) => {
            if (message.offset === undefined) return;
            this.#messages.push(message);
            this.#change();
        });
        // The offsets of another log begin anew: those of the old one would be in the list a second time.
        handle.watch('gap', ({reason}) => {
            if (reason !== 'epoch_changed') return;
            this.#messages = [];
            this.#change();
        });
        handle.watchers.add('signedOut', () => {
            this.#messages = [];
            this.#change();
        });
        return handle;
    }

    /** Many come in one go, and are told together. */
    #change(): void {
        if (!this.#changed) queueMicrotask(this.#tell);
        this.#changed = true;
    }

    readonly #tell = (): void => {
        this.#changed = false;
        this.#messages = this.#messages.slice(-this.#max);
        this.#snapshot = Object.freeze([...this.#messages]);
        this.#listeners.emit(changed, undefined);
    };
}

/** The lists of a channel, by their options. */
export class Lists {
    readonly #sharing: Sharing;
    readonly #lists = new Map<string, ChannelList>();

    constructor(sharing: Sharing) {
        this.#sharing = sharing;
    }

    get(latest: number, max: number): ChannelList {
        const key = `${latest} ${max}`;
        let list = this.#lists.get(key);
        if (!list) this.#lists.set(key, (list = new ChannelList(this.#sharing, latest, max)));
        return list;
    }
}

