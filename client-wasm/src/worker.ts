import type {Channel} from './client/channel.js';
import type {Client} from './client/client.js';
import {connect} from './index.js';
import {PortSession, type Clients, type Port} from './worker/port_session.js';

export type * from './worker/messages.js';

/** The clients of this worker, one for each address, with how many ports use each and each of its channels. */
class SharedClients implements Clients {
    readonly #byUrl = new Map<string, Client>();
    readonly #users = new Map<Client | Channel, number>();

    take(url: string, options: object): Client {
        let client = this.#byUrl.get(url);
        if (!client || client.state.name === 'closed') this.#byUrl.set(url, (client = connect(url, options)));
        this.#count(client, 1);
        return client;
    }

    giveBack(client: Client): void {
        if (this.#count(client, -1) > 0) return;
        client.close();
        for (const [url, known] of this.#byUrl) if (known === client) this.#byUrl.delete(url);
    }

    subscribe(channel: Channel): void {
        this.#count(channel, 1);
    }

    unsubscribe(channel: Channel): void {
        if (this.#count(channel, -1) === 0) channel.unsubscribe();
    }

    #count(used: Client | Channel, change: number): number {
        const count = (this.#users.get(used) ?? 0) + change;
        if (count) this.#users.set(used, count);
        else this.#users.delete(used);
        return count;
    }
}

const clients = new SharedClients();
const scope = globalThis as unknown as Port & {onconnect?: (event: MessageEvent) => void; SharedWorkerGlobalScope?: unknown};
if (scope.SharedWorkerGlobalScope) {
    scope.onconnect = ({ports}) => void new PortSession(ports[0]!, clients);
} else {
    new PortSession(scope, clients);
}
