// The pages: where they are, what they are called, and which of their files are shown at their end.

export const pages = [
    {
        name: 'gallery', path: '', nav: undefined,
        title: 'Pulsewire: real-time messaging for the web',
        description: 'Typed messages between a C++ server and the browser, over WebSocket or Server-Sent Events, without silent gaps.',
    },
    {
        name: 'classic', path: 'classic/', nav: 'Classic', shown: ['main.ts', 'plain.ts'],
        title: 'Classic · Pulsewire',
        description: 'The two first programs of real-time: a WebSocket echo and a Server-Sent Events clock, with and without the SDK.',
    },
    {
        name: 'chat', path: 'chat/', nav: 'Chat', shown: ['main.ts', 'account.ts'],
        title: 'Chat · Pulsewire',
        description: 'Rooms, presence, history, typing hints, and messages that wait for the network.',
    },
    {
        name: 'ticker', path: 'ticker/', nav: 'Ticker', shown: ['main.ts'],
        title: 'Ticker · Pulsewire',
        description: 'Live prices with latency, and a transport that changes without a gap.',
    },
    {
        name: 'notifications', path: 'notifications/', nav: 'Notifications', shown: ['main.ts'],
        title: 'Notifications · Pulsewire',
        description: 'Notifications for everybody, and long jobs whose progress everybody sees.',
    },
    {
        name: 'lose', path: 'lose/', nav: 'Lose a message', shown: ['main.ts', 'ledger.ts'],
        title: 'Try to lose a message · Pulsewire',
        description: 'Cut, stall, kill the server, reload: two lists are compared, and nothing is missing.',
    },
    {
        name: 'ai', path: 'ai/', nav: undefined, shown: ['main.ts', 'visitor.ts'],
        title: 'AI chat · Pulsewire',
        description: 'A reply that grows: late comers have all of it, a pulled plug costs nothing, and anybody stops it.',
    },
    {
        name: 'document', path: 'document/', nav: undefined, shown: ['main.ts', 'binding.ts'],
        title: 'Shared document · Pulsewire',
        description: 'Two editors of one text, each with a plug to pull: what is written offline is merged, and undo takes back one’s own.',
    },
    {
        name: 'whiteboard', path: 'whiteboard/', nav: undefined, shown: ['main.ts', 'board.ts'],
        title: 'Whiteboard · Pulsewire',
        description: 'Drawing together: live pointers, undo of your own strokes, and a board that late comers see whole.',
    },
    {
        name: 'device', path: 'device/', nav: undefined, shown: ['lamp.ts', 'dashboard.ts'],
        title: 'Device control · Pulsewire',
        description: 'A lamp and its dashboard: requests between clients, presence, and the last word of a device that is gone.',
    },
    {
        name: 'drop', path: 'drop/', nav: undefined, shown: ['main.ts', 'parts.ts'],
        title: 'File drop · Pulsewire',
        description: 'Files as bytes: in parts, with progress, and whole for whoever comes late.',
    },
    {
        name: 'game', path: 'game/', nav: undefined, shown: ['main.ts', 'interpolation.ts'],
        title: 'Lights, a game · Pulsewire',
        description: 'A game whose server decides, at twenty ticks a second, even where the network has jitter.',
    },
    {
        name: 'dashboard', path: 'dashboard/', nav: undefined, shown: ['main.ts'],
        title: 'Live dashboard · Pulsewire',
        description: 'The metrics of this server, as it says them itself once a second.',
    },
    {
        name: 'playground', path: 'playground/', nav: undefined, shown: ['main.ts'],
        title: 'Playground · Pulsewire',
        description: 'A server, two clients and the network between them, all in one page: cut, stall, restart, and watch each frame.',
    },
    {
        name: 'news', path: 'news/', nav: undefined, shown: ['main.ts'],
        title: 'News and scores · Pulsewire',
        description: 'A page with nothing but the browser’s own EventSource, which misses nothing either.',
    },
];

