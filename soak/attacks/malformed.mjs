// Bytes that break a rule: messages beyond every bound, in too many pieces, half of them, and plain garbage.

import {randomBytes} from 'node:crypto';
import {setTimeout as pause} from 'node:timers/promises';

import {frame, write} from '../wire.mjs';

export const malformed = {
    oversized: {
        what: 'messages and bodies of 1 to 15 MB, which are skipped, and of more, which end the connection',
        run: (attacker) => attacker.swarm(16, async (number) => {
            const megabytes = 1 + (number % 16) * 1.2;
            const piece = Buffer.alloc(65_536, 'o');
            if (number % 4 === 3) {
                const fields = {'Content-Length': Math.round(megabytes * 1_048_576)};
                const socket = await attacker.request(number, {path: '/api/channels/o/messages', method: 'POST', fields});
                socket.resume();
                for (let i = 0; i < 16 * megabytes; ++i) await write(socket, piece);
                return;
            }
            const wire = await attacker.member(number);
            for (;;) {
                await wire.raw(frame(piece, {last: false}));
                for (let i = 1; i < 16 * megabytes; ++i) await wire.raw(frame(piece, {opcode: 0, last: false}));
                await wire.raw(frame('', {opcode: 0}));
                attacker.count('messages');
            }
        }),
    },
    fragments: {
        what: '200 messages in pieces of one byte, which come one by one or all at once',
        run: (attacker) => attacker.swarm(200, async (number) => {
            const wire = await attacker.member(number);
            const next = frame('x', {opcode: 0, last: false});
            await wire.raw(frame('"', {last: false}));
            for (;;) {
                await wire.raw(number % 2 === 0 ? next : Buffer.concat(Array.from({length: 500}, () => next)));
                attacker.count('frames', number % 2 === 0 ? 1 : 500);
                await pause(50);
            }
        }),
    },
    'half-frames': {
        what: '600 frames that say they are 60 KB long and stop before their end',
        run: (attacker) => attacker.swarm(600, async (number) => {
            const wire = await attacker.member(number);
            await wire.raw(frame('f'.repeat(60_000)).subarray(0, 59_000));
            attacker.count('frames');
            await wire.closed;
        }),
    },
    garbage: {
        what: 'random bytes as requests, as frames, as JSON; frames without a mask, of unknown kinds, of negative length',
        run: (attacker) => attacker.swarm(40, async (number) => {
            attacker.count('tries');
            if (number % 4 === 0) {
                const socket = await attacker.socket(number);
                socket.resume();
                await write(socket, randomBytes(4_096));
                await pause(20);
                return socket.destroy();
            }
            const wire = await attacker.member(number);
            const bad = [
                () => randomBytes(2_000), () => frame('x', {masked: false}), () => frame('x', {opcode: 3 + (number % 5)}),
                () => frame('x', {reserved: 1 + (number % 7)}), () => frame(randomBytes(500)), () => frame('p'.repeat(200), {opcode: 9}),
                () => Buffer.from([0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]), () => frame('x', {opcode: 0}),
            ];
            await wire.raw(bad[(Math.random() * bad.length) | 0]());
            await Promise.race([wire.closed, pause(200)]);
            return wire.end();
        }),
    },
};
