// A writer and a reader, each with a connection of its own. The writer publishes numbers, a hundred in a second; the reader
// lists what arrives. What the visitor breaks between them, and the server that is killed, is none of their business: that
// the lists agree in the end is the SDK's and the server's.

import {connect} from 'pulsewire';
import {browserStorage} from 'pulsewire/storage';
import type {Messages, Requests} from '../messages.ts';
import {BreakableNetwork} from '../shared/breakable_network.ts';
import {param, serverUrl} from '../shared/page.ts';
import {showStatus} from '../shared/status.ts';
import {Ledger} from './ledger.ts';
import {watchSlowly} from './slow_tab.ts';
import {findVictim, victimOptions} from './victim.ts';
import {LoseView} from './view.ts';

interface Numbers {'lose.number': {n: number}}

const tickMs = 100;
const waitingMax = 5_000;  // the writer rests while so many wait for the server

const gallery = connect<Requests>(serverUrl());
showStatus(gallery);
const {url, log, canDie} = await findVictim(gallery);
const options = {...(canDie ? victimOptions : {}), backoffMaxMs: 2_000};  // who breaks things all the time wants to see them mended

const watched = param('watch');
if (watched) watchSlowly(url, options, watched);
else tryToLose();

function tryToLose(): void {
    const ledger = new Ledger(log);
    const view = new LoseView(ledger, canDie);
    const perTick = canDie ? 10 : 2;  // another server sends fewer messages again after an outage

    const readerNetwork = new BreakableNetwork();
    const reader = connect(url, {...readerNetwork.options, ...options});
    showStatus(reader);
    const arriving = reader.channel<Numbers>(`lose:${ledger.run}`, ledger.position ? {since: ledger.position} : {latest: 0});
    arriving.on('lose.number', ({n}) => {
        ledger.arrive(n, arriving.position);
        view.arrived();
    });
    arriving.watch('gap', ({reason}) => view.say('bad', `The server says that messages are missing: ${reason}.`));
    arriving.watch('subscribed', ({position}) => {
        ledger.position ??= position;
        view.reading();
    });

    // What is not acknowledged when the page is left is kept by the browser, and sent by the next one.
    const writerNetwork = new BreakableNetwork();
    const writer = connect(url, {
        ...writerNetwork.options, ...options,
        storage: browserStorage({name: 'pulsewire-lose'}), outboxMessagesMax: 2 * waitingMax, outboxBytesMax: 4 << 20,
    });
    const leaving = writer.channel<Numbers>(`lose:${ledger.run}`);
    setInterval(() => {
        if (!view.writing || writer.unsent.length > waitingMax) return;
        const first = ledger.written.last + 1;
        for (let n = first; n < first + perTick; n += 1) ledger.written.add(n);
        ledger.save();  // the list before the messages, so that a reload between them would count as a loss
        for (let n = first; n < first + perTick; n += 1) {
            leaving.publish('lose.number', {n}).catch((error: Error) => view.say('bad', `Number ${n} was refused: ${error.message}`));
        }
        view.wrote(perTick);
    }, tickMs);
    addEventListener('pagehide', () => ledger.save());

    view.follow('reader', reader);
    view.follow('writer', writer);
    view.onFault({
        cut: () => [readerNetwork, writerNetwork].forEach((network) => network.cut()),
        stall: (ms, over) => writerNetwork.stall(ms, over),
        offline: (ms, over) => readerNetwork.goOffline(ms, () => {
            over();
            reader.reconnectNow();  // as the SDK does by itself when the browser says that the network is back
        }),
        kill: () => gallery.request('victim.ask', {kill: true}),
    });
    if (!canDie) return;
    gallery.channel<Messages>('victim:state', {latest: 1}).on('victim.state', (state) => view.showVictim(state));
    // A gallery that was restarted has another victim, which knows nothing of this run.
    gallery.on('open', async () => {
        if ((await findVictim(gallery)).log !== log) view.startOver();
    });
}
