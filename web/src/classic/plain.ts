// The article's two pages with what the browser has, against the same server. No SDK in this file.

import {endpoint} from '../shared/page.ts';
import type {Panel} from './panel.ts';

export function plainWebSocket(panel: Panel): void {
    let socket: WebSocket;

    function open(): void {
        panel.setState('connecting', 'Connecting…');
        socket = new WebSocket(endpoint('ws/plain/classic:ws', 'ws'));
        socket.onopen = () => {
            panel.setState('open', 'Open over WebSocket');
            panel.add('note', 'Connected to server');
        };
        socket.onmessage = (event) => panel.add('server', event.data);
        socket.onclose = (event) => {
            panel.setState('closed', `Closed (${event.code})`, open);  // a plain WebSocket does not come back by itself
            panel.add('note', 'Disconnected from server');
        };
    }

    panel.onSend((text) => {
        if (socket.readyState !== WebSocket.OPEN) return panel.add('error', 'Not connected: this message is lost.');
        socket.send(text);
        panel.add('you', text);
    });
    open();
}

export function plainEventSource(panel: Panel): void {
    panel.setState('connecting', 'Connecting…');
    const source = new EventSource(endpoint('events?channel=classic:sse'));
    let open = false;
    source.onopen = () => {
        open = true;
        panel.setState('open', 'Open over SSE');
        panel.add('note', 'Connected to server');
    };
    // The data is the whole message, {"type", "channel", "offset", "time", "payload"}; here the payload is a text.
    source.onmessage = (event) => panel.add('server', JSON.parse(event.data).payload);
    source.addEventListener('customEvent', (event) => panel.add('custom', JSON.parse(event.data).payload));
    source.onerror = () => {
        if (source.readyState === EventSource.CONNECTING) panel.setState('connecting', 'Reconnecting…');
        else panel.setState('closed', 'Closed: the server refused', () => location.reload());
        if (open) panel.add('note', 'Connection lost');  // once, not with each attempt that fails
        open = false;
    };
}