/** The documents of the repository that are shown below /docs/: their file, and what they are called there. */
export const documents = [
    {name: '', file: 'README.md', nav: 'Overview', title: 'Documentation · Pulsewire', description: 'What Pulsewire is, and how to begin.'},
    {name: 'sdk', file: 'docs/sdk.md', nav: 'Browser SDK', title: 'Browser SDK · Pulsewire', description: 'Channels, publishing, states, transports, presence, errors, bundlers.'},
    {name: 'frameworks', file: 'docs/frameworks.md', nav: 'Frameworks', title: 'Frameworks · Pulsewire', description: 'React, Vue, Svelte, Solid, Angular, Next.js: one chat in each; development servers.'},
    {name: 'state', file: 'docs/state.md', nav: 'State', title: 'State · Pulsewire', description: 'Boards, maps and documents that those who come late have whole: a snapshot, and everything after it.'},
    {name: 'ai', file: 'docs/ai.md', nav: 'Replies that grow', title: 'Replies that grow · Pulsewire', description: 'What a model writes, piece by piece: late readers have all of it, and anybody stops it from anywhere.'},
    {name: 'test-server', file: 'docs/test-server.md', nav: 'Test server', title: 'Test server · Pulsewire', description: 'Tests of applications without a server: outages, restarts and refusals in virtual time.'},
    {name: 'where-it-runs', file: 'docs/where-it-runs.md', nav: 'Where it runs', title: 'Where it runs · Pulsewire', description: 'Browsers, workers, Node, Deno, Bun, React Native, edge runtimes, and what each of them needs.'},
    {name: 'cpp', file: 'docs/cpp.md', nav: 'C++ library', title: 'C++ library · Pulsewire', description: 'Typed messages, handlers, requests, timers.'},
    {name: 'schemas', file: 'docs/schemas.md', nav: 'Schemas', title: 'Schemas · Pulsewire', description: 'Payloads are checked against JSON Schema, without C++.'},
    {name: 'auth', file: 'docs/auth.md', nav: 'Signing in', title: 'Signing in · Pulsewire', description: 'Who may do what: tokens of a backend or an identity provider.'},
    {name: 'auth-recipes', file: 'docs/auth-recipes.md', nav: 'Recipes for tokens', title: 'Recipes for tokens · Pulsewire', description: 'Providers like Auth0 and Keycloak; Next.js, Django, Rails, Laravel.'},
    {name: 'operating', file: 'docs/operating.md', nav: 'Running a server', title: 'Running a server · Pulsewire', description: 'Configuration, limits, TLS, proxies, metrics.'},
    {name: 'cluster', file: 'docs/cluster.md', nav: 'Several servers', title: 'Several servers · Pulsewire', description: 'Servers that share Redis, NATS or Kafka: what is promised, what happens when something fails.'},
    {name: 'feeds', file: 'docs/feeds.md', nav: 'Feeds', title: 'Feeds · Pulsewire', description: 'Records that other systems write into Redis, NATS or Kafka become messages of channels.'},
    {name: 'streams', file: 'docs/streams.md', nav: 'Streams', title: 'Streams · Pulsewire', description: 'Durable Streams: logs by plain HTTP, from curl or ten client libraries.'},
    {name: 'security', file: 'docs/security.md', nav: 'Security', title: 'Security · Pulsewire', description: 'Who can do what, which setting changes it, and what was tried.'},
    {name: 'performance', file: 'docs/performance.md', nav: 'Numbers', title: 'Numbers · Pulsewire', description: 'How fast Pulsewire is, and how that was measured.'},
    {name: 'compare', file: 'docs/compare.md', nav: 'Beside others', title: 'Beside others · Pulsewire', description: 'When to take Socket.IO, Centrifugo, Mercure, Ably or uWebSockets, and when Pulsewire.'},
    {name: 'migrating', file: 'docs/migrating.md', nav: 'Moving here', title: 'Moving here · Pulsewire', description: 'From Socket.IO and from centrifuge-js, concept by concept.'},
    {name: 'protocol', file: 'docs/protocol.md', nav: 'Protocol', title: 'Protocol · Pulsewire', description: 'The protocol pulsewire.v1, normative.'},
];
