// Runs the fuzz targets that were built into build/fuzz/, and says what they found and reached; run by script/fuzz,
// whose head says how.

import {spawn, spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync} from 'node:fs';
import {availableParallelism} from 'node:os';
import {join, relative} from 'node:path';

const built = 'build/fuzz';
// Lines of the covered files that a target's inputs must reach, in percent. The rest are lines for a machine in distress
// (no memory), which no input reaches.
const reachedMin = 95;
// Targets whose files also hold what they do not run, with what they reach instead.
const reachedMinOf = {};
// Bytes of an input. Longer ones are slower, and reach nothing new.
const inputBytesMax = 4096;
// An input that takes longer is a finding.
const inputSecondsMax = 10;
const progressEveryMs = 5000;

function fail(sentence) {
    console.error(`fuzz: ${sentence}`);
    process.exit(2);
}

// One a line, as fuzz/CMakeLists.txt writes them: the name, and the files that the target covers.
const targets = readFileSync(join(built, 'targets.txt'), 'utf8').trim().split('\n').map((line) => {
    const [name, ...covers] = line.split(' ');
    return {name, covers};
});

function readArguments(words) {
    const options = {seconds: 60, jobs: availableParallelism(), list: false, chosen: [], inputs: []};
    const number = (word, text) => {
        if (!/^[1-9]\d*$/.test(text ?? '')) fail(`${word} takes a number from 1; script/fuzz --help`);
        return Number(text);
    };
    while (words.length > 0) {
        const word = words.shift();
        const target = targets.find(({name}) => name === word);
        if (word === '--seconds') options.seconds = number(word, words.shift());
        else if (word === '--jobs') options.jobs = number(word, words.shift());
        else if (word === '--list') options.list = true;
        else if (target) options.chosen.push(target);
        else if (existsSync(word)) options.inputs.push(word);
        else fail(`there is no option, target or file '${word}'; script/fuzz --help, or --list for the targets`);
    }
    if (options.inputs.length > 0 && options.chosen.length !== 1) fail('files are for one target; name it, too');
    if (options.chosen.length === 0) options.chosen = targets;
    return options;
}

const seconds = (ms) => `${Math.round(ms / 1000)} s`;

// Runs one target for its time. Resolves with the number of inputs it ran, and with what it found, if anything.
function run(target, options) {
    const {name} = target;
    const corpus = join(built, 'corpus', name);
    const log = join('build/log', `fuzz-${name}.log`);
    const found = join(built, 'found', `${name}-`);
    for (const folder of [corpus, join(built, 'found'), join(built, 'profiles'), 'build/log']) mkdirSync(folder, {recursive: true});
    rmSync(profileOf(target, 'profraw'), {force: true});
    const output = openSync(log, 'w');
    const child = spawn(
        join(built, `${name}_fuzz`),
        [
            `-max_total_time=${options.seconds}`, `-max_len=${inputBytesMax}`, `-timeout=${inputSecondsMax}`,
            '-use_value_profile=1', '-print_final_stats=1', `-artifact_prefix=${found}`, corpus, join('fuzz/corpus', name),
        ],
        {stdio: ['ignore', output, output], env: {...process.env, ...sanitizers, LLVM_PROFILE_FILE: profileOf(target, 'profraw')}});
    return new Promise((resolve) => {
        child.on('error', (error) => resolve({runs: 0, finding: error.message}));
        child.on('exit', (status, signal) => {
            const text = readFileSync(log, 'utf8');
            const runs = Number(/^stat::number_of_executed_units:\s*(\d+)/m.exec(text)?.[1] ?? 0);
            if (status === 0) return resolve({runs});
            const sentence = /^(?:broken: .*|.*runtime error: .*|SUMMARY: .*|terminate called .*)$/m.exec(text)?.[0];
            const input = /Test unit written to (\S+)/.exec(text)?.[1];
            resolve({runs, input, finding: sentence ?? `it ended with ${signal ?? status}; see ${log}`});
        });
    });
}

const sanitizers = {
    ASAN_OPTIONS: 'detect_stack_use_after_return=1:strict_string_checks=1',
    UBSAN_OPTIONS: 'print_stacktrace=1',
};

const profileOf = ({name}, ending) => join(built, 'profiles', `${name}.${ending}`);

