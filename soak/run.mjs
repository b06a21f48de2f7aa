// script/soak: a healthy crowd and one attack after the other against a pulsewired of little memory.
//
//   node soak/run.mjs [--minutes N] [--clients N] [--memory MB] [--attack NAME]... [--server PATH] [--list] [--check]
//
// --check only says what is wrong with the arguments.

import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync} from 'node:fs';
import {cpus, loadavg} from 'node:os';
import {setTimeout as pause} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';

import {print} from '../bench/judge.mjs';
import {noise, processSeconds, readCores} from '../bench/statistics.mjs';
import {attacks} from './attacks/all.mjs';
import {memoryBound} from './memory_bound.mjs';
import {startServer} from './server.mjs';
import {boundMs, disturbance, fills, growth, judgeRow, moved, plan, roundTrips} from './verdict.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = `${root}build/soak`;
const publishMs = 500;
const sampleMs = 200;
const crowdMs = 120_000;
const reportMs = 60_000;
const quietMs = 10_000;
const attackStartMs = 20_000;
const say = (text) => process.stderr.write(`${text}\n`);
const number = (value, digits = 1) => (Number.isFinite(value) ? value.toFixed(digits) : '–');

function fail(text) {
    say(`soak: ${text}`);
    process.exit(2);
}

function readArguments() {
    try {
        return parseArgs({options: {
            minutes: {type: 'string', default: '60'},
            clients: {type: 'string', default: '1000'},
            memory: {type: 'string', default: '512'},
            attack: {type: 'string', multiple: true},
            server: {type: 'string', default: `${root}build/release/pulsewired`},
            list: {type: 'boolean', default: false},
            check: {type: 'boolean', default: false},
        }}).values;
    } catch (error) {
        return fail(`${error.message.split('. ')[0]}; script/soak --help`);
    }
}

const wishes = readArguments();
const names = wishes.attack ?? Object.keys(attacks);
const [minutes, clients, memory] = [wishes.minutes, wishes.clients, wishes.memory].map(Number);
for (const name of names) if (!attacks[name]) fail(`there is no attack '${name}'; script/soak --list`);
if (wishes.list) {
    for (const [name, {what}] of Object.entries(attacks)) console.log(`${name.padEnd(22)} ${what}`);
    process.exit(0);
}
if (!(minutes > 0) || !(clients >= 20) || !(memory > 0)) fail('--minutes and --memory are numbers greater than 0, --clients is at least 20');
if (wishes.check) process.exit(0);
if (!existsSync(wishes.server)) fail(`there is no ${wishes.server}`);

// ----------------------------------------------------------------------------------------------------------- processes

const running = new Set();
function endAll() {
    for (const child of running) child.kill('SIGKILL');
}
process.on('exit', endAll);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

// One of ours, with a channel for messages.
function start(script, wish, niceness) {
    const child = spawn('bash', ['-c', 'ulimit -n "$(ulimit -Hn)"; exec nice -n "$0" "$@"', `${niceness}`, process.execPath, `${root}soak/${script}`, JSON.stringify(wish)],
        {stdio: ['ignore', 'inherit', 'inherit', 'ipc']});
    running.add(child);
    child.on('exit', () => running.delete(child));
    child.on('error', () => {});
    return child;
}

function stop(child) {
    return new Promise((done) => {
        if (child.exitCode !== null || child.signalCode !== null) return done();
        child.on('exit', done);
        child.kill('SIGKILL');
    });
}

// The child's answer to a question; undefined when there is none.
function ask(child) {
    return new Promise((resolve) => {
        if (!child.connected) return resolve(undefined);
        const answer = (report) => (clearTimeout(late), resolve(report));
        const late = setTimeout(() => (child.off('message', answer), resolve(undefined)), reportMs);
        child.once('message', answer);
        child.send('report');
    });
}

const read = (file) => readFileSync(`/proc/${file}`, 'utf8');
function secondsOf(pids) {
    return pids.reduce((sum, pid) => {
        try {
            return sum + processSeconds(read(`${pid}/stat`)).own;
        } catch {
            return sum;
        }
    }, 0);
}

