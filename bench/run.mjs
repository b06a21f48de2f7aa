// script/bench: runs scenarios against Pulsewire and its peers in turns, and prints how they stand to each other.
//
//   node bench/run.mjs [SCENARIO…] [--rounds N] [--seconds S] [--quick] [--peers a,b] [--list] [--check]
//
// --check only says what is wrong with the arguments.

import {execFileSync} from 'node:child_process';
import {mkdirSync, writeFileSync} from 'node:fs';
import {cpus, release} from 'node:os';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';

import {cellsOf, columns, curvesOf, disturbed, doubts, judge, number, print} from './judge.mjs';
import {measure} from './measure.mjs';
import {scenarios} from './scenarios.mjs';
import {servers} from './servers.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const say = (text) => process.stderr.write(`${text}\n`);

function fail(text) {
    say(`bench: ${text}`);
    process.exit(2);
}

function readArguments() {
    try {
        return parseArgs({
            allowPositionals: true,
            options: {
                rounds: {type: 'string'},
                seconds: {type: 'string'},
                peers: {type: 'string'},
                quick: {type: 'boolean', default: false},
                list: {type: 'boolean', default: false},
                check: {type: 'boolean', default: false},
            },
        });
    } catch (error) {
        return fail(`${error.message.split('. ')[0]}; script/bench --help`);
    }
}

const {values: wishes, positionals} = readArguments();
const rounds = Number(wishes.rounds ?? (wishes.quick ? 2 : 5));
const seconds = Number(wishes.seconds ?? (wishes.quick ? 1 : 3));
const names = positionals.length ? positionals : Object.keys(scenarios);

// ------------------------------------------------------------------------------------------------------------- running

const argumentsOf = (scenario) => [...scenario.arguments, ...(scenario.fixedTime ? [] : ['--seconds', `${seconds}`])];
const remarksOf = (result) => [...result.warnings, ...result.failures].map((text) => `\n      ${text}`).join('');

// By server, one result per round.
async function runRounds(scenario, contestants) {
    const results = Object.fromEntries(contestants.map((one) => [one, []]));
    let done = 0;
    for (let round = 1; round <= rounds; ++round) {
        for (const one of contestants) {
            const result = await measure(one, argumentsOf(scenario), scenario.server);
            results[one].push(result);
            const told = scenario.figures.map(({figure}) => `${figure} ${number(result[figure])}`).join(', ');
            say(`    [${++done}/${rounds * contestants.length}] round ${round}, ${one}: ${told}${remarksOf(result)}`);
        }
    }
    return results;
}

// By server and rate, one result per round.
async function runCurve(scenario, contestants) {
    const results = Object.fromEntries(contestants.map((one) => [one, {}]));
    for (let round = 1; round <= rounds; ++round) {
        const lost = new Set();
        for (const rate of scenario.rates) {
            for (const one of contestants.filter((name) => !lost.has(name))) {
                const result = await measure(one, [...argumentsOf(scenario), '--rate', `${rate}`]);
                (results[one][rate] ??= []).push(result);
                say(`    round ${round}, ${number(rate)}/s, ${one}: ${number(result.deliveries_per_s)}/s, p99 ${number(result.p99_ms)} ms`);
                if (!(result.deliveries_per_s >= scenario.heldShare * rate)) lost.add(one);
            }
        }
    }
    return results;
}

function machine() {
    const compiler = execFileSync('g++', ['--version'], {encoding: 'utf8'}).split('\n')[0];
    let commit = 'unknown';
    try {
        commit = execFileSync('git', ['describe', '--always', '--dirty'], {encoding: 'utf8', cwd: root}).trim();
    } catch {
        // a tree without its history
    }
    return {date: new Date().toISOString(), commit, processor: cpus()[0].model, cores: cpus().length, kernel: release().split('-')[0], compiler};
}

// ------------------------------------------------------------------------------------------------------------- telling

function tellRounds(scenario, run) {
    run.tables = scenario.figures.map((figure) => judge(run.results, figure));
    run.doubts = doubts(run.results, run.tables);
    for (const table of run.tables) {
        console.log(`\n  ${table.title} (${table.better} is better)`);
        print([columns, ...table.rows.map(cellsOf)], {leftColumns: [0, 5]});
    }
    for (const doubt of run.doubts) console.log(`\n    doubtful: ${doubt}`);
    const failures = new Set(run.results.pulsewire.flatMap((result) => result.failures));
    for (const failure of failures) console.log(`\n    FAILED, Pulsewire: ${failure}`);
    return failures.size === 0;
}

function tellCurve(scenario, run) {
    run.curves = curvesOf(run.results);
    const results = Object.values(run.results).flatMap((byRate) => Object.values(byRate).flat());
    run.doubts = disturbed(results, ['deliveries_per_s', 'p99_ms']);
    console.log('');
    const head = ['offered/s', ...scenario.rates.map(number)];
    const row = (title, curve, text) => [title, ...scenario.rates.map((rate) => text(curve.points.find(({offered}) => offered === rate)))];
    print([head, ...run.curves.flatMap((curve) => [
        row(curve.server, curve, (point) => (point ? number(point.delivered) : '')),
        row('  p99, ms', curve, (point) => (point ? number(point.p99_ms) : '')),
    ])], {leftColumns: [0]});
    for (const doubt of run.doubts) console.log(`\n    doubtful: ${doubt}`);
    return true;
}

for (const name of names) if (!scenarios[name]) fail(`there is no scenario '${name}'; script/bench --list`);
if (wishes.list) {
    for (const [name, {title}] of Object.entries(scenarios)) console.log(`${name.padEnd(12)} ${title}`);
    process.exit(0);
}
if (!(rounds >= 1) || !(seconds > 0)) fail('--rounds and --seconds are numbers greater than 0');
if (cpus().length < 2) fail('this takes two cores: one for the server, one for the load');
const asked = wishes.peers?.split(',').filter((name) => name !== 'none');
for (const name of asked ?? []) if (!servers[name]) fail(`there is no peer '${name}'; there are ${Object.keys(servers).join(', ')}`);
if (wishes.check) process.exit(0);
const present = Object.keys(servers).filter((name) => name !== 'pulsewire' && servers[name].available() && (!asked || asked.includes(name)));
for (const [name, server] of Object.entries(servers)) {
    if (server.available() || (asked && !asked.includes(name))) continue;
    say(`    without ${name}: ${server.byHand ? `docs/performance.md says how to build it; then ${server.byHand}` : `${server.package} is not installed`}`);
}
mkdirSync(`${root}build/bench`, {recursive: true});

let good = true;
for (const name of names) {
    const scenario = scenarios[name];
    const contestants = ['pulsewire', ...scenario.peers.filter((peer) => present.includes(peer))];
    say(`\n==> ${name}: ${scenario.title}`);
    const results = await (scenario.rates ? runCurve : runRounds)(scenario, contestants);
    const versions = Object.fromEntries(contestants.map((one) => [one, servers[one].version()]));
    const run = {name, title: scenario.title, rounds, seconds, machine: machine(), versions, results};
    console.log(`\n${name}: ${run.title}; ${rounds} rounds${scenario.fixedTime ? '' : ` of ${seconds} s`}`);
    good = (scenario.rates ? tellCurve : tellRounds)(scenario, run) && good;
    writeFileSync(`${root}build/bench/${name}.json`, `${JSON.stringify(run, null, 1)}\n`);
    say(`    build/bench/${name}.json`);
}
process.exit(good ? 0 : 1);
