// Speaks Centrifugo's JSON protocol to centrifuge-js, as far as a subscriber needs it. This is not Centrifugo: it shows
// what its client costs, not what its server does.
//
// POST /publish/CHANNEL, one JSON text per line, publishes these and is answered when they are on their way. What is
// published together leaves together, at most `perFrame` in a frame.

import {createServer} from 'node:http';
import {WebSocketServer} from 'ws';

const perFrame = 64;
const http = createServer(async (request, response) => {
    const name = request.url.split('/')[2];
    let body = '';
    for await (const part of request) body += part;
    const channel = channelOf(name);
    const pushes = body.split('\n').map((data) => `{"push":{"channel":"${name}","pub":{"data":${data},"offset":${++channel.offset}}}}`);
    for (let at = 0; at < pushes.length; at += perFrame) {
        const frame = pushes.slice(at, at + perFrame).join('\n');
        await Promise.all([...channel.subscribers].map((socket) => new Promise((sent) => socket.send(frame, sent))));
    }
    response.end();
});

const channels = new Map();
function channelOf(name) {
    if (!channels.has(name)) channels.set(name, {offset: 0, subscribers: new Set()});
    return channels.get(name);
}

new WebSocketServer({server: http}).on('connection', (socket) => {
    socket.on('message', (data) => {
        const replies = [];
        for (const line of String(data).split('\n')) {
            const {id, connect, subscribe} = JSON.parse(line);
            if (connect) replies.push({id, connect: {client: 'x', version: '6', ping: 25, pong: true}});
            if (!subscribe) continue;
            const {offset, subscribers} = channelOf(subscribe.channel);
            subscribers.add(socket);
            socket.on('close', () => subscribers.delete(socket));
            replies.push({id, subscribe: {recoverable: true, positioned: true, epoch: 'e1', offset}});
        }
        if (replies.length) socket.send(replies.map((reply) => JSON.stringify(reply)).join('\n'));
    });
});

http.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${http.address().port}`));
