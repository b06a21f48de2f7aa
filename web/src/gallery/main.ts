// The gallery: one connection, seven channels; in each card what just arrived in one of them, and a square for all.

import {connect} from 'pulsewire';
import type {Messages} from '../messages.ts';
import {serverUrl, transportParam} from '../shared/page.ts';
import {showStatus} from '../shared/status.ts';
import {showCommands} from './commands.ts';
import * as card from './cards.ts';
import {openSquare} from './square.ts';

const client = connect(serverUrl(), {transport: transportParam()});
showStatus(client);
showCommands();

client.channel<Messages>('classic:sse', {latest: 1}).on('message', card.showClock);

const lobby = client.channel<Messages>('chat:lobby', {latest: 1, presence: true});
lobby.watch('presence', ({members}) => card.showPresence(members.length));
lobby.on('chat.message', card.showLastWords);

client.channel<Messages>('ticker:prices', {latest: 240}).on('ticker.price', card.showPrice);

const notices = client.channel<Messages>('notify:all', {latest: 1});
notices.on('notify.message', card.showNotification);
notices.watch('subscribed', card.showActivityKnown);
client.channel<Messages>('jobs:all').on('job.progress', card.showJob);

openSquare(client);
