// The servers that take part: how to start each, pinned to one core, and what dialect it speaks.

import {execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync} from 'node:fs';
import {connect} from 'node:net';
import {cpus} from 'node:os';
import {fileURLToPath} from 'node:url';
import {freePort} from '../script/free_port.mjs';
import {makeTokens} from './tokens.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = `${root}build/bench`;
const startMs = 10_000;

const built = (name) => `${root}build/release/${name}`;
const fromEnvironment = (name) => {
    const path = process.env[name];
    return path && existsSync(path) ? path : undefined;
};
const inPath = (...paths) => paths.find((path) => existsSync(path));
const npmVersion = (name) => JSON.parse(readFileSync(`${root}bench/node_modules/${name}/package.json`, 'utf8')).version;
const firstLine = (...command) => {
    try {
        return execFileSync(command[0], command.slice(1), {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']}).split('\n')[0].trim();
    } catch {
        return '';
    }
};

// Ours. One client publishes at full speed, one subscribes to 10,000 channels, one sends payloads of 64 KiB; everything
// else is as installed: history, positions, acknowledgements, presence, idempotency.
const pulsewired = ({threads = 1} = {}) => ({
    dialect: 'pulsewire',
    available: () => existsSync(built('pulsewired')),
    command: () => [built('pulsewired'), '--port', '0', '--threads', `${threads}`, '--log-level', 'warning'],
    environment: {PULSEWIRE_COMMANDS_PER_SECOND: '0', PULSEWIRE_CHANNELS_PER_CONNECTION_MAX: '20000', PULSEWIRE_MESSAGE_BYTES_MAX: '131072'},
    version: () => firstLine(built('pulsewired'), '--version'),
});

// `available`: what it takes is there. `command(port)`: the program and its arguments; `port` is a free one for those
// that cannot choose one themselves, which then have `chooses: false`. Those that choose print "listening on URL".
// `deflate`: with what it compresses. `certificate`: of what kind it shows one when TLS is measured. `keeps`: it has a
// data folder when durability is measured. `workers`: the work is done by its child processes. `package`: what brings it,
// told when it is missing.
export const servers = {
    pulsewire: {
        ...pulsewired(),
        deflate: {environment: {PULSEWIRE_WEBSOCKET_COMPRESSION: 'true'}},
        certificate: 'ecdsa',
        keeps: true,
    },
    'pulsewire-memory': pulsewired(),
    'pulsewire-rsa': {...pulsewired(), certificate: 'rsa'},
    'pulsewire-2': pulsewired({threads: 2}),
    limit: {
        dialect: 'plain',
        deflate: {arguments: ['--deflate']},
        available: () => existsSync(built('pulsewire-bench-limit')),
        command: () => [built('pulsewire-bench-limit'), '--coalesce'],
        version: () => 'bench/limit',
    },
    'limit-direct': {
        dialect: 'plain',
        available: () => existsSync(built('pulsewire-bench-limit')),
        command: () => [built('pulsewire-bench-limit'), '--direct'],
        version: () => 'bench/limit',
    },
    uwebsockets: {
        dialect: 'plain',
        deflate: {arguments: ['--deflate']},
        available: () => fromEnvironment('BENCH_UWEBSOCKETS') !== undefined,
        command: () => [fromEnvironment('BENCH_UWEBSOCKETS')],
        byHand: 'BENCH_UWEBSOCKETS=PROGRAM',
        version: () => 'built by hand',
    },
    centrifugo: {
        dialect: 'centrifugo',
        available: () => fromEnvironment('BENCH_CENTRIFUGO') !== undefined,
        chooses: false,
        command: (port) => {
            const file = `${folder}/centrifugo.json`;
            writeFileSync(file, readFileSync(`${root}bench/peers/centrifugo.json`, 'utf8').replace('"PORT"', `${port}`));
            return [fromEnvironment('BENCH_CENTRIFUGO'), '--config', file];
        },
        byHand: 'BENCH_CENTRIFUGO=PROGRAM',
        version: () => firstLine(fromEnvironment('BENCH_CENTRIFUGO'), 'version'),
    },
    nats: {
        dialect: 'nats',
        package: 'nats-server',
        available: () => inPath('/usr/sbin/nats-server', '/usr/bin/nats-server') !== undefined,
        chooses: false,
        command: (port) => {
            const file = `${folder}/nats.conf`;
            writeFileSync(file, `listen: "127.0.0.1:-1"\nwebsocket { listen: "127.0.0.1:${port}", no_tls: true }\n`);
            return [inPath('/usr/sbin/nats-server', '/usr/bin/nats-server'), '-c', file];
        },
        version: () => firstLine(inPath('/usr/sbin/nats-server', '/usr/bin/nats-server'), '--version'),
    },
    nchan: {
        dialect: 'plain',
        package: 'nginx libnginx-mod-nchan',
        available: () => existsSync('/usr/sbin/nginx') && existsSync('/usr/lib/nginx/modules/ngx_nchan_module.so'),
        chooses: false,
        workers: true,
        command: (port) => {
            const own = `${folder}/nginx`;
            mkdirSync(own, {recursive: true});
            const text = readFileSync(`${root}bench/peers/nginx.conf`, 'utf8').replaceAll('PORT', `${port}`).replaceAll('FOLDER', own);
            writeFileSync(`${own}/nginx.conf`, text);
            return ['/usr/sbin/nginx', '-e', `${own}/error.log`, '-c', `${own}/nginx.conf`];
        },
        version: () => `${firstLine('dpkg-query', '-W', '-f', '${Version}', 'libnginx-mod-nchan')} (nginx ${firstLine('dpkg-query', '-W', '-f', '${Version}', 'nginx')})`,
    },
    ws: {
        dialect: 'plain',
        deflate: {arguments: ['--deflate']},
        package: 'npm ws',
        available: () => existsSync(`${root}bench/node_modules/ws`),
        command: () => [process.execPath, `${root}bench/peers/ws.mjs`],
        version: () => `${npmVersion('ws')} (Node ${process.version})`,
    },
    'socket.io': {
        dialect: 'socket.io',
        package: 'npm socket.io',
        available: () => existsSync(`${root}bench/node_modules/socket.io`),
        command: () => [process.execPath, `${root}bench/peers/socket.io.mjs`],
        version: () => `${npmVersion('socket.io')} (Node ${process.version})`,
    },
};

async function answers(port) {
    const socket = connect(port, '127.0.0.1');
    try {
        await once(socket, 'connect');
        return true;
    } catch {
        return false;
    } finally {
        socket.destroy();
    }
}

function children(pid) {
    try {
        return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
    } catch {
        return [];
    }
}

// The arguments with which pulsewired shows a certificate of that kind, made on the spot.
function tlsArguments(kind) {
    const base = `${folder}/${kind}`;
    const key = {ecdsa: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], rsa: ['rsa:2048']}[kind];
    if (!existsSync(`${base}.crt`)) {
        execFileSync('openssl', ['req', '-x509', '-newkey', ...key, '-nodes', '-days', '3650', '-subj', '/CN=localhost',
            '-keyout', `${base}.key`, '-out', `${base}.crt`], {stdio: ['ignore', 'ignore', 'pipe']});
    }
    return ['--tls-certificate', `${base}.crt`, '--tls-key', `${base}.key`];
}

// A folder on the disk that holds the working copy, empty at first.
const dataFolder = `${folder}/data`;
const tmpfs = 0x01021994;
function emptyDataFolder() {
    rmSync(dataFolder, {recursive: true, force: true});
    if (statfsSync(folder).type === tmpfs) throw new Error(`${folder} is in memory: a sync costs nothing there, so there is nothing to measure`);
}

// Made once for all rounds, so that each begins with a server that has not seen them.
const tokenCount = 15_000;
const madeTokens = {};
export function tokenFiles(kind) {
    mkdirSync(folder, {recursive: true});
    return (madeTokens[kind] ??= makeTokens(kind, tokenCount, folder));
}

// The program and its arguments, and what its environment has beside ours. The rest is as for start().
export function commandOf(name, port, {deflate = false, tls = false, durable = false, tokens} = {}) {
    const server = servers[name];
    const compressing = (deflate && server.deflate) || {};
    return {
        command: [
            ...server.command(port),
            ...(compressing.arguments ?? []),
            ...(tls ? tlsArguments(server.certificate) : []),
            ...(durable && server.keeps ? ['--data', dataFolder] : []),
            ...(tokens ? tokenFiles(tokens).arguments : []),
        ],
        environment: {...server.environment, ...compressing.environment},
    };
}

const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
        for (const child of running) child.kill('SIGTERM');
        process.exit(1);
    });
}

