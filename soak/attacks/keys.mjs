// Keys of publishes: flushed by many publishers, guessed in healthy channels, and with contents that differ.

import {randomBytes} from 'node:crypto';

import {crowdChannels} from '../places.mjs';

export const keys = {
    keys: {
        what: 'keys by the thousand from sessions that are new each time, so that those of others are forgotten',
        run: (attacker) => attacker.swarm(40, async (number) => {
            const wire = await attacker.member(number);
            const wait = attacker.pace(950);
            for (let turn = 0; turn < 40; ++turn) {
                await wait(50);
                const lines = Array.from({length: 50}, () =>
                    `{"op":"publish","channel":"k:${number}","key":"${randomBytes(48).toString('base64url')}","type":"k","payload":0}`);
                await wire.text(lines.join('\n'));
                attacker.count('keys', 50);
            }
            wire.end();
        }),
    },
    'guessed-keys': {
        what: 'other messages in healthy channels, under keys that a publisher might use',
        run: (attacker) => attacker.swarm(6, async (number) => {
            const wire = await attacker.member(number);
            const wait = attacker.pace(20);
            for (let i = 0; ; ++i) {
                await wait();
                const channel = crowdChannels[i % crowdChannels.length];
                await wire.send({op: 'publish', id: i + 2, channel, key: `${wire.name}-${i % 50}`, type: 'noise', payload: i});
                attacker.count('keys');
            }
        }),
    },
};
