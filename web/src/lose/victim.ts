// The server that may be killed is another process than the one this page came from: a pulsewired that the gallery starts on
// the next port. It listens on loopback alone, so visitors from elsewhere use the gallery's own server and cannot kill it.

import {PulsewireError, type Client, type ConnectOptions} from 'pulsewire';
import type {Requests} from '../messages.ts';
import {serverUrl} from '../shared/page.ts';

export interface Victim {
    url: URL;
    log: string;
    canDie: boolean;
}

const startsMs = 100;

/** This page's own policy lets it reach another port by WebSocket only, so the SDK need not try anything else. */
export const victimOptions: ConnectOptions = {transport: 'websocket', fetch: () => Promise.reject(new TypeError('only WebSockets lead there'))};

export async function findVictim(gallery: Client<Requests>): Promise<Victim> {
    const url = serverUrl();
    const spared = {url, log: '', canDie: false};
    if (!['localhost', '127.0.0.1'].includes(url.hostname) || url.protocol !== 'http:') return spared;
    for (;;) {
        try {
            const {port, pid, log} = await gallery.request('victim.ask', {kill: false});
            if (pid === 0) {
                await new Promise((later) => setTimeout(later, startsMs));
                continue;
            }
            const there = new URL(url);
            there.port = String(port);
            return {url: there, log, canDie: true};
        } catch (error) {
            if (error instanceof PulsewireError && error.code === 'rejected') return spared;  // none can be started there
            // The gallery was away; the next request waits until it is back.
        }
    }
}
