import {PulsewireError} from '../base/errors.js';
import {Choice} from './numbers.js';
import type {Endpoints} from './transports.js';
import type {ConnectOptions} from '../client/options.js';

/** Finds server and means; called by connect(), so that nothing is touched when the package is only imported. */
export function endpointsFrom(url: string | URL, options: ConnectOptions): Endpoints {
    const world: Partial<typeof globalThis> = globalThis;
    try {
        const {protocol, host, pathname} = new URL(url, world.location?.origin);
        const [, secure] = /^(?:http|ws)(s?):$/.exec(protocol)!;
        const base = `${secure}://${host}${pathname.replace(/\/*$/, '/')}`;
        return {
            websocketUrl: `ws${base}ws`,
            sseUrl: `http${base}sse`,
            WebSocket: options.WebSocket ?? world.WebSocket,
            EventSource: options.EventSource ?? world.EventSource,
            fetch: options.fetch ?? ((...request) => fetch(...request)),
        };
    } catch (cause) {
        throw new PulsewireError('invalid_argument', `"${url}" is no address of a server`, {cause});
    }
}

/** The transports that may be used: those that are wanted and that the environment has. */
export function choiceFrom({transport = 'auto'}: ConnectOptions, {WebSocket, EventSource}: Endpoints): Choice {
    const websocket = WebSocket && transport !== 'sse';
    const sse = EventSource && transport !== 'websocket';
    if (websocket) return sse ? Choice.automatic : Choice.websocket;
    if (sse) return Choice.sse;
    throw new PulsewireError('invalid_argument', `There is no ${transport === 'sse' ? 'EventSource' : 'WebSocket'} here: pass one in the options, in Node that of the package ws.`);
}
