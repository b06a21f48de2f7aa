// Lists of members: filled by few addresses, asked for without an end, and changed all the time before watchers.

import {crowdChannels} from '../places.mjs';

const room = 'room:full';
const info = 'i'.repeat(1_000);

// Sessions that stay until they are cut, all in one list.
const list = (attacker, size, channel) => attacker.swarm(size, async (number) => {
    const wire = await attacker.member(number);
    await wire.send({op: 'subscribe', id: 2, channel, payload: info});
    await wire.closed;
});

export const presence = {
    presence: {
        what: 'the list of a healthy channel filled by 1,500 sessions of few addresses',
        run: (attacker) => list(attacker, 1_500, crowdChannels[0]),
    },
    'presence-pages': {
        what: 'pages of a list of 1,000 asked for by 40 clients that do not read them, and over HTTP',
        run: (attacker) => Promise.all([
            list(attacker, 1_000, room),
            attacker.swarm(40, async (number) => {
                if (number % 4 === 0) {
                    const socket = await attacker.request(number, {path: `/api/channels/${room}/presence`});
                    socket.pause();
                    for (;;) {
                        await new Promise((done) => socket.write(attacker.head(number, {path: `/api/channels/${room}/presence`}), done));
                        attacker.count('pages asked');
                        if (socket.destroyed) return;
                    }
                }
                const wire = await attacker.member(number, {reads: false});
                const wait = attacker.pace(95);
                for (let id = 2; ; ++id) {
                    await wait();
                    await wire.send({op: 'presence', id, channel: room});
                    attacker.count('pages asked');
                }
            }),
        ]),
    },
    'presence-churn': {
        what: '100 watchers of a list of 300 in which everybody comes and goes',
        run: (attacker) => Promise.all([
            attacker.swarm(100, async (number) => {
                const wire = await attacker.member(number);
                await wire.send({op: 'subscribe', id: 2, channel: 'room:churn', presence: true});
                await wire.closed;
            }),
            attacker.swarm(300, async (number) => {
                const wire = await attacker.member(number);
                for (let turn = 0; turn < 20; ++turn) {
                    await wire.send({op: 'subscribe', id: 2, channel: 'room:churn', payload: info});
                    await new Promise((done) => setTimeout(done, 100));
                    await wire.send({op: 'unsubscribe', id: 3, channel: 'room:churn'});
                    attacker.count('joins');
                }
                wire.end();
            }),
        ]),
    },
};
