// One measurement: a fresh server on one core, the load generator on another, and what else went on meanwhile.

import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';

import {spawnOn, start, tokenFiles} from './servers.mjs';
import {noise, processSeconds, readCores} from './statistics.mjs';

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

const read = (file) => readFileSync(`/proc/${file}`, 'utf8');

// The CPU seconds of the server, and of the load generators that have ended.
function measuredSeconds(server) {
    const ofServer = server.pids.map((pid) => processSeconds(read(`${pid}/stat`)).own);
    return ofServer.reduce((sum, one) => sum + one, processSeconds(read('self/stat')).children);
}

// What pulsewire-bench says with these arguments, and the `noise` meanwhile. `how`: as for start().
export async function measure(name, args, how = {}) {
    let server;
    try {
        server = await start(name, serverCore, how);
        const cores = readCores(read('stat'));
        const before = measuredSeconds(server);
        const result = await generate(server, [
            ...args, ...(how.tls ? ['--insecure'] : []), ...(how.tokens ? ['--tokens', tokenFiles(how.tokens).file, '--channel', 'bench:all'] : []),
        ]);
        const own = measuredSeconds(server) - before;
        result.noise = noise(cores, readCores(read('stat')), [serverCore, clientCore], own);
        return result;
    } catch (error) {
        return {warnings: [], failures: [error.message]};
    } finally {
        await server?.stop();
    }
}
