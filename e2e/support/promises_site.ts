// The site of the page that checks the SDK's promises by itself (promises/): serves it and the package, does to the server and
// to the network what a page cannot do, and takes the results.

import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import {existsSync, readFileSync} from 'node:fs';
import type {AddressInfo} from 'node:net';
import {basename, dirname, extname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import type {FaultProxy} from './fault_proxy.ts';
import {publish} from './http.ts';
import type {PulsewireServer} from './server.ts';

const pages = fileURLToPath(new URL('../promises/', import.meta.url));
const sdk = dirname(fileURLToPath(import.meta.resolve('pulsewire')));
const types: Record<string, string> = {'.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm'};

export interface Promised {
    name: string;
    ms: number;
    fault?: string;
}

export class PromisesSite {
    readonly results: Promised[] = [];
    /** When the page has come to its end; whether the browser had kept it while another was shown. */
    readonly ended: Promise<{persisted: boolean}>;
    readonly #server: PulsewireServer;
    readonly #network: FaultProxy;
    readonly #listener = createServer((request, response) => void this.#answer(request, response));
    /** Paths that were asked for, and who waits for one. */
    readonly #asked = new Set<string>();
    #wake: (() => void)[] = [];
    #end: (end: {persisted: boolean}) => void = () => {};

    private constructor(server: PulsewireServer, network: FaultProxy) {
        this.#server = server;
        this.#network = network;
        this.ended = new Promise((end) => { this.#end = end; });
    }

    static async start(server: PulsewireServer, network: FaultProxy): Promise<PromisesSite> {
        const site = new PromisesSite(server, network);
        await new Promise<void>((listening) => site.#listener.listen(0, '127.0.0.1', listening));
        return site;
    }

    get url(): string {
        return `http://127.0.0.1:${(this.#listener.address() as AddressInfo).port}/`;
    }

    async stop(): Promise<void> {
        this.#listener.closeAllConnections();
        await new Promise((closed) => this.#listener.close(closed));
    }

    async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
        const {pathname} = new URL(request.url!, this.url);
        const [, folder, rest = ''] = pathname.split('/');
        this.#asked.add(pathname);
        for (const wake of this.#wake.splice(0)) wake();
        if (pathname === '/addresses') return send(response, {direct: this.#server.origin, behindFaults: this.#network.origin});
        if (pathname === '/result') {
            this.results.push(JSON.parse(await textOf(request)));
            return send(response, {});
        }
        if (pathname === '/end') {
            this.#end(JSON.parse(await textOf(request)));
            return send(response, {});
        }
        if (folder === 'do') {
            await this.#do(decodeURIComponent(rest)).then(() => send(response, {}), (error) => response.writeHead(500).end(String(error)));
            return;
        }
        if (pathname.startsWith('/nothing-')) return void response.writeHead(204).end();
        if (pathname.startsWith('/never-')) return;  // a navigation that is stopped
        if (pathname.startsWith('/file-')) {
            return void response.writeHead(200, {'content-type': 'application/octet-stream', 'content-disposition': 'attachment; filename=x.bin'}).end('x');
        }
        const path = folder === 'sdk' ? join(sdk, basename(rest)) : join(pages, basename(pathname) || 'index.html');
        const file = extname(path) ? path : `${path}.html`;
        if (!existsSync(file)) return void response.writeHead(404).end();
        const policy = pathname === '/strict' ? {'content-security-policy': "script-src 'self'"} : {};
        response.writeHead(200, {'content-type': types[extname(file)] ?? 'text/plain', ...policy}).end(readFileSync(file));
    }

    async #do(action: string): Promise<void> {
        const [verb = '', detail = ''] = action.split(/-(.*)/s);
        if (verb === 'kill') return this.#server.kill9();
        if (verb === 'start') return this.#server.restart();
        if (verb === 'cut') return this.#network.cut();
        if (verb === 'heal') return this.#network.heal();
        if (verb === 'hinder') return this.#network.hinderWebSockets('forbidden');
        if (verb === 'await') {
            while (!this.#asked.has(`/${detail}`)) await new Promise<void>((wake) => this.#wake.push(wake));
            return;
        }
        // publish-CHANNEL-N: the numbers that follow what is there, up to N
        const [channel = '', last] = detail.split(/-(\d+)$/);
        if (verb !== 'publish' || !last) throw new Error(`no such action: ${action}`);
        for (let number = this.#published + 1; number <= Number(last); number += 1) await publish(this.#server.origin, channel, number, {type: 'number'});
        this.#published = Number(last);
    }

    #published = 0;
}

const send = (response: ServerResponse, answer: object): void =>
    void response.writeHead(200, {'content-type': 'application/json', 'cache-control': 'no-cache'}).end(JSON.stringify(answer));

async function textOf(request: IncomingMessage): Promise<string> {
    let text = '';
    for await (const part of request.setEncoding('utf8')) text += part;
    return text;
}
