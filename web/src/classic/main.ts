// The article's two pages with the SDK. The same without it: plain.ts.

import {connect, type Channel, type Client, type PulsewireError} from 'pulsewire';
import type {Messages} from '../messages.ts';
import {serverUrl, transportParam} from '../shared/page.ts';
import {showStatus} from '../shared/status.ts';
import {offerToBreak} from './break.ts';
import {Panel} from './panel.ts';
import {plainEventSource, plainWebSocket} from './plain.ts';

function websocketPage(): void {
    const panel = new Panel('ws-sdk');
    const client = connect(serverUrl(), {transport: transportParam() ?? 'websocket'});
    showStatus(client);
    showStatus(client, panel.status);
    noteConnection(client, panel, 'Disconnected from server');

    const channel = client.channel<Messages>('classic:ws');
    channel.on('message', (text) => panel.add('server', text));
    noteGaps(channel, panel);
    panel.onSend((text) => {
        panel.add('you', text);
        channel.publish('message', text).catch((error: PulsewireError) => panel.add('error', `${error.code}: ${error.message}`));
    });
}

function ssePage(): void {
    const panel = new Panel('sse-sdk');
    const client = connect(serverUrl(), {transport: 'sse'});
    showStatus(client, panel.status);
    noteConnection(client, panel, 'Connection lost');

    const channel = client.channel<Messages>('classic:sse');
    channel.on('message', (text) => panel.add('server', text));
    channel.on('customEvent', (text) => panel.add('custom', text));
    noteGaps(channel, panel);
}

function noteGaps(channel: Channel<Messages>, panel: Panel): void {
    channel.watch('gap', ({reason}) => panel.add('note', reason === 'epoch_changed'
        ? 'The server was restarted: messages from just before may be missing' : 'Some messages were missed: more were sent than the server keeps'));
}

function noteConnection(client: Client, panel: Panel, lost: string): void {
    let open = false;
    client.on('state', ({name}) => {
        if (name === 'open') panel.add('note', 'Connected to server');
        else if (open) panel.add('note', lost);  // once, however many attempts follow
        open = name === 'open';
    });
}

websocketPage();
ssePage();
plainWebSocket(new Panel('ws-plain'));
plainEventSource(new Panel('sse-plain'));
offerToBreak();
