// One measurement: a fresh server on one core, the load generator on another, and what else went on meanwhile.

import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';

import {spawnOn, start} from './servers.mjs';
import {noise, readCores} from './statistics.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const serverCore = '0';
const clientCore = '1';

async function generate(server, args) {
    const command = [`${root}build/release/pulsewire-bench`, ...args, '--json', '--dialect', server.dialect,
        '--url', server.url, '--server-pid', server.pids.join(',')];
    const child = spawnOn(clientCore, command, {stdio: ['ignore', 'pipe', 'pipe']});
    let output = '';
    let errors = '';
    child.stdout.on('data', (text) => (output += text));
    child.stderr.on('data', (text) => (errors += text));
    await once(child, 'close');
    if (!output) throw new Error(errors.trim() || `pulsewire-bench ended with ${child.exitCode}`);
    return JSON.parse(output);
}

// What pulsewire-bench says with these arguments, and `noise` where the run has a fixed duration.
export async function measure(name, args, {timed = true, deflate = false, tls = false} = {}) {
    const server = await start(name, serverCore, {deflate, tls});
    try {
        const before = readCores(readFileSync('/proc/stat', 'utf8'));
        const began = performance.now();
        const result = await generate(server, tls ? [...args, '--insecure'] : args);
        const seconds = (performance.now() - began) / 1_000;
        const after = readCores(readFileSync('/proc/stat', 'utf8'));
        // Warm-up and drain look much like what is measured between them.
        const own = ((result.server_cpu_percent ?? 0) + (result.generator_cpu_percent ?? 0)) / 100;
        if (timed) result.noise = noise(before, after, [serverCore, clientCore], own * seconds);
        return result;
    } catch (error) {
        return {warnings: [], failures: [error.message]};
    } finally {
        await server.stop();
    }
}
