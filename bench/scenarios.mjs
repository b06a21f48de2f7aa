// What is measured, with whom, and what Pulsewire is to reach beside them.
//
// `figure` is a key of pulsewire-bench's JSON. `goals`: Pulsewire's figure divided by that of the named server in the
// same round, at least (or, where less is better, at most) so much, or {least} or {most}. `bounds` are absolute. `server`:
// with what it is started, as start() in servers.mjs takes it.

const everybody = ['limit', 'uwebsockets', 'nats', 'nchan', 'centrifugo', 'ws', 'socket.io'];
const deliveries = {figure: 'deliveries_per_cpu_s', title: 'deliveries per second of the server’s CPU', better: 'more'};
const latency = [
    {figure: 'p50_ms', title: 'latency, ms, half below', better: 'less'},
    {figure: 'p99_ms', title: 'latency, ms, 99 % below', better: 'less'},
];
const acknowledged = [
    {figure: 'acknowledged_per_s', title: 'acknowledged publishes per second', better: 'more'},
    {figure: 'p50_ms', title: 'until the acknowledgement, ms, half below', better: 'less'},
    {figure: 'p99_ms', title: 'until the acknowledgement, ms, 99 % below', better: 'less'},
    {figure: 'acknowledged_per_cpu_s', title: 'acknowledged publishes per second of the server’s CPU', better: 'more'},
];

// A server keeps its verdicts about more tokens than these: those of the first visit are verified, those of the second remembered.
const tokens = (algorithm) => ({
    title: `Handshakes with a token of ${algorithm}, 5,000 users, who then all come back with the same tokens`,
    arguments: ['connect'],
    peers: [],
    server: {tokens: algorithm},
    figures: [
        {figure: 'handshakes_per_cpu_s', title: 'handshakes per second of the server’s CPU, each token verified', better: 'more'},
        {figure: 'returns_per_cpu_s', title: '… each token remembered', better: 'more'},
    ],
    fixedTime: true,
});

