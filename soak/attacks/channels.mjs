// Places in the tables of channels: held by subscriptions, made by reading, and under names that look alike.

let made = 0;
const fresh = (prefix) => `${prefix}:${made++}`;

export const channels = {
    'channels-held': {
        what: '600 connections with 128 channels each that nobody else has',
        run: (attacker) => attacker.swarm(600, async (number) => {
            const wire = await attacker.member(number);
            for (let i = 0; i < 128; i += 32) {
                await wire.text(Array.from({length: 32}, () => `{"op":"subscribe","id":2,"channel":"${fresh('held')}"}`).join('\n'));
                attacker.count('channels', 32);
            }
            await wire.closed;
        }),
    },
    'channels-read': {
        what: 'new names read through every door: event streams, histories, subscriptions that end at once',
        run: (attacker) => attacker.swarm(48, async (number) => {
            const names = Array.from({length: 32}, () => fresh('read'));
            if (number % 3 === 0) {
                await attacker.ask(number, {path: `/events?${names.map((name) => `channel=${name}`).join('&')}`});
            } else if (number % 3 === 1) {
                await attacker.ask(number, {path: `/api/channels/${names[0]}/messages`});
            } else {
                const wire = await attacker.member(number);
                const wait = attacker.pace(900);
                for (let turn = 0; turn < 100; ++turn) {
                    await wait(30);
                    const pairs = Array.from({length: 15}, () => fresh('left')).map((name) =>
                        `{"op":"subscribe","id":2,"channel":"${name}"}\n{"op":"unsubscribe","id":3,"channel":"${name}"}`);
                    await wire.text(pairs.join('\n'));
                }
                wire.end();
            }
            attacker.count('channels', 32);
        }),
    },
    names: {
        what: 'the longest names, which differ in their last characters or are permutations of each other',
        run: (attacker) => attacker.swarm(24, async (number) => {
            const wire = await attacker.member(number);
            const wait = attacker.pace(950);
            for (;;) {
                await wait(20);
                const lines = Array.from({length: 20}, () => {
                    const digits = (made++).toString(2).padStart(40, '0');
                    // Blocks of eight bytes in another order: sums and products of words do not tell them apart.
                    const blocks = [...digits].map((digit) => (digit === '0' ? 'AaAaBBBB' : 'BBBBAaAa').slice(0, 6)).join('');
                    return `{"op":"publish","channel":"${blocks.padEnd(250, 'A')}","type":"n","payload":1}`;
                });
                await wire.text(lines.join('\n'));
                attacker.count('names', 20);
            }
        }),
    },
};
