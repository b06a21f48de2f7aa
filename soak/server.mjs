// The server under attack: started within its bound, watched by /proc, asked for its metrics.

import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {get} from 'node:http';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

import {observerAddress, proxy} from './places.mjs';

const startMs = 10_000;
const metricsMs = 5_000;

// What differs from the defaults: attackers come through a proxy, and clients may ask each other in one namespace.
// Environment variables PULSEWIRE_... go before it.
const config = {trusted_proxies: [proxy], namespaces: {device: {client_requests: true}}, log_level: 'warning'};

export async function startServer(program, bound) {
    const folder = mkdtempSync(join(tmpdir(), 'pulsewire-soak-'));
    const file = join(folder, 'config.json');
    writeFileSync(file, JSON.stringify(config));
    const [command, ...args] = bound.command([program, '--config', file, '--port', '0']);
    const child = spawn(command, args, {stdio: ['ignore', 'pipe', 'pipe']});
    let output = '';
    const hear = (text) => (output = (output + text).slice(-20_000));
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    const gone = once(child, 'exit');
    gone.then(() => rmSync(folder, {recursive: true, force: true}));
    for (const end = Date.now() + startMs; ;) {
        const port = /listening on http:\/\/[^:]+:(\d+)/.exec(output)?.[1];
        if (port) return new Server(child, Number(port), gone, () => output);
        if (child.exitCode !== null || Date.now() > end) {
            child.kill('SIGKILL');
            throw new Error(`${program} did not start:\n${output}`);
        }
        await new Promise((done) => setTimeout(done, 20));
    }
}

class Server {
    constructor(child, port, gone, output) {
        this.child = child;
        this.pid = child.pid;
        this.port = port;
        this.gone = gone;
        this.output = output;
    }

    // How it ended; undefined as long as it lives.
    get end() {
        return this.child.signalCode ?? this.child.exitCode ?? undefined;
    }

    // 0 when it is gone.
    residentBytes() {
        try {
            return 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1] ?? 0);
        } catch {
            return 0;
        }
    }

    // By name with labels; empty when it does not answer in time.
    metrics() {
        return new Promise((resolve) => {
            const request = get({port: this.port, host: '127.0.0.1', localAddress: observerAddress, path: '/metrics', agent: false, timeout: metricsMs}, async (response) => {
                let text = '';
                for await (const chunk of response) text += chunk;
                resolve(readMetrics(text));
            });
            request.on('timeout', () => request.destroy());
            request.on('error', () => resolve({}));
        });
    }

    async stop() {
        this.child.kill('SIGKILL');
        await this.gone;
    }
}

// The values of the Prometheus text format by name with labels, histograms apart.
export function readMetrics(text) {
    const lines = [...text.matchAll(/^([a-z_]+(?:\{[^}]*\})?) (\S+)$/gm)].filter(([, name]) => !name.includes('_bucket'));
    return Object.fromEntries(lines.map(([, name, value]) => [name, Number(value)]));
}
