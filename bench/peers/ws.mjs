// A room server as one writes it with ws: the path names the channel, a message goes to everybody in it.

import {createServer} from 'node:http';
import {WebSocketServer} from 'ws';

const channels = new Map();
const http = createServer();
const perMessageDeflate = process.argv.includes('--deflate') &&
    {serverNoContextTakeover: true, clientNoContextTakeover: true, threshold: 0};
const sockets = new WebSocketServer({server: http, perMessageDeflate, clientTracking: false});

sockets.on('connection', (socket, request) => {
    const [, part, name] = request.url.split('/');
    if (!channels.has(name)) channels.set(name, new Set());
    const channel = channels.get(name);
    if (part !== 'pub') channel.add(socket);
    socket.on('close', () => channel.delete(socket));
    socket.on('error', () => socket.terminate());
    if (part === 'sub') return;
    socket.on('message', (data, binary) => {
        for (const other of channel) other.send(data, {binary});
    });
});

http.listen({host: '127.0.0.1', port: 0, backlog: 4096}, () => {
    console.log(`listening on http://127.0.0.1:${http.address().port}`);
});
