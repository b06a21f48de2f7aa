// A whiteboard is a channel: strokes and their withdrawals are its messages, and whoever comes late draws the board from its
// history. Pointers are transient. Who drew what is the server's word (server/examples/gallery/board.hpp).

import {connect} from 'pulsewire';
import {browserStorage} from 'pulsewire/storage';
import {startingName} from '../chat/names.ts';
import type {BoardStroke, Messages} from '../messages.ts';
import {param, serverUrl, transportParam} from '../shared/page.ts';
import {showStatus} from '../shared/status.ts';
import {pulse} from '../shared/wire.ts';
import {Board} from './board.ts';
import {BoardView} from './view.ts';

const pointerEveryMs = 50;

// With a storage a stroke that is drawn offline survives a reload, and this tab's own strokes stay its own.
const client = connect(serverUrl(), {transport: transportParam(), storage: browserStorage({name: 'pulsewire-whiteboard'})});
showStatus(client);

const channel = client.channel<Messages>(`board:${param('board') ?? 'lobby'}`, {latest: 0, presence: {name: startingName()}});
const board = new Board();
const view = new BoardView(board, () => client.session);

channel.on('board.stroke', (stroke, {offset}) => {
    board.add(stroke, offset);
    view.drawn(stroke);
});
channel.on('board.undo', (undo) => {
    board.undo(undo);
    view.redraw();
});
channel.on('board.clear', (clear, {offset}) => {
    board.clear(clear, offset!);
    view.redraw();
});
channel.on('board.pointer', (pointer) => view.point(pointer));
channel.watch('message', pulse);
channel.watch('presence', ({members}) => view.showPeople(members, client.session));
channel.watch('subscribed', ({position, recovered}) => {
    if (!recovered) void readAll(position.offset);
});
client.on('restored', ({type, payload}) => {
    if (type === 'board.stroke') keep(payload as BoardStroke);
});

// What was drawn before this page came, newest first.
async function readAll(newest: number): Promise<void> {
    board.forgetKept();
    for (let before = newest + 1; ;) {
        const {messages, more} = await channel.history({before, limit: 300});
        for (const {type, payload, offset} of messages) {
            if (type === 'board.stroke') board.add(payload, offset);
            if (type === 'board.undo') board.undo(payload);
            if (type === 'board.clear') board.clear(payload, offset!);
        }
        before = messages.at(-1)?.offset ?? 0;
        if (!more || board.coversAllBefore(before)) break;
    }
    view.redraw();
}

// On the board at once, in the channel when the network is there.
function keep(stroke: BoardStroke): void {
    board.add({...stroke, by: client.session});
    view.redraw();
}

view.onStroke((stroke) => {
    keep(stroke);
    channel.publish('board.stroke', stroke).catch((error) => {
        board.undo({id: stroke.id, by: client.session});
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
