// The real server as a process: started, killed, stopped, started again on the same port.

import {execFileSync, spawn, type ChildProcess} from 'node:child_process';
import {createServer} from 'node:net';
import {existsSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {request} from './http.ts';
import {soon} from './soon.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const programs = process.env.E2E_PROGRAMS ?? `${root}build/release`;
export const webRoot = process.env.E2E_WEB_ROOT ?? `${root}web/dist`;

export const programPath = (program: string): string => `${programs}/${program}`;

export interface ServerOptions {
    program?: 'pulsewire-gallery' | 'pulsewired';
    /** Beside --port and, for the gallery, --web-root. */
    args?: string[];
    env?: Record<string, string>;
    /** The content of its config file. */
    config?: object;
    /** Whether it speaks TLS, with a certificate made on the spot. */
    tls?: boolean;
}

export interface Exit {
    code: number | null;
    signal: NodeJS.Signals | null;
    afterMs: number;
}

export class PulsewireServer {
    readonly port: number;
    readonly #options: ServerOptions;
    #process: ChildProcess | undefined;
    #exit: Promise<Omit<Exit, 'afterMs'>> | undefined;
    #log = '';
    #folder: string | undefined;

    private constructor(port: number, options: ServerOptions) {
        this.port = port;
        this.#options = options;
    }

    /** Starts one on a port that stays its own through every restart; resolves when /healthz answers 200. */
    static async start(options: ServerOptions = {}): Promise<PulsewireServer> {
        const server = new PulsewireServer(await steadyPort(), options);
        await server.restart();
        return server;
    }

    /** Starts one that waits for its data folder (--standby); resolves when it says so. */
    static async standBy(options: ServerOptions): Promise<PulsewireServer> {
        const server = new PulsewireServer(await steadyPort(), options);
        await server.standByAgain();
        return server;
    }

    get origin(): string {
        return `${this.#options.tls ? 'https' : 'http'}://127.0.0.1:${this.port}`;
    }

    /** Where its certificate and its key are. */
    get tlsFiles(): {certificate: string; key: string} {
        return {certificate: join(this.#ownFolder, 'server.crt'), key: join(this.#ownFolder, 'server.key')};
    }

    /** Puts another certificate, for that name, where the server's was; resolves when new connections get it. */
    async renewCertificate(name: string): Promise<void> {
        makeCertificate(this.tlsFiles, name);
        const before = this.#log.length;
        process.kill(this.pid, 'SIGHUP');
        const said = async (): Promise<void> => {
            while (!this.#log.includes('new connections get the certificate', before)) {
                await new Promise<void>((tick) => setImmediate(tick));
            }
        };
        await soon(said(), () => `word about the certificate; it wrote:\n${this.#log}`);
    }

    get #ownFolder(): string {
        this.#folder ??= mkdtempSync(join(tmpdir(), 'pulsewire-e2e-'));
        return this.#folder;
    }

    /** Everything that all its runs wrote. */
    get log(): string {
        return this.#log;
    }

    get running(): boolean {
        return this.#process !== undefined;
    }

    get pid(): number {
        return this.#process!.pid!;
    }

    async restart(): Promise<void> {
        await this.#launch();
        await this.untilHealthy();
    }

    async standByAgain(): Promise<void> {
        const before = this.#log.length;
        const child = await this.#launch();
        const said = async (): Promise<void> => {
            while (!this.#log.includes('standing by', before)) {
                this.#mustRun(child);
                await new Promise<void>((tick) => setImmediate(tick));
            }
        };
        await soon(said(), () => `server that stands by; it wrote:\n${this.#log}`);
    }

    async untilHealthy(): Promise<void> {
        const child = this.#process!;
        const healthy = async (): Promise<void> => {
            for (;;) {
                this.#mustRun(child);
                const answer = await request(`${this.origin}/healthz`).catch(() => undefined);
                if (answer?.status === 200) return;
                await new Promise<void>((tick) => setImmediate(tick));
            }
        };
        await soon(healthy(), () => `healthy server; it wrote:\n${this.#log}`);
    }

    async #launch(): Promise<ChildProcess> {
        if (this.#process) throw new Error('the server still runs');
        const {program = 'pulsewire-gallery', args = [], env = {}, config} = this.#options;
        const all = ['--port', String(this.port), ...(program === 'pulsewire-gallery' ? ['--web-root', webRoot] : []), ...args];
        if (config) {
            const file = join(this.#ownFolder, 'config.json');
            writeFileSync(file, JSON.stringify(config));
            all.push('--config', file);
        }
        if (this.#options.tls) {
            if (!existsSync(this.tlsFiles.key)) makeCertificate(this.tlsFiles, 'localhost');
            all.push('--tls-certificate', this.tlsFiles.certificate, '--tls-key', this.tlsFiles.key);
        }
        return this.#spawn(programPath(program), all, env);
    }

    /** As a power cut would: no farewell to anybody. */
    async kill9(): Promise<void> {
        await this.#end('SIGKILL');
    }

    /** SIGTERM, as an operator or systemd would. */
    async stop(): Promise<Exit> {
        return this.#end('SIGTERM');
    }

    /** SIGTERM, without waiting for the end; `exited` tells it. */
    terminate(): {exited: Promise<Exit>} {
        return {exited: this.#end('SIGTERM')};
    }

    /** After its last run: removes what it left on disk. */
    discard(): void {
        if (this.#folder) rmSync(this.#folder, {recursive: true, force: true});
    }

    async #end(signal: NodeJS.Signals): Promise<Exit> {
        const [child, exit] = [this.#process, this.#exit];
        if (!child || !exit) throw new Error('the server does not run');
        const start = performance.now();
        child.kill(signal);
        const {code, signal: by} = await soon(exit, () => `end of the server after ${signal}; it wrote:\n${this.#log}`, 20_000);
        return {code, signal: by, afterMs: performance.now() - start};
    }

    async #spawn(path: string, args: string[], env: Record<string, string>): Promise<ChildProcess> {
        this.#log += `$ ${path} ${args.join(' ')}\n`;
        const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('PULSEWIRE_'));
        const child = spawn(path, args, {stdio: ['ignore', 'pipe', 'pipe'], env: {...Object.fromEntries(inherited), ...env}});
        for (const stream of [child.stdout, child.stderr]) {
            stream.setEncoding('utf8').on('data', (text: string) => { this.#log += text; });
        }
        this.#exit = new Promise((ended) => {
            child.once('exit', (code, signal) => {
                this.#process = undefined;
                this.#log += `(ended with ${signal ?? code})\n`;
                ended({code, signal});
            });
        });
        await new Promise((spawned, failed) => child.once('spawn', spawned).once('error', failed));
        this.#process = child;
        // A test run that dies must not leave servers behind.
        const reap = () => child.kill('SIGKILL');
        process.once('exit', reap);
        child.once('exit', () => process.removeListener('exit', reap));
        return child;
    }

    #mustRun(child: ChildProcess): void {
        if (child.exitCode !== null || child.signalCode) throw new Error(`the server ended at its start; it wrote:\n${this.#log}`);
    }
}

function makeCertificate({certificate, key}: {certificate: string; key: string}, name: string): void {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1', '-subj', `/CN=${name}`,
        '-keyout', key, '-out', certificate], {stdio: ['ignore', 'ignore', 'pipe']});
}

