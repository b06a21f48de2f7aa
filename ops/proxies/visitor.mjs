// A visitor of the host behind the proxy, as a browser would be one, from an address of 127.0.0.0/8: the name leads to the
// proxy, its certificate is checked, and each request says which page it comes from.

import {once} from 'node:events';
import {connect as connectHttp2} from 'node:http2';
import {Agent, request as httpsRequest} from 'node:https';
import {Readable} from 'node:stream';
import {connect as connectTls} from 'node:tls';
import {WebSocket} from 'ws';

import {apiKey, host} from './proxy.mjs';

export class Visitor {
    #way;
    #agent = new Agent({keepAlive: true});
    #sessions = [];

    constructor({port, certificate}, {address = '127.0.0.2', fields = {}} = {}) {
        this.port = port;
        this.origin = `https://${host}:${port}`;
        const lookup = (_, {all}, answer) => (all ? answer(null, [{address: '127.0.0.1', family: 4}]) : answer(null, '127.0.0.1', 4));
        this.#way = {ca: certificate, lookup, localAddress: address, headers: {origin: this.origin, ...fields}};
        const visitor = this;
        const way = this.#way;
        /** What connect() takes instead of the environment's. */
        this.environment = {
            WebSocket: class extends WebSocket {
                constructor(url, protocols) {
                    super(url, protocols, way);
                }
            },
            EventSource: class {
                readyState = 0;
                onmessage = null;
                onerror = null;
                #stop = new AbortController();

                constructor(url) {
                    this.#read(url).catch(() => {}).then(() => {
                        this.readyState = 2;
                        this.onerror?.({});
                    });
                }

                async #read(url) {
                    for await (const event of visitor.events(url, this.#stop.signal)) this.onmessage?.(event);
                }

                close() {
                    this.#stop.abort();
                }
            },
            fetch: async (url, init) => {
                const answer = await this.request(url, init);
                const body = [204, 304].includes(answer.statusCode) ? null : Readable.toWeb(answer);
                return new Response(body, {status: answer.statusCode, headers: Object.entries(answer.headers)});
            },
        };
    }

    /** The answer, as node:http has it, when its head is there. `where` is a URL or a path. */
    request(where, {method = 'GET', headers = {}, body, signal} = {}) {
        return new Promise((answered, failed) => {
            const request = httpsRequest(new URL(where, this.origin), {
                ...this.#way, agent: this.#agent, method, signal: signal ?? undefined, headers: {...this.#way.headers, ...headers},
            }, answered);
            request.on('error', failed).end(body);
        });
    }

    /** The events of a stream, as they arrive. */
    async * events(where, signal) {
        const answer = await this.request(where, {signal, headers: {accept: 'text/event-stream'}});
        if (answer.statusCode !== 200) throw new Error(`${where} was answered by ${answer.statusCode}`);
        let rest = '';
        for await (const text of answer.setEncoding('utf8')) {
            const blocks = (rest + text).split('\n\n');
            rest = blocks.pop();
            for (const block of blocks) {
                const values = (name) => [...block.matchAll(new RegExp(`^${name}: ?(.*)$`, 'gm'))].map(([, value]) => value).join('\n');
                yield {type: values('event') || 'message', data: values('data')};
            }
        }
    }

    /** A publish over the HTTP API; resolves to its status and answer. */
    async publish(channel, payload, {key, prefix = '', secret = apiKey} = {}) {
        const answer = await this.request(`${prefix}/api/channels/${channel}/messages`, {
            method: 'POST', headers: {authorization: `Bearer ${secret}`}, body: JSON.stringify({type: 'message', payload, key}),
        });
        let text = '';
        for await (const part of answer.setEncoding('utf8')) text += part;
        return {status: answer.statusCode, text};
    }

    /** One HTTP/2 connection, with the settings of the proxy; requests take its name from the field `:authority`. */
    async http2() {
        const {ca, localAddress} = this.#way;
        const socket = connectTls({port: this.port, host: '127.0.0.1', servername: host, ca, localAddress, ALPNProtocols: ['h2']});
        await once(socket, 'secureConnect');
        if (socket.alpnProtocol !== 'h2') throw new Error('the proxy speaks no HTTP/2');
        const session = connectHttp2(this.origin, {createConnection: () => socket});
        this.#sessions.push(session);
        await once(session, 'remoteSettings');
        return session;
    }

    leave() {
        this.#agent.destroy();
        for (const session of this.#sessions) session.destroy();
    }
}
