import {PulsewireError} from '../base/errors.js';
import {Choice} from './numbers.js';
import type {Endpoints} from './transports.js';
import type {ConnectOptions} from '../client/options.js';

/** Finds server and means; called by connect(), so that nothing is touched when the package is only imported. */
export function endpointsFrom(url: string | URL, options: ConnectOptions): Endpoints {
    const world: Partial<typeof globalThis> = globalThis;
    const text = String(url);
    const base = world.document?.baseURI ?? world.location?.origin;
    try {
        // React Native's URL knows no other part.
        const {href} = /^[\w.+-]+:/.test(text) ? new URL(text) : new URL(text, base);
        const [, secure, user, host, path] = /^(?:http|ws)(s?):\/\/([^/?#]*@)?([^/?#]+)([^?#]*)/.exec(href)!;
        // The two endpoints have none of these, so that they would vanish in silence.
        if (user || /[?#]/.test(text)) throw text;
        // The server itself names the addresses of its two endpoints, so those do as well.
        const address = `${secure}://${host}${path!.replace(/(\/(ws|sse))?\/*$/, '/')}`;
        return {
            websocketUrl: `ws${address}ws`,
            sseUrl: `http${address}sse`,
            WebSocket: options.WebSocket ?? world.WebSocket,
            EventSource: options.EventSource ?? world.EventSource,
            fetch: options.fetch ?? ((...request) => fetch(...request)),
            host: host!,
            hosts: options.token ? [host!, ...(options.hosts ?? [])] : undefined,
        };
    } catch (cause) {
        // Nobody need have written the path, which is the default.
        const why = !base && !/^\w/.test(text)
            ? 'there is no page here (server-side rendering?): give the address or call connect() in the browser'
            : `"${url}" is no address of a server: write http://host or https://host, perhaps with a path`;
        throw new PulsewireError('invalid_argument', why, {cause});
    }
}

/** Whether a person wants to see what travels; nothing where storage is forbidden, as in frames of an opaque origin, or missing. */
export function debugWanted(): unknown {
    try {
        // Node warns of its own.
        return document && localStorage.pulsewireDebug;
    } catch {
        return undefined;
    }
}

/** The transports that may be used: those that are wanted and that the environment has. */
export function choiceFrom({transport = 'auto'}: ConnectOptions, {WebSocket, EventSource}: Endpoints): Choice {
    const websocket = WebSocket && transport !== 'sse';
    const sse = EventSource && transport !== 'websocket';
    if (websocket) return sse ? Choice.automatic : Choice.websocket;
    if (sse) return Choice.sse;
    throw new PulsewireError('invalid_argument', `There is no ${transport === 'sse' ? 'EventSource' : 'WebSocket'} here: pass one, in Node that of the package ws.`);
}