/** Starts a program with --port 0 and reads from its own words where it listens. */
export async function whereItListens(program: string, args: string[] = []): Promise<{url: string; stop: () => Promise<void>}> {
    const child = spawn(programPath(program), ['--port', '0', ...args], {stdio: ['ignore', 'pipe', 'pipe']});
    let log = '';
    const url = await soon(new Promise<string>((found, failed) => {
        for (const stream of [child.stdout, child.stderr]) {
            stream.setEncoding('utf8').on('data', (text: string) => {
                log += text;
                const address = /listening on (http:\/\/[\w.[\]:]+:\d+)/i.exec(log)?.[1];
                if (address) found(address);
            });
        }
        child.once('error', failed).once('exit', (code) => failed(new Error(`ended with ${code}: ${log}`)));
    }), () => `address in: ${log}`);
    return {
        url,
        async stop() {
            const ended = new Promise((done) => child.once('exit', done));
            child.kill('SIGTERM');
            await soon(ended, 'end');
        },
    };
}

// Below the range from which the kernel draws ports for outgoing connections: while the server is down nobody gets this one
// by chance. Each worker draws from a part of its own.
export async function steadyPort(): Promise<number> {
    const worker = Number(process.env.TEST_PARALLEL_INDEX ?? 0) % 8;
    for (let attempt = 0; attempt < 100; attempt += 1) {
        const port = 20_000 + worker * 1_500 + Math.floor(Math.random() * 1_500);
        if (await isFree(port)) return port;
    }
    throw new Error('no free port');
}

async function isFree(port: number): Promise<boolean> {
    const probe = createServer();
    return new Promise((answer) => {
        probe.once('error', () => answer(false));
        probe.listen(port, '127.0.0.1', () => probe.close(() => answer(true)));
    });
}
