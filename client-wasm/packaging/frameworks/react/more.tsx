import {useChannel, usePresence, usePublish} from 'pulsewire/react';
import {realtime} from './realtime';

const counts = Object.assign(globalThis, {renderings: 0});

/** All arguments are new ones in each rendering, the room may be none, and failures are read or not. */
export function More({room, reading}: {room: string | undefined; reading: boolean}) {
    counts.renderings++;
    const channel = useChannel<{note: string}>(() => realtime(), room, {latest: 5});
    const members = usePresence(() => realtime(), room, {name: 'More'});
    const outbox = usePublish<{note: string}>(() => realtime(), room);
    Object.assign(globalThis, {publish: outbox.publish});
    return (
        <section>
            <p>{channel.state} {members.length} {channel.messages.map(({payload}) => payload).join()}</p>
            {reading && <p>{channel.error?.code} {outbox.failed.map(({error}) => error.code).join()}</p>}
        </section>
    );
}