// clang's own tools, of the version that built the targets: the format of profiles changes with each.
function llvm(tool) {
    const {stdout} = spawnSync('clang++', [`--print-prog-name=${tool}`], {encoding: 'utf8'});
    return stdout.trim();
}

// How many lines of the files that it covers the target reached, in percent, with those of each file.
function reachedBy(target) {
    const [raw, profile] = [profileOf(target, 'profraw'), profileOf(target, 'profdata')];
    if (!existsSync(raw)) return {percent: 0, files: []};
    const merge = spawnSync(llvm('llvm-profdata'), ['merge', '-sparse', raw, '-o', profile], {encoding: 'utf8'});
    if (merge.status !== 0) fail(`llvm-profdata: ${merge.error?.message ?? merge.stderr}`);
    const cov = spawnSync(
        llvm('llvm-cov'),
        ['export', '-summary-only', `-instr-profile=${profile}`, join(built, `${target.name}_fuzz`)],
        {encoding: 'utf8', maxBuffer: 1 << 26});
    if (cov.status !== 0) fail(`llvm-cov: ${cov.error?.message ?? cov.stderr}`);
    const files = JSON.parse(cov.stdout).data[0].files
        .map(({filename, summary}) => ({file: relative('.', filename), ...summary.lines}))
        .filter(({file}) => target.covers.includes(file));
    const sum = (what) => files.reduce((total, file) => total + file[what], 0);
    return {
        percent: 100 * sum('covered') / sum('count'),
        files: files.map(({file, percent}) => `${file} ${percent.toFixed(1)} %`),
    };
}

async function runAll(options) {
    const begun = Date.now();
    const waiting = [...options.chosen];
    const running = new Map();
    const done = [];
    const progress = setInterval(() => {
        const names = [...running].map(([name, since]) => `${name} ${seconds(Date.now() - since)}`).join(', ');
        console.error(`    ${seconds(Date.now() - begun)}: ${done.length} of ${options.chosen.length} done; ${names}`);
    }, progressEveryMs);
    const work = async () => {
        for (let target; (target = waiting.shift());) {
            running.set(target.name, Date.now());
            const result = await run(target, options);
            running.delete(target.name);
            done.push({target, ...result});
            if (result.finding) console.error(`    ${target.name}: ${result.finding}`);
        }
    };
    await Promise.all(Array.from({length: options.jobs}, work));
    clearInterval(progress);
    return options.chosen.map(({name}) => done.find(({target}) => target.name === name));
}

// The inputs alone, in view.
function repeat({chosen: [{name}], inputs}) {
    const {status} = spawnSync(join(built, `${name}_fuzz`), inputs, {
        stdio: 'inherit', env: {...process.env, ...sanitizers, LLVM_PROFILE_FILE: '/dev/null'},
    });
    process.exit(status ?? 1);
}

const options = readArguments(process.argv.slice(2));
if (options.list) {
    for (const {name, covers} of options.chosen) console.log(`${name.padEnd(22)}${covers.join(' ')}`);
    process.exit(0);
}
if (options.inputs.length > 0) repeat(options);

console.error(`==> Fuzzing ${options.chosen.length} targets, ${options.seconds} s each, ${options.jobs} at a time`);
const rows = (await runAll(options)).map((row) => ({...row, reached: reachedBy(row.target)}));

console.log(`\n  ${'target'.padEnd(22)}${'inputs'.padStart(12)}${'kept'.padStart(8)}${'lines'.padStart(10)}`);
for (const {target, runs, reached} of rows) {
    const kept = readdirSync(join(built, 'corpus', target.name)).length;
    console.log(`  ${target.name.padEnd(22)}${String(runs).padStart(12)}${String(kept).padStart(8)}${`${reached.percent.toFixed(1)} %`.padStart(10)}`);
}
console.log('');

let failed = 0;
for (const {target, finding, input, reached} of rows) {
    const reasons = [];
    if (finding) reasons.push(finding, ...(input ? [`again: script/fuzz ${target.name} ${input}`] : []));
    const min = reachedMinOf[target.name] ?? reachedMin;
    if (!finding && reached.percent < min) reasons.push(`it reached fewer than ${min} % of the lines: ${reached.files.join(', ')}`);
    console.log(`${reasons.length === 0 ? 'ok' : 'not ok'} - fuzz ${target.name}`);
    for (const reason of reasons) console.log(`  ${reason}`);
    failed += reasons.length === 0 ? 0 : 1;
}
console.log(`${rows.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
