// Commands against this very server, ready to be copied.

import {byId, make} from '../shared/dom.ts';

const origin = location.origin;

const commands = [
    {
        title: 'Listen with curl', where: 'terminal',
        text: `curl -N '${origin}/events?channel=classic:sse'`,
    },
    {
        title: 'Publish with curl', where: 'terminal',
        text: `curl ${origin}/api/channels/notify:all/messages \\\n  -H 'Content-Type: application/json' \\\n` +
            `  -d '{"type":"notify.message","payload":{"title":"Hello from curl","body":"One POST is enough.","level":"success"}}'`,
    },
    {
        title: 'Listen with EventSource', where: 'browser console',
        text: `const prices = new EventSource('${origin}/events?channel=ticker:prices');\n` +
            `prices.addEventListener('ticker.price', (event) => console.log(event.data));`,
    },
    {
        title: 'Talk with WebSocket', where: 'browser console',
        text: `const socket = new WebSocket('${origin.replace('http', 'ws')}/ws/plain/classic:ws');\n` +
            `socket.onmessage = (event) => console.log(event.data);\n` +
            `socket.onopen = () => socket.send('Hello');`,
    },
];

export function showCommands(): void {
    byId('commands').replaceChildren(...commands.map(({title, where, text}) => {
        const code = make('pre', {class: 'code code--command', tabindex: 0, role: 'region', 'aria-label': title}, make('code', {text}));
        const copy = make('button', {class: 'button button--small', type: 'button', 'aria-label': `Copy: ${title}`, text: 'Copy'});
        copy.addEventListener('click', () => void copyText(text, code, copy));
        return make('li', {class: 'command'},
            make('div', {class: 'command__head'}, make('h3', {text: title}), make('span', {class: 'command__where', text: where}), copy), code);
    }));
}

async function copyText(text: string, code: HTMLElement, button: HTMLElement): Promise<void> {
    try {
        await navigator.clipboard.writeText(text);
        button.textContent = 'Copied';
    } catch {
        getSelection()?.selectAllChildren(code);  // no permission, or a page without TLS: selected is half the way
        button.textContent = 'Selected';
    }
    setTimeout(() => { button.textContent = 'Copy'; }, 1600);
}
