// A page of somebody else: another origin, which may try what it wants.

import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';

export interface OtherSite {
    /** Under a name that is not one of loopback's, though browsers find it there. */
    origin: string;
    /** The same page as one of another port of this machine, such as a development server's. */
    neighbour: string;
    stop(): Promise<void>;
}

export async function startOtherSite(): Promise<OtherSite> {
    const server = createServer((_, answer) => {
        answer.setHeader('content-type', 'text/html');
        answer.end('<!doctype html><link rel="icon" href="data:,"><title>Somebody else</title>');
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const {port} = server.address() as AddressInfo;
    return {
        origin: `http://elsewhere.localhost:${port}`,
        neighbour: `http://127.0.0.1:${port}`,
        async stop() {
            server.closeAllConnections();
            await new Promise((closed) => server.close(closed));
        },
    };
}
