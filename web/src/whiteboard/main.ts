// A whiteboard is a state: every page makes it of the channel's strokes and their withdrawals, and whoever comes late begins with
// a snapshot that some other page has made. Pointers are transient. Who drew what is the server's word
// (server/examples/gallery/board.hpp).

import {connect} from 'pulsewire';
import {state} from 'pulsewire/state';
import {browserStorage} from 'pulsewire/storage';
import {startingName} from '../chat/names.ts';
import type {BoardStroke, Messages} from '../messages.ts';
import {param, serverUrl, transportParam} from '../shared/page.ts';
import {showStatus} from '../shared/status.ts';
import {pulse} from '../shared/wire.ts';
import {Board, drawn, load, save, type Strokes} from './board.ts';
import {BoardView} from './view.ts';

const pointerEveryMs = 50;
const begunAt = performance.now();

// With a storage a stroke that is drawn offline survives a reload, and this tab's own strokes stay its own.
const client = connect(serverUrl(), {transport: transportParam(), storage: browserStorage({name: 'pulsewire-whiteboard'})});
showStatus(client);

const channel = client.channel<Messages>(`board:${param('board') ?? 'lobby'}`, {presence: {name: startingName()}});
const strokes = state<Strokes, Messages>(channel, {initial: [], reduce: drawn, snapshot: {type: 'board.state', save, load}});
const board = new Board();
const view = new BoardView(board, () => client.session);

strokes.subscribe(() => {
    board.show(strokes.value);
    view.redrawSoon();
});
strokes.ready.then(() => view.showWhole(performance.now() - begunAt), (error) => view.showProblem(error));
channel.on('board.stroke', ({by}) => view.drawn(by));
channel.on('board.pointer', (pointer) => view.point(pointer));
channel.watch('message', pulse);
channel.watch('presence', ({members}) => view.showPeople(members, client.session));
client.on('restored', ({type, payload}) => {
    if (type === 'board.stroke') keep(payload as BoardStroke);
});

// On the board at once, in the channel when the network is there.
function keep(stroke: BoardStroke): void {
    board.add({...stroke, by: client.session});
    view.redraw();
}

view.onStroke((stroke) => {
    keep(stroke);
    channel.publish('board.stroke', stroke).catch((error) => {
        board.undo(stroke);
        view.redraw();
        view.showProblem(error);
    });
});
view.onUndo(() => {
    const last = board.lastOf(client.session);
    if (!last) return;
    board.undo(last);
    view.redraw();
    channel.publish('board.undo', {id: last.id, by: ''}).catch((error) => view.showProblem(error));
});
view.onClear(() => channel.publish('board.clear', {by: ''}).catch((error) => view.showProblem(error)));

let pointedAt = 0;
view.onPointer((pointer, lifted) => {
    if (client.state.name !== 'open' || (!lifted && performance.now() - pointedAt < pointerEveryMs)) return false;
    pointedAt = performance.now();
    channel.publish('board.pointer', {by: '', ...pointer}, {transient: true, echo: false}).catch(() => {});  // the next one says more
    return true;
});
