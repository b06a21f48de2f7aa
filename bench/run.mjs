// script/bench: runs scenarios against Pulsewire and its peers in turns, and prints how they stand to each other.
//
//   node bench/run.mjs [SCENARIO…] [--rounds N] [--seconds S] [--quick] [--peers a,b] [--list]

import {execFileSync} from 'node:child_process';
import {once} from 'node:events';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {cpus, release} from 'node:os';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';

import {scenarios} from './scenarios.mjs';
import {servers, spawnOn, start} from './servers.mjs';
import {noise, ratios, readCores, summary, verdict} from './statistics.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const serverCore = '0';
const clientCore = '1';
// Beyond these, others than those measured decide about the figures.
const foreignMax = 0.1;
const stolenMax = 0.02;
const spreadMax = 0.3;

const say = (text) => process.stderr.write(`${text}\n`);

const {values: wishes, positionals} = parseArgs({
    allowPositionals: true,
    options: {
        rounds: {type: 'string'},
        seconds: {type: 'string'},
        peers: {type: 'string'},
        quick: {type: 'boolean', default: false},
        list: {type: 'boolean', default: false},
    },
});
const rounds = Number(wishes.rounds ?? (wishes.quick ? 2 : 5));
const seconds = Number(wishes.seconds ?? (wishes.quick ? 1 : 3));

if (wishes.list) {
    for (const [name, {title}] of Object.entries(scenarios)) console.log(`${name.padEnd(12)} ${title}`);
    process.exit(0);
}

function fail(text) {
    say(`bench: ${text}`);
    process.exit(2);
}

// ------------------------------------------------------------------------------------------------------- one measurement

