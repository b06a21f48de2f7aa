// A room of one's own: drawn at the first visit and kept in the address, so that a reload, a second tab and a telephone lead into it.

import {drawnSecret} from '../chat/names.ts';
import {param} from './page.ts';

const nameOfRoom = /^[\w-]{1,40}$/;
const characters = 8;

export function roomOfAddress(): string {
    const asked = param('room');
    if (asked && nameOfRoom.test(asked)) return asked;
    const room = drawnSecret().slice(0, characters);
    const address = new URL(location.href);
    address.searchParams.set('room', room);
    history.replaceState(null, '', address);
    return room;
}
