// Prices over SSE, or over WebSocket: the code is the same. Changing the transport closes one client and opens another that
// starts where the first one stopped, so the channel's own numbering shows whether anything was missed.

import {connect, type Channel, type Client} from 'pulsewire';
import type {Messages} from '../messages.ts';
import {serverUrl, transportParam, type Transport} from '../shared/page.ts';
import {showStatus} from '../shared/status.ts';
import {Delivery} from './delivery.ts';
import {TickerView} from './view.ts';

const view = new TickerView();
const delivery = new Delivery();
let client: Client | undefined;
let prices: Channel<Messages> | undefined;

function start(transport: Transport): void {
    const since = prices?.position;
    client?.close();
    client = connect(serverUrl(), {transport});
    showStatus(client);
    client.on('open', (state) => view.showTransport(state.transport));

    prices = client.channel<Messages>('ticker:prices', {latest: 300, since});
    prices.on('ticker.price', (tick, message) => {
        delivery.count(message.offset);
        if (!message.replayed) delivery.measure(Date.now() - tick.sent_ms);
        view.add(tick);
    });
    prices.watch('gap', ({from, to}) => delivery.miss(from, to));
    prices.watch('subscribed', ({recovered, reason}) => view.showRecovered(recovered, reason));
}

view.onTransport(start);
setInterval(() => view.showDelivery(delivery), 500);
start(transportParam() ?? 'sse');
