import type {Message} from '../client/message.js';
import type {Reply} from './types.js';

/** Beginning of a reply, in its first message. */
export interface Beginning {
    readonly writer: string;
    readonly leaseMs: number;
    /** Whether the writer shows itself in the channel. */
    readonly shown?: boolean;
}

/** A message of a reply: some text, its beginning, its end, or, with none of them, a sign of life. */
export interface Piece {
    readonly id: string;
    /** Length of the text before this piece, in UTF-16 units. */
    readonly n: number;
    readonly text?: string;
    readonly begin?: Beginning;
    /** The new session of the writer, whose server has forgotten the one before. */
    readonly writer?: string;
    readonly end?: Ending;
    readonly reason?: string;
}

export type Ending = 'complete' | 'cancelled' | 'failed';

/** A reply as the log says. A new object with each of its messages. */
export interface Told extends Reply {
    readonly leaseMs: number;
    readonly shown: boolean;
    /** Pieces that have overtaken those before them. */
    readonly ahead: readonly Piece[];
    /** The server's clock at its last message. */
    readonly at: number;
}

/** What all clients make of the messages of a channel. */
export interface Replies {
    /** In the order of their beginnings. */
    readonly all: readonly Told[];
    /** The server's clock at the last message of any type. */
    readonly now: number;
}

export const noReplies: Replies = {all: [], now: 0};
export const idRule = /^String [\w\-.:]{1,64}$/;
/** Of a lease, in milliseconds. */
const leaseMsMax = 3_600_000;
/** Pieces of a reply that wait for those before them; twice what a writer has on its way. */
const aheadMax = 8;
/** After so many leases without a message a reply counts as one that has ended, so that the state stays bounded. */
const leasesMax = 10;

/** The replies after the message; those that have ended and are older than the newest `keep` are left out. */
export function replied({all, now}: Replies, {type, payload, time, user}: Message<any>, of: string, keep: number): Replies {
    now = Math.max(now, time ?? 0);
    if (type === `${of}.stop`) return {all: changed(all, payload?.id, (reply) => ({...reply, stopping: true})), now};
    // It comes from another client, which may send anything.
    const {id, n, begin} = (type === of && payload ? payload : {}) as Partial<Piece>;
    if (typeof id !== 'string' || !Number.isSafeInteger(n)) return {all, now};
    const mine = (reply: Told) => reply.user === user;
    if (!begin) return {all: changed(all, id, (reply) => (mine(reply) ? extended(reply, payload, now) : reply), keep), now};
    const before = all.find((reply) => reply.id === id);
    const {writer, leaseMs, shown} = begin;
    if (n !== 0 || typeof writer !== 'string' || !(leaseMs > 0) || (before && !mine(before))) return {all, now};
    const reply: Told = {
        id, text: '', state: 'writing', stopping: false, writer, ...(user !== undefined && {user}),
        leaseMs: Math.min(leaseMs, leaseMsMax), shown: shown === true, ahead: [], at: now,
    };
    return {all: bounded([...all.filter((other) => other !== before), extended(reply, payload, now)], now, keep), now};
}

/** Adds a piece, and those that wait for it. One whose beginning is there already adds the rest of it. */
function extended(reply: Told, piece: Piece, now: number): Told {
    const {writer} = piece;
    let next: Told = {...reply, at: now, ...(typeof writer === 'string' && {writer})};
    // A message that the server refused for a moment may come after the one that followed it.
    let ahead = [...reply.ahead, piece].slice(-aheadMax);
    for (let fits; (fits = ahead.find(({n}) => n <= next.text.length)); ) {
        ahead = ahead.filter((other) => other !== fits);
        next = appended(next, fits);
    }
    return {...next, ahead: next.state === 'writing' ? ahead : []};
}

function appended(reply: Told, {n, text = '', end, reason}: Piece): Told {
    const there = reply.text.length;
    if (typeof text !== 'string' || reply.state !== 'writing') return reply;
    const whole = there < n + text.length ? reply.text + text.slice(there - n) : reply.text;
    if (end !== 'complete' && end !== 'cancelled' && end !== 'failed') return {...reply, text: whole};
    return {...reply, text: whole, state: end, ...(typeof reason === 'string' && {reason})};
}

function changed(all: readonly Told[], id: unknown, change: (reply: Told) => Told, keep?: number): readonly Told[] {
    const before = all.find((reply) => reply.id === id);
    if (before?.state !== 'writing') return all;
    const after = change(before);
    if (after === before) return all;
    const next = all.map((reply) => (reply === before ? after : reply));
    return keep !== undefined && after.state !== 'writing' ? bounded(next, after.at, keep) : next;
}

function bounded(all: readonly Told[], now: number, keep: number): readonly Told[] {
    const over = ({state, at, leaseMs}: Told) => state !== 'writing' || now - at > leasesMax * leaseMs;
    let surplus = all.filter(over).length - keep;
    return surplus > 0 ? all.filter((reply) => !over(reply) || surplus-- <= 0) : all;
}

/** The replies of a snapshot, which another client has made. Throws where it is none. */
export function loaded(saved: any): Replies {
    const {all, now} = saved;
    const states = ['writing', 'complete', 'cancelled', 'failed'];
    const fits = ({id, text, state, writer, leaseMs, ahead, at}: Told) =>
        Array.isArray(ahead) && [id, text, writer].every((value) => typeof value === 'string') && states.includes(state) && leaseMs > 0 && Number.isFinite(at);
    if (!Array.isArray(all) || !Number.isFinite(now) || !all.every(fits)) throw new Error('it holds something else than replies');
    return {all, now};
}
