import type {Member, SubscribedEvent} from '../client/events.js';
import type {Receiver} from '../client/session.js';
import {errorFrom, payloadFrom, positionFrom} from './answer.js';
import type {Core} from './core.js';
import {ByteField, Field, Kind, Outcome} from './numbers.js';

/** The kinds of actions that concern a subscription, messages apart. */
export type ChannelKind =
    Kind.subscribed | Kind.gap | Kind.refused | Kind.presence | Kind.joined | Kind.left | Kind.asked | Kind.snapshot | Kind.snapshotWanted;

/** Reads the machine's action and gives it to the receiver of the subscription. */
export function receive(kind: ChannelKind, core: Core, receiver: Receiver): void {
    const session = core.slice(Field.session);
    const payload = payloadFrom(core);
    const user = core.slice(Field.user);
    const member = memberFrom({session, info: payload, ...(user && {user}), user_info: JSON.parse(core.slice(Field.userInfo) || '0')});
    switch (kind) {
        case Kind.subscribed: {
            const outcome = core.byte(ByteField.outcome);
            return receiver.onSubscribed({
                position: positionFrom(core),
                recovered: outcome === Outcome.fresh ? undefined : outcome === Outcome.recovered,
                reason: (core.slice(Field.reason) || undefined) as SubscribedEvent['reason'],
            });
        }
        case Kind.gap:
            return receiver.onGap(core.long(Field.offset));
        case Kind.refused:
            return receiver.onRefused(errorFrom(core));
        case Kind.presence:
            return receiver.onPresence({members: payload.map(memberFrom)});
        case Kind.joined:
            return receiver.onPresence({joined: member});
        case Kind.left:
            return receiver.onPresence({left: member});
        case Kind.snapshot:
            return receiver.onSnapshot?.({
                type: core.slice(Field.type), part: core.word(Field.attempt), parts: core.word(Field.delayMs), offset: core.long(Field.offset), payload,
            });
        case Kind.snapshotWanted:
            return receiver.onSnapshotWanted?.();
        case Kind.asked:
            return receiver.onAsked?.({
                attempt: core.word(Field.attempt), request: core.long(Field.offset), type: core.slice(Field.type), session, user, payload,
            });
    }
}

/** A member as the application sees it. */
function memberFrom({user_info: userInfo, ...member}: any): Member {
    return {...member, ...(userInfo && {userInfo})};
}
