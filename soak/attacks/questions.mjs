// Questions to other clients: nobody answers, or the one who does is kept busy.

import {deviceChannel} from '../places.mjs';

const deaf = 'device:deaf';

// Asks the oldest member of the channel as often as a connection may, for as long as a deadline may be.
async function ask(attacker, wire, channel, to) {
    const wait = attacker.pace(300);
    for (let id = 10; ; ++id) {
        await wait();
        await wire.send({op: 'request', id, channel, to, type: 'q', timeout_ms: 120_000, payload: 'q'.repeat(500)});
        attacker.count('questions');
    }
}

export const questions = {
    questions: {
        what: '60 clients ask 20 who never answer and do not read',
        run: (attacker) => {
            const names = [];
            return Promise.all([
                attacker.swarm(20, async (number) => {
                    const wire = await attacker.member(number);
                    names[number] = wire.name;
                    await wire.send({op: 'subscribe', id: 2, channel: deaf, payload: 0});
                    await new Promise((done) => setTimeout(done, 500));
                    wire.stopReading();
                    await wire.closed;
                }),
                attacker.swarm(60, async (number) => {
                    const wire = await attacker.member(number);
                    await wire.send({op: 'subscribe', id: 2, channel: deaf});
                    await new Promise((done) => setTimeout(done, 1_000));
                    await ask(attacker, wire, deaf, names[number % 20]);
                }),
            ]);
        },
    },
    'questions-to-healthy': {
        what: '80 clients keep a healthy one busy that takes half a second for each answer',
        run: (attacker) => attacker.swarm(80, async (number) => {
            const wire = await attacker.member(number);
            await wire.send({op: 'subscribe', id: 2, channel: deviceChannel});
            const listed = attacker.next(wire, ({op}) => op === 'presence');
            await wire.send({op: 'presence', id: 3, channel: deviceChannel});
            const {payload} = await listed;
            const device = payload.find(({info}) => info.device);
            const wait = attacker.pace(4);
            for (let id = 10; device; ++id) {
                await wait();
                await wire.send({op: 'request', id, channel: deviceChannel, to: device.session, type: 'q', timeout_ms: 120_000, payload: 0});
                attacker.count('questions');
            }
        }),
    },
};
