// A model writes into a channel, and not into a connection (server/examples/gallery/model.hpp): so a lost connection costs no word,
// whoever comes late has the whole text, and stopping is a message that anybody sends. Two visitors are on this page; more are in
// other tabs.

import {BreakableNetwork} from '../shared/breakable_network.ts';
import {byId} from '../shared/dom.ts';
import {roomOfAddress} from '../shared/room.ts';
import {showStatus} from '../shared/status.ts';
import {pulse} from '../shared/wire.ts';
import {AskView, VisitorView} from './view.ts';
import {Visitor} from './visitor.ts';

const room = roomOfAddress();
byId<HTMLAnchorElement>('another').href = location.href;

const networks = [new BreakableNetwork(), new BreakableNetwork()] as const;
const views = [new VisitorView('you', networks[0]), new VisitorView('other', networks[1])] as const;

const you = new Visitor(room, networks[0], views[0]);
showStatus(you.client);
you.replies.subscribe(pulse);
let other: Visitor | undefined;

views[0].onStop(() => you.stop());
views[1].onStop(() => other?.stop());
views[1].onComeAndGo((here) => {
    if (here) {
        other = new Visitor(room, networks[1], views[1]);
        other.replies.subscribe(compare);
    } else {
        other?.leave();
        other = undefined;
    }
    compare();
});

const ask = new AskView();
ask.onAsk((text) => you.ask(text));
you.replies.subscribe(compare);

// Two readers of one text differ by what is on its way at most, unless a plug is out.
function compare(): void {
    ask.showGrowing(you.growing !== undefined);
    ask.showVerdict(you.newest.length, other?.newest.length, other !== undefined && you.newest === other.newest);
}
