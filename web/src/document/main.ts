// Two editors of one text, each with a document, a connection and a plug of its own, as if they were on two desks. pulsewire/yjs keeps
// the documents the same; the textareas are bound to them in binding.ts, as the bindings of Tiptap, CodeMirror and others do it.

import {connect} from 'pulsewire';
import {yjs} from 'pulsewire/yjs';
import * as Y from 'yjs';
import {BreakableNetwork} from '../shared/breakable_network.ts';
import {byId} from '../shared/dom.ts';
import {serverUrl, transportParam} from '../shared/page.ts';
import {roomOfAddress} from '../shared/room.ts';
import {showStatus} from '../shared/status.ts';
import {pulse} from '../shared/wire.ts';
import {TextBinding} from './binding.ts';
import {Cursors} from './cursors.ts';
import {EditorView, showVerdict} from './view.ts';

const room = roomOfAddress();
byId<HTMLAnchorElement>('another').href = location.href;

const editors = ['Ada', 'Bob'].map((name) => {
    const network = new BreakableNetwork();
    const client = connect(serverUrl(), {transport: transportParam(), ...network.options});
    const channel = client.channel(`doc:${room}`);
    const doc = new Y.Doc();
    const text = doc.getText('text');
    const provider = yjs(channel, doc);
    provider.awareness!.setLocalStateField('user', {name});

    const view = new EditorView(name, network);
    const binding = new TextBinding(view.area, text);
    const cursors = new Cursors(view.area, view.mirror, text, provider.awareness!);
    view.follow(client);
    view.onUndo(() => binding.undo());
    binding.onChange(() => {
        cursors.draw();
        view.show(text.length, binding.canUndo);
        compare();
    });
    provider.synced.then(() => view.ready(), (error) => view.showProblem(error));
    channel.watch('message', pulse);
    return {client, provider, text, view};
});
showStatus(editors[0]!.client);

// What waits to be sent is known at any time, but nobody is called when that changes.
setInterval(() => {
    for (const {provider, view} of editors) view.showUnsent(provider.unsent);
}, 200);

function compare(): void {
    const [ada, bob] = editors.map(({text}) => text.toString());
    showVerdict(ada === bob);
}
