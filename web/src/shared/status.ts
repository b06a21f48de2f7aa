// Shows the state of a connection: always there, and never better than it is.

import type {Client, ConnectionState} from 'pulsewire';
import {Attempts} from './attempts.ts';
import {byId, make} from './dom.ts';
import {lostWords} from './words.ts';

const transportNames = {websocket: 'WebSocket', sse: 'SSE'};

/** Whose state each place shows. A page may go on with another client. */
const shown = new WeakMap<HTMLElement, Client>();

/** Follows `client` in `root`; the one in the page's header unless told otherwise. */
export function showStatus(client: Client, root: HTMLElement = byId('status')): void {
    const text = make('span', {class: 'status__text'});
    const button = make('button', {class: 'button button--small', type: 'button', hidden: true});
    const announcement = make('span', {class: 'visually-hidden', role: 'status'});
    root.replaceChildren(make('span', {class: 'status__dot', 'aria-hidden': 'true'}), text, button, announcement);

    shown.set(root, client);
    const attempts = new Attempts();
    let timer: ReturnType<typeof setInterval> | undefined;
    const show = (state: ConnectionState): void => {
        clearInterval(timer);
        if (shown.get(root) !== client) return;
        const attempt = attempts.of(state);
        root.dataset.state = state.name;
        setOrDelete(root.dataset, 'transport', 'transport' in state ? state.transport : undefined);
        setOrDelete(root.dataset, 'attempt', 'attempt' in state ? state.attempt : undefined);
        setOrDelete(root.dataset, 'retryInMs', state.name === 'waiting' ? Math.round(state.retryInMs) : undefined);
        setOrDelete(root.dataset, 'degraded', client.degraded ? 'yes' : undefined);
        root.title = state.name === 'waiting' || state.name === 'closed' ? `${lostWords(state.reason)}.` : '';
        text.textContent = sentence(state, attempt, client.degraded);
        button.hidden = state.name !== 'waiting' && state.name !== 'closed';
        button.textContent = state.name === 'closed' ? 'Reload' : 'Try now';
        if (state.name === 'waiting') timer = setInterval(() => { text.textContent = sentence(state, attempt, false); }, 200);
        announce(announcement, state);
    };
    button.addEventListener('click', () => {
        if (client.state.name === 'closed') location.reload();
        else client.reconnectNow();
    });
    client.on('state', show);
    client.on('degraded', ({degraded}) => {
        show(client.state);
        if (shown.get(root) === client) announcement.textContent = degraded ? 'The server does not reach its broker' : 'Connection open';
    });
    show(client.state);
}

function sentence(state: ConnectionState, attempt: number | undefined, degraded: boolean): string {
    switch (state.name) {
        case 'connecting':
            return attempt! > 1 ? `Connecting, attempt ${attempt}…` : 'Connecting…';
        case 'open':
            return degraded ? 'Open, waiting for the broker' : `Open over ${transportNames[state.transport]}`;
        case 'waiting': {
            const seconds = Math.max(0, Math.ceil((state.retryAt - Date.now()) / 1000));
            return `Retry in ${seconds} s · attempt ${attempt}`;
        }
        case 'closed':
            return `Closed: ${lostWords(state.reason)}`;
    }
}

// A countdown must not be read out every second, nor every attempt: only what changes for the reader.
function announce(element: HTMLElement, state: ConnectionState): void {
    const words = {
        connecting: undefined,
        open: 'Connection open',
        waiting: 'Connection lost, trying again by itself',
        closed: 'Connection closed',
    }[state.name];
    if (words && element.textContent !== words) element.textContent = words;
}

function setOrDelete(data: DOMStringMap, key: string, value: string | number | undefined): void {
    if (value === undefined) delete data[key];
    else data[key] = String(value);
}
