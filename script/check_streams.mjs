// Runs the conformance tests of Durable Streams (@durable-streams/server-conformance-tests) against pulsewired, and the client
// that docs/streams.md shows.
//
//   node script/check_streams.mjs build/release
//
// Each test of the suite must pass, but for those that script/streams_left_out.mjs names with a reason: exactly those, so that what a
// new version of the suite has more or no longer is noticed.

import {spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {conversation} from '../e2e/streams/client.mjs';
import {leftOut} from './streams_left_out.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'pulsewire-streams-'));
const settings = {
    port: 0,
    data: join(folder, 'data'),
    streams: 'stream',
    namespaces: {stream: {state_bytes_max: 64_000_000}},
    allowed_origins: ['*'],
    message_bytes_max: 16_000_000,
    stream_poll_ms: 1_000,
    requests_per_address_per_second: 100_000,
    connects_per_address_per_second: 100_000,
    log_level: 'warning',
};

/** The address of a server that is ready, and the process. */
async function started() {
    const config = join(folder, 'pulsewire.json');
    writeFileSync(config, JSON.stringify(settings));
    const server = spawn(join(resolve(process.argv[2] ?? 'build/release'), 'pulsewired'), ['--config', config], {stdio: ['ignore', 'pipe', 'inherit']});
    for await (const line of createInterface({input: server.stdout})) {
        const found = line.match(/http:\/\/[\w.:]+:\d+/);
        if (found) return {address: found[0], server};
    }
    throw new Error('the server ended before it was ready');
}

const {address, server} = await started();
const report = join(folder, 'report.json');
const names = Object.values(leftOut).flat();
const escaped = (text) => text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
const run = spawnSync(join(root, 'node_modules/.bin/vitest'), [
    'run', 'streams/conformance.test.mjs', '--root', join(root, 'e2e'), '--reporter=json', '--testTimeout=60000', `--outputFile=${report}`,
    ...names.length > 0 ? ['--testNamePattern', `^(?!(${names.map(escaped).join('|')})$)`] : [],
], {cwd: root, env: {...process.env, STREAMS_URL: `${address}/streams`}, stdio: ['ignore', 'inherit', 'inherit']});
const faults = [];
let passed = 0;

// The client that docs/streams.md shows: what it writes it reads, and the page has it as it is here.
const told = [];
await conversation(address, (text) => told.push(text));
if (told.join('') === 'To be, or not to be') passed += 1;
else faults.push(`e2e/streams/client.mjs: it read ${JSON.stringify(told)}`);
const shown = readFileSync(join(root, 'e2e/streams/client.mjs'), 'utf8').split(/ +\/\/ (?:begin|end)\n/)[1].replaceAll(/^ {4}/gm, '');
if (readFileSync(join(root, 'docs/streams.md'), 'utf8').includes(shown)) passed += 1;
else faults.push('docs/streams.md: its client is not that of e2e/streams/client.mjs');

server.kill('SIGTERM');
await once(server, 'exit');

const tests = JSON.parse(readFileSync(report, 'utf8')).testResults.flatMap(({assertionResults}) => assertionResults);
rmSync(folder, {recursive: true});
for (const {fullName, status, failureMessages} of tests) {
    if (status === 'passed') passed += 1;
    else if (status === 'failed') faults.push(`${fullName}: ${failureMessages[0]?.split('\n')[0]}`);
    else if (!names.includes(fullName)) faults.push(`${fullName}: was not run, and is not named in script/streams_left_out.mjs`);
}
const known = new Set(tests.map(({fullName}) => fullName));
for (const name of names) if (!known.has(name)) faults.push(`${name}: is left out, and the suite does not have it`);
if (run.error || passed === 0) faults.push(`vitest itself: ${run.error?.message ?? 'no test has passed'}`);

for (const [reason, left] of Object.entries(leftOut)) console.log(`left out: ${left.length} tests, because ${reason}`);
for (const fault of faults) console.log(`not ok - ${fault}`);
console.log(`${passed} passed, ${faults.length} failed`);
process.exit(faults.length > 0 ? 1 : 0);