// Runs a program on the given cores with as many open files as may be. The process keeps its number through all that,
// and does not outlive this one.
export function spawnOn(cores, command, options) {
    const child = spawn('bash', ['-c', 'ulimit -n "$(ulimit -Hn)"; exec taskset -c "$0" "$@"', cores, ...command], options);
    running.add(child);
    child.on('exit', () => running.delete(child));
    return child;
}

// Each thread of the process gets this share of a core and no more, wherever it runs: cores that are slower than the load
// generator's. The kernel wants the process on all cores for that, and root.
const periodNs = 10_000_000;
function limitThreads(pid, share) {
    const limits = ['--sched-runtime', `${periodNs * share}`, '--sched-deadline', `${periodNs}`, '--sched-period', `${periodNs}`];
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
        try {
            execFileSync('chrt', ['--deadline', ...limits, '--pid', '0', thread], {stdio: ['ignore', 'ignore', 'pipe']});
        } catch (error) {
            throw new Error(`cannot give each thread a share of a core, which takes root and chrt: ${error.message}`);
        }
    }
}

// Starts a server on the cores; returns {url, pids, dialect, stop()}. Throws when it does not come up. `how`: {deflate,
// tls, durable}, each for the servers that can; {tokens}: the algorithm of the tokens that it asks everybody for; {share} of a core for each of its threads, on all cores.
export async function start(name, cores, how = {}) {
    const server = servers[name];
    mkdirSync(folder, {recursive: true});
    const port = server.chooses === false ? await freePort() : undefined;
    if (how.durable) emptyDataFolder();
    const {command, environment} = commandOf(name, port, how);
    const allCores = `0-${cpus().length - 1}`;
    const child = spawnOn(how.share ? allCores : cores, command, {
        env: {...process.env, ...environment},
        stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (text) => (output += text));
    child.stderr.on('data', (text) => (output += text));
    const gone = once(child, 'exit');
    const stop = async () => {
        const deadline = setTimeout(() => child.kill('SIGKILL'), 3_000);
        child.kill(name === 'pulsewire' ? 'SIGKILL' : 'SIGTERM');
        await gone;
        clearTimeout(deadline);
        if (how.durable) rmSync(dataFolder, {recursive: true, force: true});
    };
    const until = Date.now() + startMs;
    for (;;) {
        const url = port ? ((await answers(port)) ? `http://127.0.0.1:${port}` : undefined) : /listening on (https?:\S+)/.exec(output)?.[1];
        // The port may answer before the workers are there.
        const pids = server.workers ? children(child.pid) : [`${child.pid}`];
        if (url && pids.length !== 0) {
            try {
                if (how.share) pids.forEach((pid) => limitThreads(pid, how.share));
            } catch (error) {
                await stop();
                throw error;
            }
            return {url, pids, dialect: server.dialect, stop};
        }
        if (child.exitCode !== null || Date.now() > until) {
            await stop();
            throw new Error(`${name} did not start:\n${output}`);
        }
        await new Promise((done) => setTimeout(done, 20));
    }
}