export const scenarios = {
    fanout: {
        title: 'Fan-out: 1 publisher, 1,000 subscribers, 32 publishes in flight',
        arguments: ['fanout'],
        peers: [...everybody, 'limit-direct'],
        figures: [{...deliveries, goals: {limit: 0.9, uwebsockets: 1.1, nchan: 10, ws: 30, 'socket.io': 30}}],
    },
    'fanout-1': {
        title: 'Fan-out, one publish at a time',
        arguments: ['fanout', '--window', '1'],
        peers: everybody,
        figures: [{...deliveries, goals: {limit: 0.9, uwebsockets: 1.0}}],
    },
    'fanout-bytes': {
        title: 'Fan-out of 64 KiB of bytes in binary messages: 1 publisher, 50 subscribers, 32 publishes in flight',
        arguments: ['fanout', '--binary-payload', '--payload-bytes', '65536', '--connections', '50'],
        peers: ['limit', 'nats', 'ws', 'limit-direct'],
        // When the generator falls behind, the kernel sends on its core: then a second of the server's CPU seems to deliver more.
        figures: [{...deliveries, goals: {limit: 0.9}}, {figure: 'deliveries_per_s', title: 'deliveries per second', better: 'more', goals: {limit: 0.9}}],
    },
    latency: {
        title: 'Latency at 100,000 deliveries/s offered, 1,000 subscribers',
        arguments: ['rate', '--rate', '100000'],
        peers: everybody,
        figures: latency.map((one) => ({...one, goals: {uwebsockets: 1.0}})),
    },
    overload: {
        title: 'Holding 400,000 deliveries/s offered, 1,000 subscribers',
        arguments: ['rate', '--rate', '400000'],
        peers: everybody,
        figures: [
            {figure: 'deliveries_per_s', title: 'deliveries per second', better: 'more', bounds: {least: 396_000}},
            latency[0],
            {...latency[1], bounds: {most: 100}},
        ],
    },
    rooms: {
        title: '500 rooms of 2, publishers over WebSocket',
        arguments: ['rooms'],
        peers: everybody,
        figures: [{...deliveries, goals: {uwebsockets: 1.0, nchan: 2}}],
    },
    sse: {
        title: 'Server-sent events: 1,000 subscribers, 8 HTTP publishers',
        arguments: ['sse'],
        peers: ['limit', 'nchan'],
        figures: [{...deliveries, goals: {limit: 0.7, nchan: 5}}],
    },
    idle: {
        title: 'Idle: 10,000 subscribed WebSockets',
        arguments: ['idle', '--seconds', '0.5'],
        peers: everybody,
        figures: [{figure: 'rss_per_connection_bytes', title: 'memory of each, bytes', better: 'less', bounds: {most: 2048}}],
        fixedTime: true,
    },
    'idle-sse': {
        title: 'Idle: 10,000 subscribed event streams',
        arguments: ['idle', '--sse', '--seconds', '0.5'],
        peers: ['limit', 'nchan'],
        figures: [{figure: 'rss_per_connection_bytes', title: 'memory of each, bytes', better: 'less', bounds: {most: 2048}}],
        fixedTime: true,
    },
    connect: {
        title: 'Handshakes until subscribed, 5,000 of them',
        arguments: ['connect'],
        peers: everybody,
        figures: [{figure: 'handshakes_per_cpu_s', title: 'handshakes per second of the server’s CPU', better: 'more', bounds: {least: 20_000}}],
        fixedTime: true,
    },
    'connect-tls': {
        title: 'Full TLS handshakes until subscribed, 5,000 of them, with a certificate of ECDSA P-256 and of RSA 2048',
        arguments: ['connect'],
        peers: ['pulsewire-rsa'],
        server: {tls: true},
        figures: [
            {figure: 'handshakes_per_cpu_s', title: 'handshakes per second of the server’s CPU', better: 'more', bounds: {least: 1_000}},
            {figure: 'handshakes_per_s', title: '… per second; the load generator’s half of each costs as much', better: 'more'},
        ],
        fixedTime: true,
    },
    'connect-hs256': tokens('HS256'),
    'connect-es256': tokens('ES256'),
    'storm-tokens': {
        title: 'Storm of tokens: 15,000 users lose their connections and come back, with tokens of ES256',
        arguments: ['connect', '--connections', '15000'],
        peers: [],
        server: {tokens: 'ES256'},
        figures: [
            {figure: 'returns_cpu_seconds', title: 'seconds of the server’s CPU until all are back', better: 'less', bounds: {most: 2}},
            {figure: 'returns_seconds', title: 'seconds', better: 'less'},
        ],
        fixedTime: true,
    },
    'idle-tls': {
        title: 'Idle: 10,000 subscribed WebSockets over TLS',
        arguments: ['idle', '--seconds', '0.5'],
        peers: [],
        server: {tls: true},
        figures: [{figure: 'rss_per_connection_bytes', title: 'memory of each, bytes', better: 'less'}],
        fixedTime: true,
    },
    'fanout-tls': {
        title: 'Fan-out over TLS: 1 publisher, 1,000 subscribers, 32 publishes in flight, each connection encrypted by itself',
        arguments: ['fanout'],
        peers: [],
        server: {tls: true},
        figures: [deliveries],
    },
    storm: {
        title: 'Storm: 1,000 lose their connections, come back at once and recover the same 100 messages',
        arguments: ['storm'],
        peers: [],
        figures: [
            {figure: 'recoveries_per_cpu_s', title: 'recoveries per second of the server’s CPU', better: 'more'},
            {figure: 'seconds', title: 'seconds until everybody has everything', better: 'less'},
        ],
        fixedTime: true,
    },
    channels: {
        title: '100,000 channels, 10,000 on each connection',
        arguments: ['channels'],
        peers: [],
        figures: [
            {figure: 'subscribe_first_per_cpu_s', title: 'subscribes per second of the server’s CPU, the first tenth', better: 'more'},
            {figure: 'subscribe_rest_per_cpu_s', title: '… the rest', better: 'more'},
            {figure: 'publish_per_cpu_s', title: 'publishes, one into each channel', better: 'more'},
            {figure: 'unsubscribe_per_cpu_s', title: 'unsubscribes', better: 'more'},
            {figure: 'rss_per_channel_bytes', title: 'memory of a subscribed channel, bytes', better: 'less'},
        ],
        fixedTime: true,
    },
    durable: {
        title: 'Durable: 1 publisher, each publish waits until the one before is synced and acknowledged',
        arguments: ['publish'],
        peers: ['pulsewire-memory'],
        server: {durable: true},
        figures: acknowledged,
    },
    'durable-64': {
        title: 'Durable: 64 publishers, so that many publishes go with one sync',
        arguments: ['publish', '--publishers', '64'],
        peers: ['pulsewire-memory'],
        server: {durable: true},
        figures: acknowledged,
    },
    threads: {
        title: 'Fan-out with one and with two event loops, each on a quarter of a core, which leaves the load generator room',
        arguments: ['fanout'],
        peers: ['pulsewire-2'],
        server: {share: 0.25},
        // 1.7 times as much with two loops.
        figures: [{figure: 'deliveries_per_s', title: 'deliveries per second', better: 'more', goals: {'pulsewire-2': {most: 1 / 1.7}}}, deliveries],
    },
    deflate: {
        title: 'Fan-out of 1 KiB of JSON, compressed (permessage-deflate without context takeover)',
        arguments: ['fanout', '--deflate', '--json-payload', '--payload-bytes', '1024'],
        peers: ['limit', 'uwebsockets', 'ws'],
        server: {deflate: true},
        figures: [{...deliveries, goals: {limit: 0.5, uwebsockets: 20}}],
    },
    load: {
        title: 'Deliveries and latency against offered load, 1,000 subscribers',
        arguments: ['rate', '--drain', '2'],
        peers: everybody,
        // Deliveries offered per second. A server that delivers less than `heldShare` of a step gets no further one.
        rates: [50_000, 100_000, 200_000, 400_000, 800_000, 1_600_000, 3_200_000],
        heldShare: 0.6,
    },
};
