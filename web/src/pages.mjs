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
        name: 'chat', path: 'chat/', nav: 'Chat', shown: ['main.ts'],
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
];
