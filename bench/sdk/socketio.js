// socket.io-client keeps the WebSocket class that it finds when it is loaded: one that is whichever was chosen last.

let chosen;
class ChosenSocket {
    constructor(...how) {
        return new chosen(...how);
    }
}

/** Its io(), which connects with this class from now on. */
export async function socketioOver(WebSocket) {
    chosen = WebSocket;
    const real = globalThis.WebSocket;
    globalThis.WebSocket = ChosenSocket;
    const {io} = await import('socket.io-client');
    globalThis.WebSocket = real;
    return io;
}
