// A room server as one writes it with Socket.IO.

import {createServer} from 'node:http';
import {Server} from 'socket.io';

const http = createServer();
const io = new Server(http, {transports: ['websocket'], perMessageDeflate: false});

io.on('connection', (socket) => {
    socket.on('subscribe', (room, done) => {
        socket.join(room);
        done();
    });
    socket.on('publish', (room, data) => {
        io.to(room).emit('message', data);
    });
});

http.listen({host: '127.0.0.1', port: 0, backlog: 4096}, () => {
    console.log(`listening on http://127.0.0.1:${http.address().port}`);
});
