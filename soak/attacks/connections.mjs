// Places for connections: held in silence, held as streams, opened and closed at a rate, and left in the middle.

const gone = (socket) => new Promise((done) => (socket.resume(), socket.once('close', done)));

export const connections = {
    'connections-held': {
        what: '3,000 connections that say nothing, or are streams of every kind',
        run: (attacker) => attacker.swarm(3_000, async (number) => {
            if (number % 4 === 0) return gone(await attacker.socket(number));
            const paths = ['/events?channel=c', '/sse', '/ws/plain/c'];
            const path = paths[(number >> 2) % 3];
            if (path.startsWith('/ws')) return (await attacker.plain(number, 'c')).closed;
            return gone(await attacker.request(number, {path}));
        }),
    },
    'connections-churned': {
        what: 'connections opened and closed as fast as 40 at a time can: bare, half way, welcomed, reset',
        run: (attacker) => attacker.swarm(40, async (number) => {
            attacker.count('connections');
            if (number % 4 === 0) {
                (await attacker.socket(number)).destroy();
            } else if (number % 4 === 1) {
                const socket = await attacker.request(number, {path: '/ws', fields: {Upgrade: 'websocket', Connection: 'Upgrade'}});
                socket.resetAndDestroy();
            } else if (number % 4 === 2) {
                const wire = await attacker.member(number);
                await wire.send({op: 'subscribe', id: 2, channel: 'churn', presence: true, payload: 1});
                wire.end();
            } else {
                await attacker.ask(number, {path: '/healthz'});
            }
        }),
    },
};
