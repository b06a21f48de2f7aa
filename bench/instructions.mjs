// script/bench instructions: how many instructions the hot functions take, counted by callgrind. Unlike time, that is the
// same on a busy machine; so a step backwards shows. It is not the same with another compiler or processor.
//
//   node bench/instructions.mjs            compares with bench/instructions.json; fails beyond the tolerance
//   node bench/instructions.mjs --update   writes it

import {execFileSync, spawnSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const program = `${root}build/release/pulsewire-bench-instructions`;
const file = `${root}bench/instructions.json`;
const toleranceShare = 0.03;
const repetitions = 200;

const update = process.argv.includes('--update');
const kept = JSON.parse(readFileSync(file, 'utf8'));
const compiler = execFileSync('g++', ['--version'], {encoding: 'utf8'}).split('\n')[0];

function count(name) {
    const run = spawnSync('valgrind', ['--tool=callgrind', '--toggle-collect=counted', '--callgrind-out-file=/dev/null', program, name, `${repetitions}`], {encoding: 'utf8'});
    const [, total] = /Collected : (\d+)/.exec(run.stderr) ?? [];
    if (!total) throw new Error(`valgrind did not count ${name}:\n${run.stderr}`);
    return Number(total) / repetitions;
}

const works = execFileSync(program, {encoding: 'utf8'}).trim().split('\n').map((line) => line.split(' '));
if (!update && kept.compiler !== compiler) console.log(`the kept figures are of another compiler (${kept.compiler}): differences may be its own`);
const figures = {};
let worse = 0;
console.log(`${'instructions each'.padEnd(34)}${'kept'.padStart(10)}${'now'.padStart(10)}`);
for (const [name, items] of works) {
    const now = Math.round((count(name) / Number(items)) * 10) / 10;
    figures[name] = now;
    const before = kept.instructions[name];
    const change = before ? now / before - 1 : 0;
    if (change > toleranceShare) ++worse;
    const remark = before === undefined ? 'new' : Math.abs(change) > toleranceShare ? `${change > 0 ? 'WORSE' : 'better'}: ${(100 * change).toFixed(1)} %` : '';
    console.log(`${name.padEnd(34)}${`${before ?? '–'}`.padStart(10)}${`${now}`.padStart(10)}  ${remark}`.trimEnd());
}
if (update) {
    writeFileSync(file, `${JSON.stringify({compiler, repetitions, instructions: figures}, null, 2)}\n`);
    console.log('written to bench/instructions.json');
} else if (worse) {
    console.log(`${worse} took more than ${100 * toleranceShare} % more; if that is worth it: script/bench instructions --update`);
    process.exit(1);
}
