// Readers of busy channels that do not read, through every transport: what waits for all of them has one bound.

const busy = 'busy:0';

const publishers = (attacker, perSecond, bytes) => attacker.swarm(4, async (number) => {
    const wire = await attacker.member(number);
    const wait = attacker.pace(perSecond / 4);
    for (let i = 0; ; ++i) {
        await wait();
        // Each another text, so that no two readers share one.
        await wire.send({op: 'publish', channel: busy, type: 'busy', payload: `${number}/${i}`.padEnd(bytes, 'b')});
        attacker.count('publishes');
    }
});

const idle = async (attacker, number) => {
    if (number % 3 === 0) {
        const socket = await attacker.request(number, {path: `/events?channel=${busy}`});
        await new Promise((done) => socket.once('close', done));
    } else if (number % 3 === 1) {
        const wire = await attacker.plain(number, busy);
        wire.stopReading();
        await wire.closed;
    } else {
        const wire = await attacker.member(number);
        await wire.send({op: 'subscribe', id: 2, channel: busy});
        wire.stopReading();
        // Half of them read a little, so that a write makes progress now and then.
        for (let i = 0; wire.open; ++i) {
            await new Promise((done) => setTimeout(done, 1_000));
            if (number % 2 === 0 && wire.open) wire.socket.read(2_048);
        }
    }
};

export const slowReaders = {
    'slow-readers': {
        what: '300 readers of a channel of 1 MB a second do not read, or 2 KB a second',
        run: (attacker) => Promise.all([publishers(attacker, 20, 50_000), attacker.swarm(300, (number) => idle(attacker, number))]),
    },
    'slow-readers-small': {
        what: '500 readers of 1,000 small messages a second do not read',
        run: (attacker) => Promise.all([publishers(attacker, 1_000, 10), attacker.swarm(500, (number) => idle(attacker, number))]),
    },
};
