import {Connection, type ClientEnd, type Line, type Opening} from './connection.js';
import {Delay} from './delay.js';
import type {Hub} from './hub.js';
import type {Direction} from './options.js';
import {Pipe} from './pipe.js';
import type {Trace} from './trace.js';

/** What all paths to one server have in common. */
export interface Network {
    readonly hub: Hub;
    readonly trace: Trace;
    readonly random: () => number;
    /** The proof of a token, as a text for the hub; undefined: nobody may come in with it. */
    readonly shownBy: (token: string | null) => string | undefined;
    /** The connections of all paths, by number, as long as the server has them. */
    readonly connections: Map<number, Connection>;
    /** By the secret of an event stream. */
    readonly streams: Map<string, Connection>;
    nextNumber(): number;
    /** A connection has reached the server. */
    opened(connection: number): void;
}

/** The network between one client and the server, with all that can go wrong there. */
export class Path implements Line {
    readonly network: Network;
    readonly delay: Delay;
    online = true;
    readonly #stalled = {up: false, down: false};
    readonly #pipes = {up: new Set<Pipe<any>>(), down: new Set<Pipe<any>>()};
    readonly #connections = new Set<Connection>();

    /** `like`: a path whose state it begins with. */
    constructor(network: Network, like?: Path) {
        this.network = network;
        this.delay = new Delay(network.random);
        if (!like) return;
        this.online = like.online;
        Object.assign(this.#stalled, like.#stalled);
        this.delay.ms = like.delay.ms;
        this.delay.jitterMs = like.delay.jitterMs;
    }

    /** A way for one direction of a connection; it is to be ended. */
    pipe<T>(direction: Direction, deliver: (what: T) => void): Pipe<T> {
        const pipes = this.#pipes[direction];
        const pipe: Pipe<T> = new Pipe(this.delay, this.#stalled[direction], deliver, () => pipes.delete(pipe));
        pipes.add(pipe);
        return pipe;
    }

    stall(direction: Direction, stalled: boolean): void {
        this.#stalled[direction] = stalled;
        for (const pipe of this.#pipes[direction]) pipe.stall(stalled);
    }

    /** Undefined: there is no network. */
    connect(opening: Opening, client: ClientEnd): Connection | undefined {
        if (!this.online) return undefined;
        const {network} = this;
        const {secret} = opening;
        const number = network.nextNumber();
        const connection: Connection = new Connection(number, this, opening, client, () => {
            this.#connections.delete(connection);
            network.connections.delete(number);
            network.streams.delete(secret);
        });
        this.#connections.add(connection);
        network.connections.set(number, connection);
        if (secret) network.streams.set(secret, connection);
        return connection;
    }

    each(act: (connection: Connection) => void): void {
        for (const connection of [...this.#connections]) act(connection);
    }
}
