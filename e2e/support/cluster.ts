// Several servers that share a real Redis, behind a real HAProxy or nginx that knows nothing of sessions.

import {execFileSync, spawn, type ChildProcess} from 'node:child_process';
import {createConnection} from 'node:net';
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {request} from './http.ts';
import {PulsewireServer, steadyPort, type ServerOptions} from './server.ts';
import {soon} from './soon.ts';

/** The sentence why these tests cannot run here; undefined where they can. */
export function missingFor(...programs: string[]): string | undefined {
    const absent = programs.filter((program) => {
        try {
            execFileSync('sh', ['-c', `PATH=$PATH:/usr/sbin command -v ${program}`]);
            return false;
        } catch {
            return true;
        }
    });
    return absent.length ? `not installed: ${absent.join(', ')} (script/bootstrap installs them)` : undefined;
}

/** A program that listens on a port of its own and ends with the test. */
class Daemon {
    readonly port: number;
    readonly #command: (port: number) => string[];
    #process: ChildProcess | undefined;
    #log = '';

    constructor(port: number, command: (port: number) => string[]) {
        this.port = port;
        this.#command = command;
    }

    async start(): Promise<void> {
        const [program, ...args] = this.#command(this.port);
        const child = spawn(program!, args, {
            stdio: ['ignore', 'pipe', 'pipe'], env: {...process.env, PATH: `${process.env.PATH}:/usr/sbin`},
        });
        for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { this.#log += text; });
        const reap = () => child.kill('SIGKILL');
        process.once('exit', reap);
        child.once('exit', () => process.removeListener('exit', reap));
        await new Promise((spawned, failed) => child.once('spawn', spawned).once('error', failed));
        this.#process = child;
        const listens = async (): Promise<void> => {
            for (;;) {
                if (child.exitCode !== null) throw new Error(`${program} ended at its start: ${this.#log}`);
                const connected = await new Promise<boolean>((done) => {
                    const socket = createConnection({port: this.port, host: '127.0.0.1'});
                    socket.once('connect', () => done(true)).once('error', () => done(false)).once('connect', () => socket.destroy());
                });
                if (connected) return;
                await new Promise<void>((tick) => setImmediate(tick));
            }
        };
        await soon(listens(), () => `${program} that listens: ${this.#log}`);
    }

    signal(signal: NodeJS.Signals): void {
        this.#process?.kill(signal);
    }

    async kill9(): Promise<void> {
        const child = this.#process;
        if (!child || child.exitCode !== null || child.signalCode) return;
        const ended = new Promise((done) => child.once('exit', done));
        child.kill('SIGKILL');
        await soon(ended, 'end');
    }
}

export type ProxyKind = 'haproxy' | 'nginx';

function proxyCommand(kind: ProxyKind, folder: string, ports: readonly number[]): (port: number) => string[] {
    const file = join(folder, `${kind}.conf`);
    return (port) => {
        const servers = ports.map((each, i) => (kind === 'haproxy'
            ? `    server s${i} 127.0.0.1:${each} check inter 200ms fall 1 rise 1`
            : `        server 127.0.0.1:${each} max_fails=1 fail_timeout=1s;`)).join('\n');
        writeFileSync(file, kind === 'haproxy' ? `
global
    maxconn 2000
defaults
    mode http
    timeout connect 1s
    timeout client 1h
    timeout server 1h
    timeout tunnel 1h
    retries 3
    option redispatch
    retry-on conn-failure
frontend all
    bind 127.0.0.1:${port}
    default_backend nodes
backend nodes
    balance roundrobin
    option httpchk GET /readyz
${servers}
` : `
worker_processes 1;
daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { worker_connections 2000; }
http {
    access_log off;
    client_body_temp_path ${folder}/body;
    proxy_temp_path ${folder}/proxy;
    fastcgi_temp_path ${folder}/fastcgi;
    uwsgi_temp_path ${folder}/uwsgi;
    scgi_temp_path ${folder}/scgi;
    upstream nodes {
${servers}
    }
    map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
    server {
        listen 127.0.0.1:${port};
        location / {
            proxy_pass http://nodes;
            proxy_http_version 1.1;
            proxy_set_header Host $host:$server_port;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_buffering off;
            proxy_read_timeout 1h;
            proxy_next_upstream error timeout;
        }
    }
}
`);
        return kind === 'haproxy' ? ['haproxy', '-db', '-f', file] : ['nginx', '-c', file, '-p', folder];
    };
}

export class Cluster {
    readonly nodes: PulsewireServer[] = [];
    readonly redis: Daemon;
    readonly #folder: string;
    readonly #options: ServerOptions;
    #proxy: Daemon | undefined;

    private constructor(folder: string, redis: Daemon, options: ServerOptions) {
        this.#folder = folder;
        this.redis = redis;
        this.#options = options;
    }

    /** Redis and so many servers; resolves when each counts all of them. */
    static async start(nodes: number, options: ServerOptions = {}): Promise<Cluster> {
        const folder = mkdtempSync(join(tmpdir(), 'pulsewire-cluster-'));
        mkdirSync(join(folder, 'redis'));
        const redis = new Daemon(await steadyPort(), (port) => [
            'redis-server', '--port', String(port), '--bind', '127.0.0.1', '--dir', join(folder, 'redis'), '--save', '',
            '--appendonly', 'yes', '--appendfsync', 'always',
        ]);
        await redis.start();
        const cluster = new Cluster(folder, redis, options);
        for (let i = 0; i < nodes; i += 1) await cluster.add();
        await cluster.untilAllAre(nodes);
        return cluster;
    }

    /** One more server. */
    async add(): Promise<PulsewireServer> {
        const {config, args = [], ...rest} = this.#options;
        const node = await PulsewireServer.start({
            ...rest, args: [...args, '--broker', `redis://127.0.0.1:${this.redis.port}`], ...(config ? {config} : {}),
        });
        this.nodes.push(node);
        return node;
    }

    /** A proxy before the servers that run now. Returns its origin. */
    async proxy(kind: ProxyKind): Promise<string> {
        this.#proxy = new Daemon(await steadyPort(), proxyCommand(kind, this.#folder, this.nodes.map((node) => node.port)));
        await this.#proxy.start();
        return `http://127.0.0.1:${this.#proxy.port}`;
    }

    /** Resolves when every running server is ready and counts so many as alive. */
    async untilAllAre(alive: number): Promise<void> {
        let told = '';
        const agreed = async (): Promise<void> => {
            for (;;) {
                const answers = await Promise.all(this.nodes.filter((node) => node.running).map(
                    (node) => request(`${node.origin}/api/cluster`).catch(() => undefined)));
                told = answers.map((answer) => answer?.text).join('\n');
                const all = answers.every((answer) => answer?.json.nodes === alive && answer.json.degraded === false
                    && answer.json.partitions.every((p: {serving: boolean; nodes: number}) => p.serving && p.nodes === alive));
                if (all) return;
                await new Promise<void>((tick) => setImmediate(tick));
            }
        };
        await soon(agreed(), () => `cluster of ${alive}: ${told}`, 30_000);
    }

    async stop(): Promise<void> {
        await this.#proxy?.kill9();
        for (const node of this.nodes) {
            if (node.running) await node.kill9();
            node.discard();
        }
        await this.redis.kill9();
        rmSync(this.#folder, {recursive: true, force: true});
    }
}
