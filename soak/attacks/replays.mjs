// Histories asked for again and again: the questions are short and the answers are megabytes.

const one = ['replay:0'];
const many = Array.from({length: 32}, (_, i) => `replay:${i + 1}`);
const everything = `/events?latest=300&${many.map((channel) => `channel=${channel}`).join('&')}`;
const pair = `{"op":"subscribe","id":2,"channel":"${one[0]}","latest":300}\n{"op":"unsubscribe","id":3,"channel":"${one[0]}"}`;

// A megabyte in each channel, renewed because others may have taken the place.
async function filled(attacker, channels, live, size) {
    await attacker.fill(channels, 20, 50_000);
    const renew = async () => {
        for (;;) {
            await new Promise((done) => setTimeout(done, 5_000));
            await attacker.fill(channels, 1, 50_000).catch(() => {});
        }
    };
    await Promise.all([renew(), attacker.swarm(size, live)]);
}

/** Subscribes and unsubscribes as often as the rate allows. */
async function askAgain(attacker, wire) {
    const wait = attacker.pace(950);
    for (;;) {
        await wait(2);
        await wire.text(pair);
        attacker.count('replays asked');
    }
}

export const replays = {
    'replays-unread': {
        what: 'the whole history by subscribe and unsubscribe, 60 clients that do not read',
        run: (attacker) => filled(attacker, one, async (number) => {
            const wire = await attacker.member(number, {reads: false});
            await askAgain(attacker, wire);
        }, 60),
    },
    'replays-read': {
        what: 'the same by 12 clients that read everything, as fast as their rate allows',
        run: (attacker) => filled(attacker, one, async (number) => {
            const wire = await attacker.member(number);
            wire.onLine = () => {};
            wire.socket.removeAllListeners('data');
            wire.socket.on('data', (bytes) => attacker.count('bytes read', bytes.length));
            await askAgain(attacker, wire);
        }, 12),
    },
    'history-pages': {
        what: 'pages of history asked for by 60 clients that do not read them',
        run: (attacker) => filled(attacker, one, async (number) => {
            const wire = await attacker.member(number, {reads: false});
            const wait = attacker.pace(95);
            for (let id = 2; ; ++id) {
                await wait();
                await wire.send({op: 'history', id, channel: one[0], limit: 300, backwards: true});
                attacker.count('pages asked');
            }
        }, 60),
    },
    'event-replays-read': {
        what: '12 event streams that read the 32 MB that they asked for, and come again',
        run: (attacker) => filled(attacker, many, async (number) => {
            const socket = await attacker.request(number, {path: everything});
            let read = 0;
            socket.on('data', (bytes) => {
                attacker.count('bytes read', bytes.length);
                read += bytes.length;
                if (read > 30_000_000) socket.destroy();
            });
            await new Promise((done) => socket.once('close', done));
        }, 12),
    },
    'event-replays': {
        what: '400 event streams that ask for 32 MB each and read 4 KB a second, or nothing',
        run: (attacker) => filled(attacker, many, async (number) => {
            const socket = await attacker.request(number, {path: everything});
            const read = setInterval(() => { if (number % 4 === 0) attacker.count('bytes read', socket.read(4_096)?.length ?? 0); }, 1_000);
            await new Promise((done) => socket.once('close', done));
            clearInterval(read);
        }, 400),
    },
};