// Seconds that the threads of a process were ready to run and had no core.
function waitedOf(pid) {
    try {
        return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => sum + Number(read(`${pid}/task/${thread}/schedstat`).split(' ')[1]) / 1e9, 0);
    } catch {
        return 0;
    }
}

// A server with its crowd and its probe, which are new together.
async function begin(generation) {
    const server = await startServer(wishes.server, bound);
    running.add(server.child);
    server.gone.then(() => running.delete(server.child));
    const world = {
        generation, server,
        probe: start('probe.mjs', {port: server.port}, 0),
        crowd: start('crowd.mjs', {port: server.port, clients, publishMs}, 0),
    };
    for (const end = Date.now() + crowdMs; ;) {
        const report = await ask(world.crowd);
        if (report?.connected === clients) break;
        if (Date.now() > end || report === undefined) fail(`the healthy crowd could not connect: ${JSON.stringify(report)}`);
    }
    await ask(world.probe);
    return world;
}

async function finish({server, probe, crowd}) {
    await Promise.all([stop(probe), stop(crowd), server.stop()]);
}

// Watches the server for that long: {peakBytes, serverCores, trips, probe, lagMs, foreign}. `serverCores`: how many it used, and for
// how many more it had work and did not get them. Ends early when the server does.
async function watch({server, probe, crowd}, ms, attacker) {
    const pids = [process.pid, server.pid, probe.pid, crowd.pid, ...(attacker ? [attacker.pid] : [])];
    const all = Object.keys(readCores(read('stat')));
    const cores = readCores(read('stat'));
    const own = secondsOf(pids);
    const ofServer = secondsOf([server.pid]);
    const waited = waitedOf(server.pid);
    const begun = performance.now();
    await ask(probe);
    let peakBytes = 0;
    for (const end = Date.now() + ms; Date.now() < end && server.end === undefined; await pause(sampleMs)) {
        peakBytes = Math.max(peakBytes, server.residentBytes());
    }
    // What is gone has no figures.
    if (server.end !== undefined) return {peakBytes, serverCores: {}, trips: roundTrips([])};
    const report = await ask(probe);
    const {foreign} = noise(cores, readCores(read('stat')), all, secondsOf(pids) - own);
    const elapsed = (performance.now() - begun) / 1_000;
    const serverCores = {used: (secondsOf([server.pid]) - ofServer) / elapsed, lacked: (waitedOf(server.pid) - waited) / elapsed};
    return {peakBytes, serverCores, probe: report, trips: roundTrips(report?.trips ?? []), lagMs: roundTrips(report?.lags ?? []).p99, foreign};
}

// ------------------------------------------------------------------------------------------------------------- the run

const bound = memoryBound(memory * 1_048_576);
const load = loadavg()[0] / cpus().length;
const {rounds, seconds} = plan(minutes, names.length);
mkdirSync(folder, {recursive: true});
say(`==> ${wishes.server} within ${memory} MB by ${bound.kind}; ${clients} healthy clients; ${names.length} attacks, ${rounds} rounds of ${seconds.toFixed(1)} s each`);

let world = await begin(1);
const quiet = await watch(world, quietMs);
const quietDisturbed = disturbance({...quiet, load});
const {count, median, p99} = quiet.trips;
say(`    quiet: ${count} round trips, median ${median.toFixed(2)} ms, p99 ${p99.toFixed(1)} ms, ${Math.round(quiet.peakBytes / 1_048_576)} MB resident; p99 may be ${boundMs(quiet.trips).toFixed(1)} ms`);
if (quietDisturbed) say(`    too busy to judge times, which are only told: ${quietDisturbed}`);

