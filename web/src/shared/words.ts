// The SDK's codes in the words of somebody who never read the protocol. The codes stay in the events, for those who did.

import type {CloseReason, GapEvent, SubscribedEvent} from 'pulsewire';

// The sentence that the SDK makes where nobody gave a better one.
const plain = /^The connection ended: \w+ \(\d+\)\.?$/;

/** Why there is no connection: a sentence without its full stop. */
export function lostWords({name, message}: CloseReason): string {
    if (message && !plain.test(message)) return message.replace(/\.$/, '');
    switch (name) {
        case 'abnormal': return 'The connection was lost';
        case 'service_restart': return 'The server is restarting';
        case 'try_again_later': return 'The server is busy';
        case 'going_away': return 'The server went away';
        case 'slow_consumer': return 'This page could not keep up';
        case 'no_pong': return 'The server has gone silent';
        case 'connect_timeout': return 'The server did not answer in time';
        case 'recovery_needed': return 'A message is missing, and the page asks for it again';
        case 'client_closed': return 'This page closed the connection';
        default: return 'The connection ended';
    }
}

/** Why messages cannot come any more: the second half of a sentence. */
export function missedWords(reason: GapEvent['reason'] | SubscribedEvent['reason']): string {
    switch (reason) {
        case 'epoch_changed': return 'the server was restarted and keeps nothing from before';
        case 'expired': return 'the server no longer keeps them';
        case 'limit': return 'there were more of them than the server sends again';
        case 'forbidden': return 'they are older than this user may read';
        case 'replaced': return 'newer ones took their place';
        default: return 'the server gave no reason';
    }
}

export const messages = (count: number): string => `${count.toLocaleString('en')} ${count === 1 ? 'message' : 'messages'}`;

/** Of messages that this page published. */
export const written = (count: number): string => `${messages(count)} you wrote`;
