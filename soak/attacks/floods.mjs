// Much of what is cheap to send: commands, errors, control frames, requests, texts; within and beyond the rate.

import {frame} from '../wire.mjs';

// Sends the same bytes for ever. `reads`: whether the answers are taken.
const flood = (size, make, {reads, ...options}) => (attacker) => attacker.swarm(size, async (number) => {
    const wire = await attacker.member(number, {reads, ...options});
    const {bytes, things} = make(number);
    for (;;) {
        await wire.raw(bytes);
        attacker.count('sent', things);
    }
});

const lines = (count, line) => ({bytes: frame(Array.from({length: count}, line).join('\n')), things: count});

export const floods = {
    commands: {
        what: '20 clients that send pings as fast as they can and read the answers',
        run: flood(20, () => lines(1_000, (_, i) => `{"op":"ping","id":${i + 2}}`), {reads: true}),
    },
    'commands-in-budget': {
        what: '60 clients that use all commands they may: transient publishes to nobody',
        run: (attacker) => attacker.swarm(60, async (number) => {
            const wire = await attacker.member(number);
            const wait = attacker.pace(980);
            for (let i = 0; ; ++i) {
                await wait(49);
                await wire.text(Array.from({length: 49}, () => `{"op":"publish","channel":"b:${number}","type":"b","transient":true,"payload":${i}}`).join('\n'));
                attacker.count('sent', 49);
            }
        }),
    },
    errors: {
        what: '30 clients whose lines are no JSON, unknown, or nested too deeply, and who do not read what is wrong',
        run: flood(30, (number) => lines(1_000, () => [']', '{"op":"x","id":9}', '['.repeat(60), '{}'][number % 4]), {reads: false}),
    },
    'control-frames': {
        what: 'pings, pongs and empty messages by 30 clients who do not read the answers',
        run: flood(30, (number) => {
            const ping = frame('p'.repeat(125), {opcode: number % 3 === 0 ? 10 : 9});
            const empty = frame('');
            return {bytes: Buffer.concat(Array.from({length: 200}, () => (number % 3 === 1 ? [ping, empty] : [ping])).flat()), things: 200};
        }, {reads: false}),
    },
    'slow-pings': {
        what: '400 clients who send as many pings as they may and do not read the answers',
        run: (attacker) => attacker.swarm(400, async (number) => {
            const wire = await attacker.member(number, {reads: false});
            const wait = attacker.pace(90);
            for (;;) {
                await wait(9);
                await wire.raw(Buffer.concat(Array.from({length: 9}, () => frame('p'.repeat(125), {opcode: 9}))));
                attacker.count('sent', 9);
            }
        }),
    },
    'plain-text': {
        what: 'plain WebSockets that send NULs and long texts to a channel of their own that others do not read',
        run: (attacker) => Promise.all([
            attacker.swarm(20, async (number) => {
                const wire = await attacker.plain(number, 'plain');
                wire.stopReading();
                await wire.closed;
            }),
            attacker.swarm(10, async (number) => {
                const wire = await attacker.plain(number, 'plain');
                const wait = attacker.pace(100);
                const text = (number % 2 === 0 ? '\0' : 'ä').repeat(8_000);
                for (;;) {
                    await wait();
                    await wire.text(text);
                    attacker.count('sent');
                }
            }),
        ]),
    },
};
