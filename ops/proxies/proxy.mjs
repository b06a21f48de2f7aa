// Runs the recipes of this folder: a server with pulsewire.json, and a proxy with its file, in both of which only addresses,
// paths of files and the length of timeouts are others.

import {execFileSync, spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {connect} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';

import {freePort} from '../../script/free_port.mjs';

export const host = 'rt.example.com';
export const apiKey = 'a-key-for-the-tests-of-proxies';
/** The recipes' 75 s. */
export const timeoutMs = 3_000;
const startMs = 10_000;
const stepMs = 10;
const environment = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PULSEWIRE_'))), PATH: `${process.env.PATH}:/usr/sbin`,
};

export const recipe = (name) => readFileSync(new URL(name, import.meta.url), 'utf8');
export const installed = (program) => spawnSync('sh', ['-c', `command -v ${program}`], {env: environment}).status === 0;

// The text with each of these parts exchanged; a part that is not there is a recipe that the test does not know any more.
function exchanged(text, parts) {
    for (const [from, to] of parts) {
        if (!text.includes(from)) throw new Error(`the recipe has no '${from}'`);
        text = text.replaceAll(from, to);
    }
    return text;
}

// What differs: whether there is HTTP/2, over which transports silence ends a connection, the parts of the recipe that hold for
// the machine, the file around it, and how the program is started and told to read it again. `end` goes to those whose workers
// would outlive them. `below` are the parts that change where only a path of the host is Pulsewire's.
const kinds = {
    nginx: {
        recipe: 'nginx.conf',
        http2: true,
        cutsSilence: ['websocket', 'sse'],
        parts: ({folder, port, server, certificate, key}) => [
            ['listen 443', `listen 127.0.0.1:${port}`], ['127.0.0.1:8080', `127.0.0.1:${server}`], ['75s', `${timeoutMs}ms`],
            ['/etc/ssl/rt.example.com.pem', certificate], ['/etc/ssl/rt.example.com.key', key],
        ],
        below: (path) => [['location / {', `location ${path}/ {`]],
        around: ({folder}) => `worker_processes 1;
daemon off;
pid ${folder}/nginx.pid;
error_log stderr;
events { worker_connections 512; }
http {
    access_log off;
    ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join('\n    ')}
    include ${folder}/recipe;
}
`,
        command: (file, folder) => ['nginx', '-e', 'stderr', '-p', folder, '-c', file],
        reload: ({proxy}) => proxy.renewWorkers('SIGHUP'),
        end: 'SIGTERM',
    },
    haproxy: {
        recipe: 'haproxy.cfg',
        http2: true,
        cutsSilence: ['websocket', 'sse'],
        parts: ({port, server, pair}) => [
            ['bind :443', `bind 127.0.0.1:${port}`], ['127.0.0.1:8080', `127.0.0.1:${server}`], ['75s', `${timeoutMs}ms`],
            ['/etc/haproxy/rt.example.com.pem', pair],
        ],
        below: (path) => [['default_backend pulsewire', `use_backend pulsewire if { path_beg ${path}/ }`]],
        command: (file) => ['haproxy', '-W', '-db', '-f', file],
        reload: ({proxy}) => proxy.renewWorkers('SIGUSR2'),
        end: 'SIGTERM',
    },
    apache2: {
        recipe: 'apache.conf',
        http2: false,
        cutsSilence: ['sse'],
        parts: ({port, server, certificate, key}) => [
            ['*:443', `127.0.0.1:${port}`], ['127.0.0.1:8080', `127.0.0.1:${server}`], ['ProxyTimeout 75', `ProxyTimeout ${timeoutMs / 1_000}`],
            ['/etc/ssl/rt.example.com.pem', certificate], ['/etc/ssl/rt.example.com.key', key],
        ],
        below: (path) => [['ProxyPass / http://127.0.0.1:8080/', `ProxyPass ${path}/ http://127.0.0.1:8080${path}/`]],
        around: ({folder, port}) => `ServerRoot ${folder}
PidFile ${folder}/apache.pid
DefaultRuntimeDir ${folder}
ErrorLog ${folder}/error.log
ServerName localhost
Listen 127.0.0.1:${port}
${['mpm_event', 'authz_core', 'proxy', 'proxy_http', 'ssl'].map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
User www-data
Group www-data
Include ${folder}/recipe
`,
        command: (file) => ['apache2', '-D', 'FOREGROUND', '-f', file],
        reload: ({proxy}) => proxy.renewWorkers('SIGUSR1'),
        end: 'SIGTERM',
    },
    caddy: {
        recipe: 'Caddyfile',
        http2: true,
        cutsSilence: [],
        parts: ({port, server, certificate, key}) => [
            [`${host} {`, `https://${host}:${port} {\n\tbind 127.0.0.1\n\ttls ${certificate} ${key}`], ['127.0.0.1:8080', `127.0.0.1:${server}`],
        ],
        below: (path) => [['reverse_proxy ', `reverse_proxy ${path}/* `]],
        around: ({folder}) => `{
	admin unix/${folder}/admin.sock
	auto_https disable_redirects
	servers {
		protocols h1 h2
	}
}
import ${folder}/recipe
`,
        command: (file) => ['caddy', 'run', '--adapter', 'caddyfile', '--config', file],
        reload: ({folder, file, env}) => execFileSync(
            'caddy', ['reload', '--address', `unix/${folder}/admin.sock`, '--adapter', 'caddyfile', '--force', '--config', file], {env, stdio: 'pipe'}),
    },
};

