// Memory of publications: each channel has a bound, and all together have one, whatever the publications look like.

let made = 0;

export const histories = {
    histories: {
        what: 'publications of 60 KB, each in a channel of its own',
        run: (attacker) => attacker.swarm(12, async (number) => {
            const wire = await attacker.member(number);
            const payload = 'h'.repeat(60_000);
            const wait = attacker.pace(200);
            for (;;) {
                await wait();
                await wire.send({op: 'publish', channel: `h:${made++}`, type: 'h', payload});
                attacker.count('publishes');
            }
        }),
    },
    'small-histories': {
        what: 'publications of one byte, each in a channel of its own: what is kept is bookkeeping',
        run: (attacker) => attacker.swarm(16, async (number) => {
            const wire = await attacker.member(number);
            const wait = attacker.pace(950);
            for (;;) {
                await wait(50);
                const lines = Array.from({length: 50}, () => `{"op":"publish","channel":"s:${made++}","type":"s","payload":1}`);
                await wire.text(lines.join('\n'));
                attacker.count('publishes', 50);
            }
        }),
    },
    'long-histories': {
        what: 'as many publications as 200 channels keep, with the longest names and keys of conflation',
        run: (attacker) => attacker.swarm(16, async (number) => {
            const wire = await attacker.member(number);
            const wait = attacker.pace(950);
            for (;;) {
                await wait(25);
                const lines = Array.from({length: 25}, () => JSON.stringify({
                    op: 'publish', channel: `l:${made % 200}:`.padEnd(255, 'l'), type: 't'.repeat(64), conflate: `${made++}`.padEnd(64, 'c'), payload: null,
                }));
                await wire.text(lines.join('\n'));
                attacker.count('publishes', 25);
            }
        }),
    },
};
