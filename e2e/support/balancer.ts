// A proxy before several servers, as nginx with proxy_next_upstream is: each connection goes to the first one that takes
// it, and gets 502 when none does.

import {connect, createServer, type AddressInfo, type Server, type Socket} from 'node:net';

export class Balancer {
    readonly #listener: Server;
    readonly #open = new Set<Socket>();
    /** Connections that no server took. */
    refused = 0;

    private constructor(listener: Server, ports: readonly number[]) {
        this.#listener = listener;
        listener.on('connection', (client) => {
            this.#keep(client);
            client.pause();
            this.#offer(client, ports);
        });
    }

    static async start(ports: readonly number[]): Promise<Balancer> {
        const listener = createServer({allowHalfOpen: true});
        await new Promise<void>((listening) => listener.listen(0, '127.0.0.1', listening));
        return new Balancer(listener, ports);
    }

    get origin(): string {
        return `http://127.0.0.1:${(this.#listener.address() as AddressInfo).port}`;
    }

    async stop(): Promise<void> {
        for (const socket of this.#open) socket.destroy();
        await new Promise((closed) => this.#listener.close(closed));
    }

    #keep(socket: Socket): void {
        this.#open.add(socket);
        socket.setNoDelay(true);
        socket.on('error', () => socket.destroy()).on('close', () => this.#open.delete(socket));
    }

    #offer(client: Socket, [port, ...others]: readonly number[]): void {
        if (port === undefined) {
            this.refused += 1;
            client.resume().end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
            return;
        }
        const server = connect({port, host: '127.0.0.1', allowHalfOpen: true});
        let taken = false;
        server.once('connect', () => {
            taken = true;
            this.#keep(server);
            client.pipe(server).pipe(client);
            client.once('close', () => server.destroy());
        });
        server.once('error', () => { if (!taken) this.#offer(client, others); });
        server.once('close', () => { if (taken) client.destroy(); });
    }
}
