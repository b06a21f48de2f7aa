// The choices that the address of the page may make: ?transport=websocket|sse|auto and ?server=<base address>.

export type Transport = 'auto' | 'websocket' | 'sse';

const query = new URLSearchParams(location.search);

export const param = (name: string): string | undefined => query.get(name) ?? undefined;

/** The transport that the address asks for, if it asks. */
export function transportParam(): Transport | undefined {
    const name = param('transport');
    return name === 'auto' || name === 'websocket' || name === 'sse' ? name : undefined;
}

/** The server's base address: this page's own origin, or another port of this host or of localhost. */
export function serverUrl(): URL {
    const asked = param('server');
    if (asked && URL.canParse(asked, location.href)) {
        const url = new URL(asked, location.href);
        if ([location.hostname, 'localhost', '127.0.0.1', '[::1]'].includes(url.hostname)) return url;
        console.warn(`?server=${asked} is ignored: only this host and localhost may be named`);
    }
    return new URL('/', location.href);
}

/** The address of an endpoint below the server's base, for the browser's own WebSocket and EventSource. */
export function endpoint(path: string, scheme: 'http' | 'ws' = 'http'): string {
    const url = new URL(path, serverUrl());
    if (scheme === 'ws') url.protocol = url.protocol.replace('http', 'ws');
    return url.href;
}
