// This server's own metrics. The server says them once a second while somebody watches, into a channel that keeps the last
// minutes, so that a page begins with a past.

import {connect, type Client} from 'pulsewire';
import type {Messages, Requests} from '../messages.ts';
import {serverUrl, transportParam} from '../shared/page.ts';
import {showStatus} from '../shared/status.ts';
import {pulse} from '../shared/wire.ts';
import {DashboardView} from './view.ts';

const watchEveryMs = 10_000;  // the server takes for granted that nobody watches after fifteen seconds
const loadMs = 10_000;
const loadEveryMs = 100;

const client = connect<Requests>(serverUrl(), {transport: transportParam()});
showStatus(client);
const view = new DashboardView();

client.channel<Messages>('server:metrics', {latest: view.samplesMax}).on('server.sample', (sample, {time}) => {
    pulse();
    view.add(sample, time ?? Date.now());
});

async function watch(): Promise<void> {
    if (document.hidden || client.state.name !== 'open') return;
    const {available} = await client.request('server.watch', {open: true});
    view.showAvailable(available);
}
client.on('open', () => void watch());
document.addEventListener('visibilitychange', () => void watch());
setInterval(() => void watch(), watchEveryMs);

// Something to look at: twenty visitors who all listen to each other.
view.onLoad(() => new Promise<void>((over) => {
    const visitors = Array.from({length: 20}, () => {
        const visitor: Client = connect(serverUrl(), {transport: 'websocket'});
        visitor.channel('load:all', {latest: 0}).on('load.word', () => {});
        return visitor;
    });
    const talking = setInterval(() => {
        for (const visitor of visitors) visitor.channel('load:all').publish('load.word', {at: Date.now()}, {transient: true}).catch(() => {});
    }, loadEveryMs);
    setTimeout(() => {
        clearInterval(talking);
        for (const visitor of visitors) visitor.close();
        over();
    }, loadMs);
}));
