// A lamp and its dashboard on one page. They could as well be on two continents: each has a connection of its own, and all
// that they share is the channel. ?lamp=Kitchen makes this page that lamp alone, for a phone.

import {connect} from 'pulsewire';
import {ofThisTab} from '../chat/names.ts';
import {BreakableNetwork} from '../shared/breakable_network.ts';
import {byId} from '../shared/dom.ts';
import {param, serverUrl, transportParam} from '../shared/page.ts';
import {showStatus} from '../shared/status.ts';
import {Dashboard} from './dashboard.ts';
import {DashboardView} from './dashboard_view.ts';
import {Lamp} from './lamp.ts';
import {LampView} from './lamp_view.ts';

const channelName = `device:${param('home') ?? 'home'}`;
const alone = param('lamp')?.trim().slice(0, 40);
const name = alone || ofThisTab('pulsewire-lamp', drawnLamp());

const plug = new BreakableNetwork();
const lampClient = connect(serverUrl(), {transport: transportParam(), backoffMaxMs: 2_000, ...plug.options});
const lampView = new LampView(name);
const lamp = new Lamp(lampClient.channel(channelName, {presence: {kind: 'lamp', name}}), name, (state) => lampView.show(state));
lampView.onSwitch(() => lamp.set({on: !lamp.state.on}));
lampView.onLock((locked) => { lamp.locked = locked; });
lampView.onPlug((plugged) => {
    const forEver = 2 ** 31 - 1;
    if (!plugged) plug.goOffline(forEver, () => {});
    else plug.goOffline(0, () => lampClient.reconnectNow());
});

byId('dashboard').hidden = alone !== undefined;
byId<HTMLAnchorElement>('another').href = `?${new URLSearchParams({lamp: drawnLamp()})}`;
if (alone) {
    showStatus(lampClient);
} else {
    const dashboardClient = connect(serverUrl(), {transport: transportParam()});
    showStatus(dashboardClient);
    const view = new DashboardView((lampName, wish) => dashboard.ask(lampName, wish));
    const dashboard = new Dashboard(dashboardClient.channel(channelName, {latest: 100, presence: true}), (lamps) => view.show(lamps));
}

function drawnLamp(): string {
    return `Lamp ${10 + Math.floor(90 * Math.random())}`;
}
