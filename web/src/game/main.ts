// The server alone knows the game (server/examples/gallery/game.hpp): this page says where its player wants to go, and draws what
// the server says twenty times a second. Both are transient messages: nobody wants yesterday's arena.

import {connect} from 'pulsewire';
import {startingName} from '../chat/names.ts';
import type {Messages} from '../messages.ts';
import {byId} from '../shared/dom.ts';
import {serverUrl, transportParam} from '../shared/page.ts';
import {showStatus} from '../shared/status.ts';
import {pulse} from '../shared/wire.ts';
import {Arena} from './arena.ts';
import {BadNetwork} from './bad_network.ts';
import {Interpolation} from './interpolation.ts';
import {Steering} from './steering.ts';

const steerEveryMs = 50;
const stayEveryMs = 1000;  // the server lets whoever is silent for four seconds go

const client = connect(serverUrl(), {transport: transportParam()});
showStatus(client);
const arena = new Arena();
const network = new BadNetwork();
const seen = new Interpolation();
const own = () => seen.newest?.players.find(({session}) => session === client.session);
const steering = new Steering(byId('arena'), own);

const game = client.channel<Messages>('game:arena', {latest: 0});
game.on('game.tick', (tick) => network.pass((now) => {
    pulse();
    seen.add(tick, now);
    arena.showScores(tick.players, client.session);
}));
game.watch('refused', (error) => arena.showProblem(error));

let told = {x: 0, y: 0, at: -Infinity};
setInterval(() => {
    const [x, y] = steering.way;
    const same = x === told.x && y === told.y;
    if (client.state.name !== 'open' || document.hidden || (same && performance.now() - told.at < stayEveryMs)) return;
    told = {x, y, at: performance.now()};
    game.publish('game.steer', {name: startingName(), x, y}, {transient: true})
        .then(() => arena.showProblem(), (error) => arena.showProblem(error));
}, steerEveryMs);

function draw(now: number): void {
    const tick = arena.interpolates ? seen.at(now) : seen.newest;
    if (tick) arena.draw(tick, client.session);
    requestAnimationFrame(draw);
}
requestAnimationFrame(draw);

arena.onJitter((ms) => { network.jitterMs = ms; });
setInterval(() => arena.showFigures(seen.jitterMs, arena.interpolates ? seen.delayMs : 0), 500);
