// File drop: a file is a message that offers it, and its parts, which are payloads of bytes. Each part is awaited before the next one, so
// what is on its way is what the connection takes; over a connection that breaks, publish() goes on by itself.

import {connect} from 'pulsewire';
import type {Messages} from '../messages.ts';
import {param, serverUrl, transportParam} from '../shared/page.ts';
import {showStatus} from '../shared/status.ts';
import {pulse} from '../shared/wire.ts';
import {Incoming} from './incoming.ts';
import {drawnId, part, partsOf, readPart} from './parts.ts';
import {DropView} from './view.ts';

const fileBytesMax = 4 * 2 ** 20;
const filesMax = 8;
const kept = 300;  // messages that a page may read at once

const client = connect(serverUrl(), {transport: transportParam()});
showStatus(client);

const channel = client.channel<Messages>(`drop:${param('drop') ?? 'lobby'}`, {latest: kept});
const files = new Map<string, Incoming>();
const view = new DropView(() => client.session);

channel.on('drop.offer', (offer) => {
    if (files.has(offer.id)) return;
    const incoming = new Incoming(offer);
    files.set(offer.id, incoming);
    view.offered(incoming);
    if (incoming.file) view.moved(incoming);  // it is empty
    for (const id of [...files.keys()].slice(0, -filesMax)) {
        files.delete(id);
        view.forget(id);
    }
});
channel.on('drop.part', (payload) => {
    const {id, index, bytes} = readPart(payload);
    const incoming = files.get(id);
    if (incoming?.add(index, bytes)) view.moved(incoming);
});
channel.watch('message', pulse);

view.onFile(async (file) => {
    const id = drawnId();
    const parts = partsOf(file.size);
    try {
        if (file.size > fileBytesMax) throw new Error(`${file.name} has more than 4 MiB: this is a demo, and its channel keeps 16 MiB in all.`);
        await channel.publish('drop.offer', {id, by: '', name: file.name, kind: file.type, bytes: file.size, parts});
        for (let index = 0; index < parts; index++) await channel.publish('drop.part', await part(file, id, index));
    } catch (error) {
        view.showProblem(error);
    }
});
