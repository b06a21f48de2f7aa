// Rooms and their channels: `lobby` is chat:lobby; a private room is private:ann:bob, after the two users whose tokens open it.

const privateRoom = /^private:([\w.=-]{1,100}):([\w.=-]{1,100})$/;

export const channelOf = (room: string): string => (privateRoom.test(room) ? room : `chat:${room}`);
export const roomOf = (channel: string): string => channel.replace(/^chat:/, '');

/** The room of these two, the same whoever opens it. */
export const privateRoomOf = (user: string, other: string): string => ['private', ...[wireName(user), wireName(other)].sort()].join(':');

/** The names of the two to whom the room belongs; `undefined` where it is everybody's. */
export function peopleOf(room: string): [string, string] | undefined {
    const [, one, other] = privateRoom.exec(room) ?? [];
    return one && other ? [nameOfUser(one), nameOfUser(other)] : undefined;
}

/** What the room is called by somebody who is `me`. */
export function titleOf(room: string, me: string | undefined): string {
    const people = peopleOf(room);
    if (!people) return room;
    const others = people.filter((name) => name !== me);
    return others.length === 1 ? others[0]! : people.join(' and ');
}

/** A name as the server writes it: it stands in names of channels (docs/protocol.md 1.5). */
export const wireName = (name: string): string => Array.from(new TextEncoder().encode(name), (byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9_.-]/.test(character) ? character : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}).join('');

export function nameOfUser(user: string): string {
    try {
        return decodeURIComponent(user.replaceAll('=', '%'));
    } catch {
        return user;  // of an address that somebody wrote by hand
    }
}

/** A channel's name takes letters, digits and a few signs only (docs/protocol.md 1.2). */
export const roomNameFrom = (text: string): string => (privateRoom.test(text) ? text
    : text.trim().toLowerCase().replace(/[^a-z0-9_-]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 60));