const rows = [];
const settleShare = 0.1;
for (let round = 1; round <= rounds; ++round) {
    for (const attack of names) {
        const before = await world.server.metrics();
        // Attackers give way, or they would be nothing but a loaded machine; where it is loaded anyway they would never run.
        const attacker = start('attack.mjs', {name: attack, port: world.server.port}, quietDisturbed ? 0 : 5);
        let counts = {};
        attacker.on('message', (told) => (counts = told));
        await Promise.race([once(attacker, 'message'), once(attacker, 'exit'), pause(attackStartMs)]);
        const seen = await watch(world, seconds * 1_000 * (1 - settleShare), attacker);
        const attackerEnd = attacker.exitCode ?? attacker.signalCode;
        await stop(attacker);
        await pause(seconds * 1_000 * settleShare);
        const row = {attack, round, generation: world.generation, counts, ...seen};
        row.crowd = world.server.end === undefined ? await ask(world.crowd) : undefined;
        row.settledBytes = world.server.residentBytes();
        row.moved = moved(before, await world.server.metrics());
        row.end = world.server.end;
        row.lastWords = row.end === undefined ? '' : world.server.output().trim().split('\n').at(-1);
        row.disturbed = quietDisturbed || disturbance({...seen, load});
        delete row.probe?.trips;
        delete row.probe?.lags;
        Object.assign(row, judgeRow(row, {boundBytes: memory * 1_048_576, quiet: quiet.trips}));
        if (attackerEnd !== null) row.faults.push(`the attack itself ended with ${attackerEnd}`);
        rows.push(row);
        say(`    [${rows.length}/${rounds * names.length}] ${attack}: median ${number(row.trips.median)}, p99 ${number(row.trips.p99)} ms (the probe itself ${number(row.lagMs)}), ${number(row.peakBytes / 1_048_576, 0)} MB, ${number(row.serverCores.used, 2)} cores, ${number(row.serverCores.lacked, 2)} lacked; ${JSON.stringify(counts)}`);
        for (const text of row.faults) say(`        FAULT: ${text}`);
        for (const text of row.remarks) say(`        ${text}`);
        if (row.end !== undefined || row.crowd === undefined) {
            await finish(world);
            world = await begin(world.generation + 1);
        }
    }
}
await finish(world);
bound.remove();

// ------------------------------------------------------------------------------------------------------------- telling

const cells = (row) => [
    row.attack, `${row.round}`, number(row.trips.median), number(row.trips.p99), number(row.trips.most, 0), number(row.peakBytes / 1_048_576, 0),
    number(row.settledBytes / 1_048_576, 0), `${row.crowd?.lost.length ?? ''}`, `${row.crowd?.toldGaps ?? ''}`, `${row.crowd?.cuts ?? ''}`,
    row.faults.length ? 'FAULT' : row.disturbed ? 'ok, times not judged' : 'ok',
];
console.log('');
print([['attack', 'round', 'median ms', 'p99 ms', 'most ms', 'peak MB', 'settled MB', 'lost', 'told gaps', 'cut', 'verdict'], ...rows.map(cells)], {leftColumns: [0, 10]});

console.log('\n  What the server counted:\n');
for (const name of names) {
    const sums = {};
    for (const row of rows) if (row.attack === name) for (const [metric, times] of Object.entries(row.moved)) sums[metric] = (sums[metric] ?? 0) + times;
    const told = Object.entries(sums).map(([metric, times]) => `${metric.replace('pulsewire_', '')} ${times}`);
    console.log(`    ${name}: ${told.join(', ') || 'nothing'}`);
}

const grown = growth(rows);
const faults = [...rows.flatMap((row) => row.faults.map((text) => ({attack: row.attack, round: row.round, text}))), ...(fills(seconds) ? grown : [])];
console.log('');
for (const {attack, round, text} of faults) console.log(`not ok - ${attack}, round ${round}: ${text}`);
if (!fills(seconds)) for (const {attack, round, text} of grown) console.log(`  Told and not judged, because turns of ${seconds.toFixed(0)} s fill no table: ${attack}, round ${round}: ${text}`);
const remarks = rows.filter((row) => row.disturbed);
if (remarks.length) console.log(`\n  Times of ${remarks.length} of ${rows.length} turns are told and not judged: ${remarks[0].disturbed}`);
writeFileSync(`${folder}/report.json`, JSON.stringify({minutes, clients, memory, bound: bound.kind, load, quiet, rows, faults}, null, 1));
const bad = new Set(faults.map(({attack}) => attack));
console.log(`\n${names.length - bad.size} passed, ${bad.size} failed`);
process.exit(bad.size ? 1 : 0);
