// "Try to break it": a raw WebSocket to /ws on which one may say wrong things, and see that each gets a typed answer and
// that the connection lives on. Speaks the protocol by hand (docs/protocol.md); no SDK.

import {byId, make} from '../shared/dom.ts';
import {endpoint} from '../shared/page.ts';

interface Answer {
    op?: string;
    id?: number;
    code?: string | number;
    message?: string;
    message_bytes_max?: number;
}

const shownCharacters = 160;
const linesMax = 200;

let socket: WebSocket | undefined;
let lastId = 1;
let messageBytesMax = 65536;  // what "welcome" says holds

const attempts: {label: string; frame: (id: number) => string | Uint8Array<ArrayBuffer>}[] = [
    {label: 'Malformed JSON', frame: () => '{"op":"publish","channel":'},
    {label: 'Wrong type', frame: (id) => frame({op: 'publish', id, channel: 'chat:lobby', type: 'chat.message', payload: {user: 'Mallory', text: 42}})},
    {
        label: 'Oversized message',
        frame: (id) => frame({op: 'publish', id, channel: 'chat:lobby', type: 'chat.message', payload: {user: 'Mallory', text: 'x'.repeat(messageBytesMax)}}),
    },
    {label: 'Unknown command', frame: (id) => frame({op: 'explode', id})},
    {label: 'Forbidden publish', frame: (id) => frame({op: 'publish', id, channel: 'ticker:prices', type: 'ticker.price', payload: {symbol: 'PULS', price: 1e9, change: 0, sent_ms: 0}})},
    {label: 'Nested too deep', frame: (id) => `{"op":"request","id":${id},"type":"sum.add","payload":${'['.repeat(100)}${']'.repeat(100)}}`},
    {
        label: 'Bytes that are missing',
        frame: (id) => new TextEncoder().encode(`{"op":"publish","id":${id},"channel":"chat:lobby","type":"chat.picture","bytes":4}\nabc`),
    },
];

export function offerToBreak(): void {
    byId('break-buttons').replaceChildren(...attempts.map(({label, frame}) => {
        const button = make('button', {class: 'button', type: 'button', text: label});
        button.addEventListener('click', () => attempt(frame));
        return button;
    }));
    byId<HTMLFormElement>('break-form').addEventListener('submit', (event) => {
        event.preventDefault();
        const text = byId<HTMLInputElement>('break-text').value;
        attempt(() => text);
    });
    showState('idle', 'Opens with the first attempt');
}

function attempt(frame: (id: number) => string | Uint8Array<ArrayBuffer>): void {
    whenOpen((open) => {
        const wrong = frame(++lastId);
        open.send(wrong);
        log('sent', typeof wrong === 'string' ? wrong : `${wrong.length} binary bytes`);
        if (open.readyState === WebSocket.OPEN) open.send(JSON.stringify({op: 'ping', id: ++lastId}));
    });
}

function whenOpen(act: (open: WebSocket) => void): void {
    if (socket?.readyState === WebSocket.OPEN) return act(socket);
    if (socket?.readyState === WebSocket.CONNECTING) return socket.addEventListener('open', () => act(opening));
    const opening = new WebSocket(endpoint('ws', 'ws'), 'pulsewire.v1');
    socket = opening;
    showState('connecting', 'Connecting…');
    opening.onopen = () => {
        const connect = JSON.stringify({op: 'connect', id: 1, version: 1, session: `raw-${crypto.getRandomValues(new Uint32Array(2)).join('-')}`});
        opening.send(connect);
        log('sent', connect);
        act(opening);
    };
    opening.onmessage = (event) => { for (const line of String(event.data).split('\n')) if (line) show(line); };
    opening.onclose = (event) => {
        showState('closed', `Closed (${event.code}); the next attempt opens a new one`);
        log('closed', `close code ${event.code}${event.reason ? `: ${event.reason}` : ''}`);
    };
}

function show(line: string): void {
    const answer = JSON.parse(line) as Answer;
    if (answer.op === 'ping') return socket?.send('{"op":"pong"}');
    if (answer.op === 'welcome') {
        messageBytesMax = answer.message_bytes_max ?? messageBytesMax;
        showState('open', 'Open over WebSocket');
        return log('welcome', line);
    }
    if (answer.op === 'pong') return log('alive', 'pong: the connection lives on');
    if (answer.op === 'error') return log('error', answer.message ?? '', String(answer.code));
    log('answer', line);
}

function log(kind: 'sent' | 'welcome' | 'error' | 'alive' | 'answer' | 'closed', text: string, code?: string): void {
    const list = byId('break-log');
    list.querySelector('.empty')?.remove();
    const shown = text.length > shownCharacters ? `${text.slice(0, shownCharacters)}… (${text.length.toLocaleString('en')} characters)` : text;
    const line = make('p', {class: `log__line log__line--${kind}`, 'data-kind': kind, 'data-code': code});
    line.append(make('span', {class: 'log__arrow', 'aria-hidden': 'true', text: kind === 'sent' ? '→' : '←'}), ' ');
    if (code) line.append(make('code', {class: 'badge badge--bad', text: code}), ' ');
    line.append(make('span', {class: 'log__text', text: shown}));
    list.append(line);
    while (list.childElementCount > linesMax) list.firstElementChild?.remove();
    list.scrollTop = list.scrollHeight;
}

function showState(state: string, text: string): void {
    const status = byId('break-status');
    status.dataset.state = state;
    status.replaceChildren(make('span', {class: 'status__dot', 'aria-hidden': 'true'}), make('span', {class: 'status__text', text}));
}

const frame = (value: object): string => JSON.stringify(value);