async function generate(scenario, server) {
    const time = scenario.fixedTime ? [] : ['--seconds', `${seconds}`];
    const command = [`${root}build/release/pulsewire-bench`, ...scenario.arguments, ...time, '--json', '--dialect', server.dialect,
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

async function measure(scenario, name) {
    const server = await start(name, serverCore, {});
    try {
        const before = readCores(readFileSync('/proc/stat', 'utf8'));
        const began = performance.now();
        const result = await generate(scenario, server);
        const elapsed = (performance.now() - began) / 1_000;
        const after = readCores(readFileSync('/proc/stat', 'utf8'));
        // Its own share is of the measured time; warm-up and drain look much the same.
        const own = ((result.server_cpu_percent ?? 0) + (result.generator_cpu_percent ?? 0)) / 100;
        result.noise = scenario.fixedTime ? {foreign: 0, stolen: 0} : noise(before, after, [serverCore, clientCore], own * elapsed);
        return result;
    } finally {
        await server.stop();
    }
}

// ------------------------------------------------------------------------------------------------------------ a scenario

async function runScenario(name, present) {
    const scenario = scenarios[name];
    const contestants = ['pulsewire', ...scenario.peers.filter((peer) => present.includes(peer))];
    const results = Object.fromEntries(contestants.map((one) => [one, []]));
    const total = rounds * contestants.length;
    let done = 0;
    say(`\n==> ${name}: ${scenario.title}`);
    for (let round = 0; round < rounds; ++round) {
        for (const one of contestants) {
            const place = `[${++done}/${total}] round ${round + 1}, ${one}`;
            try {
                const result = await measure(scenario, one);
                results[one].push(result);
                const told = scenario.figures.map(({figure}) => `${figure} ${number(result[figure])}`).join(', ');
                const remarks = [...result.warnings, ...result.failures].map((text) => `\n      ${text}`).join('');
                say(`    ${place}: ${told}${remarks}`);
            } catch (error) {
                results[one].push({error: error.message, warnings: [], failures: [error.message]});
                say(`    ${place}: ${error.message}`);
            }
        }
    }
    return {name, title: scenario.title, rounds, seconds, results};
}

// ------------------------------------------------------------------------------------------------------------- the table

function number(value) {
    if (value === undefined) return '–';
    if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
    if (value >= 1e4) return `${(value / 1e3).toFixed(0)} k`;
    if (value >= 100) return value.toFixed(0);
    return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
const range = (s) => (s ? `${number(s.least)}–${number(s.most)}` : '–');

function goalText({least, most}, values, reading) {
    const wanted = least !== undefined ? `≥ ${number(least)}` : `≤ ${number(most)}`;
    const words = values.length ? reading(values, {least, most}) : 'not measured';
    return `${wanted}: ${words}`;
}

// The judgement of a figure, for the JSON and the table.
function judge({results}, figure) {
    const column = (name) => results[name].map((result) => result[figure.figure]);
    const ours = column('pulsewire');
    const rows = Object.keys(results).map((name) => {
        const values = column(name);
        const row = {server: name, figure: summary(values.filter((value) => value !== undefined))};
        if (name === 'pulsewire') {
            if (figure.bounds) row.goal = goalText(figure.bounds, ours.filter((value) => value !== undefined), verdict);
            return row;
        }
        row.ratio = ratios(ours, values);
        const goal = figure.goals?.[name];
        if (goal !== undefined) {
            const each = ours.flatMap((value, round) => (value !== undefined && values[round] > 0 ? [value / values[round]] : []));
            row.goal = goalText(figure.better === 'more' ? {least: goal} : {most: goal}, each, verdict);
        }
        return row;
    });
    return {figure: figure.figure, title: figure.title, better: figure.better, rows};
}

function print(table) {
    const lines = [['', 'median', 'range', 'Pulsewire ÷ it', 'range', 'goal'], ...table.rows.map((row) => [
        row.server, number(row.figure?.median), range(row.figure), row.ratio ? number(row.ratio.median) : '', row.ratio ? range(row.ratio) : '', row.goal ?? '',
    ])];
    const widths = lines[0].map((_, i) => Math.max(...lines.map((line) => line[i].length)));
    console.log(`\n  ${table.title} (${table.better} is better)`);
    for (const line of lines) {
        const cells = line.map((cell, i) => (i === 0 || i === 5 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])));
        console.log(`    ${cells.join('  ').trimEnd()}`);
    }
}

// Sentences about what makes the figures of a scenario doubtful.
function doubts(run, judged) {
    const all = Object.values(run.results).flat().filter((result) => result.noise);
    const found = [];
    const foreign = summary(all.map((result) => result.noise.foreign));
    const stolen = summary(all.map((result) => result.noise.stolen));
    if (foreign && foreign.median > foreignMax) {
        found.push(`other programs took ${(100 * foreign.median).toFixed(0)} % of both cores (median): only ratios, and figures per second of CPU, say something`);
    }
    if (stolen && stolen.median > stolenMax) found.push(`the host took ${(100 * stolen.median).toFixed(0)} % of both cores away`);
    for (const {title, rows} of judged) {
        const ours = rows.find((row) => row.server === 'pulsewire').figure;
        if (ours && (ours.most - ours.least) / ours.median > spreadMax) found.push(`Pulsewire’s own rounds differ by ${(100 * (ours.most - ours.least) / ours.median).toFixed(0)} % in “${title}”`);
    }
    return found;
}

function machine() {
    const compiler = execFileSync('g++', ['--version'], {encoding: 'utf8'}).split('\n')[0];
    let commit = 'unknown';
    try {
        commit = execFileSync('git', ['describe', '--always', '--dirty'], {encoding: 'utf8', cwd: root}).trim();
    } catch {
        // a tree without its history
    }
    return {date: new Date().toISOString(), commit, processor: cpus()[0].model, cores: cpus().length, kernel: release(), compiler};
}

// ---------------------------------------------------------------------------------------------------------------- run

const names = positionals.length ? positionals : Object.keys(scenarios);
for (const name of names) if (!scenarios[name]) fail(`there is no scenario '${name}'; script/bench --list`);
if (cpus().length < 2) fail('this takes two cores: one for the server, one for the load');
const asked = wishes.peers === 'none' ? ['pulsewire'] : wishes.peers?.split(',');
for (const name of asked ?? []) if (!servers[name]) fail(`there is no peer '${name}'; there are ${Object.keys(servers).join(', ')}`);
const present = Object.keys(servers).filter((name) => servers[name].available() && (!asked || asked.includes(name)));
for (const [name, server] of Object.entries(servers)) {
    if (!server.available() && (!asked || asked.includes(name))) {
        say(`    without ${name}: ${server.byHand ? `it takes ${server.byHand}, docs/performance.md says how` : `${server.package} is not installed`}`);
    }
}
const versions = Object.fromEntries(present.map((name) => [name, servers[name].version()]));
mkdirSync(`${root}build/bench`, {recursive: true});
let failed = false;
for (const name of names) {
    const run = await runScenario(name, present);
    run.machine = machine();
    run.versions = versions;
    run.tables = scenarios[name].figures.map((figure) => judge(run, figure));
    run.doubts = doubts(run, run.tables);
    console.log(`\n${name}: ${run.title}; ${rounds} rounds of ${seconds} s`);
    run.tables.forEach(print);
    for (const doubt of run.doubts) console.log(`\n    doubtful: ${doubt}`);
    const failures = run.results.pulsewire.flatMap((result) => result.failures);
    for (const failure of new Set(failures)) console.log(`\n    FAILED, Pulsewire: ${failure}`);
    failed ||= failures.length !== 0;
    writeFileSync(`${root}build/bench/${name}.json`, `${JSON.stringify(run, null, 1)}\n`);
    say(`    build/bench/${name}.json`);
}
process.exit(failed ? 1 : 0);