export const names = Object.keys(kinds);
export const recipes = ['pulsewire.json', ...Object.values(kinds).map((kind) => kind.recipe)];
export const hasHttp2 = (name) => kinds[name].http2;
export const cutsSilence = (name, transport) => kinds[name].cutsSilence.includes(transport);

function makeCertificate(folder) {
    const files = {certificate: join(folder, 'certificate.pem'), key: join(folder, 'key.pem'), pair: join(folder, 'pair.pem')};
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1', '-subj', `/CN=${host}`,
        '-addext', `subjectAltName=DNS:${host}`, '-keyout', files.key, '-out', files.certificate], {stdio: 'pipe'});
    writeFileSync(files.pair, readFileSync(files.certificate, 'utf8') + readFileSync(files.key, 'utf8'));
    return files;
}

// A test run that dies must not leave programs behind, nor these their workers.
const running = new Set();
process.once('exit', () => { for (const child of running) child.kill('SIGTERM'); });
process.once('SIGTERM', () => process.exit(1));

class Program {
    #ended;
    log = '';

    constructor([program, ...args], env) {
        this.child = spawn(program, args, {stdio: ['ignore', 'pipe', 'pipe'], env});
        for (const stream of [this.child.stdout, this.child.stderr]) stream.setEncoding('utf8').on('data', (text) => { this.log += text; });
        this.#ended = once(this.child, 'exit');
        running.add(this.child);
        this.child.once('exit', () => running.delete(this.child));
    }

    async listens(port) {
        for (const end = Date.now() + startMs; ; await pause(stepMs)) {
            if (this.child.exitCode !== null || Date.now() > end) throw new Error(`it does not start:\n${this.log}`);
            const socket = connect({port, host: '127.0.0.1'});
            const there = await new Promise((answer) => socket.once('connect', () => answer(true)).once('error', () => answer(false)));
            socket.destroy();
            if (there) return;
        }
    }

    // Resolves when there is a worker that was not there before.
    async renewWorkers(signal) {
        const workers = () => readFileSync(`/proc/${this.child.pid}/task/${this.child.pid}/children`, 'utf8').trim().split(' ');
        const before = new Set(workers());
        this.child.kill(signal);
        for (const end = Date.now() + startMs; workers().every((worker) => before.has(worker)); await pause(stepMs)) {
            if (Date.now() > end) throw new Error(`no new worker:\n${this.log}`);
        }
    }

    async stop(signal = 'SIGKILL') {
        this.child.kill(signal);
        await this.#ended;
    }
}

/**
 * A server that runs pulsewire.json with these further settings, behind the proxy of that name; with a `base_path` only what is
 * below it goes to the server. Resolves to the port of the proxy, its certificate, reload() of the proxy, the lines of the
 * server's audit(), and stop().
 */
export async function behind(name, settings = {}) {
    const folder = mkdtempSync(join(tmpdir(), 'pulsewire-proxies-'));
    chmodSync(folder, 0o755);  // for nginx, whose workers are another user's
    const kind = kinds[name];
    const facts = {folder, port: await freePort(), server: await freePort(), ...makeCertificate(folder)};
    const [config, keys, audit] = ['pulsewire.json', 'keys', 'audit.log'].map((file) => join(folder, file));
    writeFileSync(keys, `${apiKey}\n`);
    const more = Object.entries({...settings, audit_log: audit}).map(([key, value]) => `,\n    ${JSON.stringify(key)}: ${JSON.stringify(value)}`).join('');
    writeFileSync(config, exchanged(recipe('pulsewire.json'), [['/etc/pulsewire/keys', keys], ['\n}', `${more}\n}`]]));
    const program = fileURLToPath(new URL('../../build/release/pulsewired', import.meta.url));
    const server = new Program([program, '--config', config, '--port', String(facts.server), '--threads', '1', '--log-level', 'warning'], environment);

    const text = exchanged(recipe(kind.recipe), [...(settings.base_path ? kind.below(settings.base_path) : []), ...kind.parts(facts)]);
    writeFileSync(join(folder, 'recipe'), text);
    const file = join(folder, kind.around ? 'around' : 'recipe');
    if (kind.around) writeFileSync(file, kind.around(facts));
    mkdirSync(join(folder, 'home'));
    const env = {...environment, HOME: join(folder, 'home'), XDG_CONFIG_HOME: join(folder, 'home'), XDG_DATA_HOME: join(folder, 'home')};
    const proxy = new Program(kind.command(file, folder), env);
    const stop = async () => {
        await Promise.all([proxy.stop(kind.end), server.stop()]);
        rmSync(folder, {recursive: true, force: true});
    };
    try {
        await Promise.all([server.listens(facts.server), proxy.listens(facts.port)]);
    } catch (error) {
        await stop();
        throw error;
    }
    return {
        port: facts.port,
        certificate: readFileSync(facts.certificate),
        reload: () => kind.reload({...facts, file, env, proxy}),
        audit: () => readFileSync(audit, 'utf8').trim().split('\n').map((line) => JSON.parse(line)),
        stop,
    };
}
