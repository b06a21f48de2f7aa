import type {Channel} from '../client/channel.js';
import type {Client} from '../client/client.js';
import type {ConnectionState, Member} from '../client/events.js';
import {open} from '../list.js';
import {clientOf, type ClientSource, Listeners, sharedStore, type Store} from './store.js';

/** One session that shows itself in a channel, with the info that it shows, which is unchecked input. */
export interface PresentMember<Info = unknown> extends Member {
    readonly info: Info;
}

const nobody: readonly Member[] = Object.freeze([]);

class PresenceStore {
    readonly #client: Client<any>;
    readonly #channel: Channel<any>;
    readonly #info: object | undefined;
    readonly #listeners = new Listeners(() => this.#begin());
    readonly subscribe = this.#listeners.add;
    #members = nobody;

    constructor(client: Client<any>, channel: Channel<any>, info: object | undefined) {
        this.#client = client;
        this.#channel = channel;
        this.#info = info;
    }

    readonly getSnapshot = (): readonly Member[] => this.#members;

    #begin(): () => void {
        const show = (members: readonly Member[]) => {
            this.#members = members;
            this.#listeners.tell();
        };
        const handle = open(this.#channel, {presence: this.#info ?? true});
        handle.watch('presence', ({members}) => show(members));
        const stop = this.#client.on('closed', () => show(nobody));
        return () => {
            stop();
            handle.close();
            this.#members = nobody;
        };
    }
}

/** The sessions that show themselves in a channel; with `info`, this one as well. */
export function presenceStore<Info>(source: ClientSource, name: string | undefined, info?: object): Store<readonly PresentMember<Info>[]> {
    const make = (client: Client<any>, channel: Channel<any>) => new PresenceStore(client, channel, info);
    return sharedStore(source, name, `presence ${JSON.stringify(info)}`, nobody, make) as Store<readonly any[]>;
}

const connecting: ConnectionState = Object.freeze({name: 'connecting', attempt: 1, transport: 'websocket'});

/** The state of the client. */
export function connectionStore(source: ClientSource): Store<ConnectionState> {
    return {
        initial: connecting,
        getSnapshot: () => clientOf(source).state,
        subscribe: (listener) => clientOf(source).on('state', listener),
    };
}
