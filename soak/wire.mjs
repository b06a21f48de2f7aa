// Sockets of which every byte is chosen here: TCP, HTTP by hand, and a WebSocket that may also be a bad one.

import {connect} from 'node:net';

// {port, local}: `local` is the address of 127.0.0.0/8 from which the socket comes. Errors after the opening only close it.
export function openSocket({port, local = '127.0.0.1'}) {
    return new Promise((opened, failed) => {
        const socket = connect({port, host: '127.0.0.1', localAddress: local, noDelay: true});
        const give = (error) => failed(error);
        socket.once('error', give);
        socket.once('connect', () => {
            socket.off('error', give);
            socket.on('error', () => socket.destroy());
            opened(socket);
        });
    });
}

// Resolves when the system took the bytes, which is never while the other side does not read; rejects when it is gone.
export function write(socket, bytes) {
    if (socket.destroyed) return Promise.reject(new Error('closed'));
    if (socket.write(bytes)) return Promise.resolve();
    return new Promise((done, failed) => {
        const drained = () => (socket.off('close', closed), done());
        const closed = () => (socket.off('drain', drained), failed(new Error('closed')));
        socket.once('drain', drained);
        socket.once('close', closed);
    });
}

// One frame of RFC 6455 5.2. The mask is zeros, which is one of the 2^32 legal masks and leaves the payload as it is.
export function frame(payload, {opcode = 1, last = true, masked = true, reserved = 0} = {}) {
    const data = Buffer.isBuffer(payload) ? payload : Buffer.from(payload);
    const mask = masked ? 4 : 0;
    const bit = masked ? 0x80 : 0;
    const first = (last ? 0x80 : 0) | (reserved << 4) | opcode;
    let head;
    if (data.length < 126) {
        head = Buffer.alloc(2 + mask);
        head[1] = bit | data.length;
    } else if (data.length < 65_536) {
        head = Buffer.alloc(4 + mask);
        head[1] = bit | 126;
        head.writeUInt16BE(data.length, 2);
    } else {
        head = Buffer.alloc(10 + mask);
        head[1] = bit | 127;
        head.writeBigUInt64BE(BigInt(data.length), 2);
    }
    head[0] = first;
    return Buffer.concat([head, data]);
}

// Takes the bytes of unmasked frames in pieces of any size, and returns the frames that are complete.
export class FrameReader {
    #rest = Buffer.alloc(0);

    take(chunk) {
        let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
        const frames = [];
        for (;;) {
            if (bytes.length < 2) break;
            let length = bytes[1] & 127;
            let at = 2;
            if (length === 126) {
                if (bytes.length < 4) break;
                length = bytes.readUInt16BE(2);
                at = 4;
            } else if (length === 127) {
                if (bytes.length < 10) break;
                length = Number(bytes.readBigUInt64BE(2));
                at = 10;
            }
            if (bytes.length < at + length) break;
            frames.push({opcode: bytes[0] & 15, payload: bytes.subarray(at, at + length)});
            bytes = bytes.subarray(at + length);
        }
        this.#rest = bytes;
        return frames;
    }
}

// The head of a request. `forwarded`: the client's address as a trusted proxy would name it.
export function requestHead({method = 'GET', path, port, forwarded, fields = {}}) {
    const all = {Host: `127.0.0.1:${port}`, ...(forwarded ? {'X-Forwarded-For': forwarded} : {}), ...fields};
    return `${method} ${path} HTTP/1.1\r\n${Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

// A WebSocket after its handshake. `onLine(line)` gets each line of a text message; `closed` resolves with the code.
export class Wire {
    onLine = () => {};
    #reader = new FrameReader();
    #code = 1006;
    #reads = true;

    // As for openSocket() and requestHead(). Throws when the server answers anything but 101, with its status in `.status`.
    static async open({port, local, forwarded, path = '/ws', protocol = 'pulsewire.v1', fields = {}}) {
        const socket = await openSocket({port, local});
        socket.write(requestHead({path, port, forwarded, fields: {
            Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'c29hayBzb2FrIHNvYWsgcw==',
            ...(protocol ? {'Sec-WebSocket-Protocol': protocol} : {}), ...fields,
        }}));
        const {status, rest} = await readHead(socket);
        if (status !== 101) {
            socket.destroy();
            throw Object.assign(new Error(`answered ${status}`), {status});
        }
        return new Wire(socket, rest);
    }

    constructor(socket, rest) {
        this.socket = socket;
        this.closed = new Promise((resolve) => socket.on('close', () => resolve(this.#code)));
        const take = (chunk) => this.#reader.take(chunk).forEach((one) => this.#handle(one));
        // After the caller had its turn to set onLine.
        setImmediate(() => {
            if (rest.length !== 0) take(rest);
            socket.on('data', take);
            if (this.#reads) socket.resume();
        });
    }

    #handle({opcode, payload}) {
        if (opcode === 1) {
            for (const line of payload.toString().split('\n')) if (line) this.onLine(line);
        } else if (opcode === 9 && !this.socket.destroyed) {
            this.socket.write(frame(payload, {opcode: 10}));
        } else if (opcode === 8) {
            if (payload.length >= 2) this.#code = payload.readUInt16BE(0);
            this.socket.end();
        }
    }

    get open() {
        return !this.socket.destroyed;
    }

    text(text) {
        return write(this.socket, frame(text));
    }

    send(command) {
        return this.text(JSON.stringify(command));
    }

    raw(bytes) {
        return write(this.socket, bytes);
    }

    // The kernel's buffers fill up from now on.
    stopReading() {
        this.#reads = false;
        this.socket.pause();
    }

    goOnReading() {
        this.#reads = true;
        this.socket.resume();
    }

    end() {
        this.socket.destroy();
    }
}

// {status, rest}: of the answer whose head comes next, and the bytes that came with it. The socket is paused after it.
export function readHead(socket) {
    return new Promise((resolve, reject) => {
        let bytes = Buffer.alloc(0);
        const stop = () => {
            socket.off('data', take);
            socket.off('close', gone);
        };
        const gone = () => (stop(), reject(new Error('closed')));
        const take = (chunk) => {
            bytes = Buffer.concat([bytes, chunk]);
            const end = bytes.indexOf('\r\n\r\n');
            if (end === -1) return;
            stop();
            socket.pause();
            resolve({status: Number(bytes.toString('latin1', 9, 12)), rest: bytes.subarray(end + 4)});
        };
        socket.on('data', take);
        socket.on('close', gone);
    });
}
