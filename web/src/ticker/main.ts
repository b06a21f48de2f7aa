// Prices over SSE, or over WebSocket: the code is the same. Changing the transport closes one client and opens another that
// goes on where the first one stopped, as a reload of the page does, so the channel's own numbering shows whether anything
// was missed.

import {connect, type Channel, type Client} from 'pulsewire';
import {browserStorage} from 'pulsewire/storage';
import type {Messages, TickerPrice} from '../messages.ts';
import {BreakIt} from '../shared/break_it.ts';
import {BreakableNetwork} from '../shared/breakable_network.ts';
import {serverUrl, transportParam, type Transport} from '../shared/page.ts';
import {showStatus} from '../shared/status.ts';
import {Delivery} from './delivery.ts';
import {TickerView} from './view.ts';

const view = new TickerView();
const delivery = new Delivery();
const network = new BreakableNetwork();
const breakIt = new BreakIt(network);
let client: Client | undefined;
let prices: Channel<Messages> | undefined;

function start(transport: Transport): void {
    const since = prices?.position;
    client?.close();
    client = connect(serverUrl(), {transport, storage: browserStorage({name: 'pulsewire-ticker'}), ...network.options});
    showStatus(client);
    breakIt.follow(client);
    client.on('open', (state) => view.showTransport(state.transport));

    prices = client.channel<Messages>('ticker:prices', {latest: 300, resume: true, since});
    breakIt.followChannel(prices);
    prices.on('ticker.price', (tick, message) => {
        delivery.count(message.offset);
        if (!message.replayed) delivery.measure(Date.now() - tick.sent_ms);
        view.add(tick);
    });
    prices.watch('gap', ({from, to, reason}) => {
        delivery.miss(from, to);
        view.showGap(reason);
    });
    prices.watch('subscribed', ({recovered, position}) => {
        if (!recovered) return;
        view.showRecovered();
        if (delivery.received === 0) void showPast(position.offset);
    });
}

// After a reload the stream goes on where it was; the lines before come out of the history.
async function showPast(offset: number): Promise<void> {
    const {messages} = await prices!.history({before: offset + 1, limit: 300});
    view.addPast(messages.reverse().map(({payload}) => payload as TickerPrice));
}

view.onTransport(start);
setInterval(() => view.showDelivery(delivery), 500);
start(transportParam() ?? 'sse');
