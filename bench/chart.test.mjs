import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {test} from 'node:test';

import {chart, rewrite} from './chart.mjs';
import {judge} from './judge.mjs';
import {scenarios} from './scenarios.mjs';

const machine = {date: '2026-11-22T10:00:00Z', commit: 'abc1234', processor: 'CPU', cores: 2, kernel: '6.1', compiler: 'g++ 12'};
const figure = {figure: 'x_per_cpu_s', title: 'things', better: 'more'};

// A run as run.mjs writes it: `byServer` has the figure of each round, undefined where it failed.
function runOf(name, byServer, more = {}) {
    const results = Object.fromEntries(Object.entries(byServer).map(([server, values]) =>
        [server, values.map((value) => ({x_per_cpu_s: value, warnings: [], failures: []}))]));
    return JSON.parse(JSON.stringify({name, rounds: 2, seconds: 1, machine, results, tables: [judge(results, figure)], doubts: [], ...more}));
}

const old = (...servers) => `\n\nOld (more is better):\n\n|  | median |\n| --- | ---: |\n${servers.map((server) => `| ${server} | 1 |\n`).join('')}\n`;
const page = ({fanout = old('pulsewire', 'ws'), idle = old('pulsewire')} = {}) =>
    `# Title\n\n| not | ours |\n\n<!-- measured: fanout -->${fanout}<!-- end measured -->\n\nBetween, $& and $1.\n\n` +
    `<!-- measured: idle -->${idle}<!-- end measured -->\n\nThe end.`;
const rewriteWith = (runs, asked, text = page()) => rewrite(text, (name) => runs[name], asked);
const stays = (run, why, asked) => {
    const {text, written, left} = rewriteWith({fanout: run}, asked);
    assert.equal(text, page());
    assert.deepEqual(written, []);
    assert.match(left.find(({name}) => name === 'fanout').why, why);
};

test('a table is written between its markers, and nothing else is touched', () => {
    const {text, written, left} = rewriteWith({fanout: runOf('fanout', {pulsewire: [4, 6], ws: [2, 2]}, {doubts: ['costs $& and $1']})});
    const [before, after] = text.split(/(?<=<!-- measured: fanout -->)[^]*?(?=<!-- end measured -->)/);
    const [wantedBefore, wantedAfter] = page().split(/(?<=<!-- measured: fanout -->)[^]*?(?=<!-- end measured -->)/);
    assert.equal(before, wantedBefore);
    assert.equal(after, wantedAfter);
    assert.match(text, /fanout -->\n\nThings \(more is better\):\n\n\| {2}\| median \|/);
    assert.match(text, /\| pulsewire \| 5\.00 \| 4\.00–6\.00 \| {2}\| {2}\| {2}\|\n\| ws \| 2\.00 \| 2\.00–2\.00 \| 2\.50 \| 2\.00–3\.00 \| {2}\|/);
    assert.match(text, /\*Doubtful: costs \$& and \$1\.\*/);
    assert.match(text, /<small>2026-11-22, commit abc1234, medians of 2 rounds of 1 s; /);
    assert.deepEqual(written.map(({name}) => name), ['fanout']);
    assert.deepEqual(left, [{name: 'idle', why: 'not measured here'}]);
});

test('writing the same again changes nothing', () => {
    const runs = {fanout: runOf('fanout', {pulsewire: [4, 6], ws: [2, 2]})};
    const once = rewriteWith(runs).text;
    assert.equal(rewriteWith(runs, [], once).text, once);
});

test('without measurements everything stays', () => stays(undefined, /^not measured here$/));
test('a measurement that cannot be read changes nothing', () => stays({unreadable: 'Unexpected end'}, /Unexpected end/, ['fanout']));
test('a measurement without tables changes nothing', () => stays(runOf('fanout', {pulsewire: [1]}, {tables: []}), /no figures/, ['fanout']));
test('a measurement in which Pulsewire has no figure changes nothing', () =>
    stays(runOf('fanout', {pulsewire: [undefined], ws: [1]}), /no figures of Pulsewire/, ['fanout']));

test('a run in which Pulsewire failed is not published', () => {
    const run = runOf('fanout', {pulsewire: [4, 6], ws: [2, 2]});
    run.results.pulsewire[1].failures.push('messages are missing');
    stays(run, /failed .*messages are missing/, ['fanout']);
});

test('a table with more servers than the measurement stays, unless it is asked for', () => {
    const run = runOf('fanout', {pulsewire: [4, 6]});
    stays(run, /lacks ws; 'script\/bench chart fanout'/);
    const {text} = rewriteWith({fanout: run}, ['fanout']);
    assert.match(text, /\| pulsewire \| 5\.00/);
    assert.doesNotMatch(text, /\| ws/);
    stays(runOf('fanout', {pulsewire: [4, 6], ws: [undefined, undefined]}), /lacks ws/);
});

test('an empty section is filled', () =>
    assert.match(rewriteWith({idle: runOf('idle', {pulsewire: [3]})}, [], page({idle: '\n'})).text, /idle -->\n\nThings/));

test('only what is asked for is written, and it must be there', () => {
    const runs = {fanout: runOf('fanout', {pulsewire: [4], ws: [2]}), idle: runOf('idle', {pulsewire: [3]})};
    assert.deepEqual(rewriteWith(runs, ['idle']).written.map(({name}) => name), ['idle']);
    assert.throws(() => rewriteWith(runs, ['rooms']), /no section 'rooms'/);
});

test('a section without an end is an error, not the loss of what follows', () => {
    const text = page().replace('<!-- end measured -->', '');
    assert.throws(() => rewriteWith({fanout: runOf('fanout', {pulsewire: [4], ws: [2]})}, [], text), /'fanout' has no/);
});

const load = {
    name: 'load', rounds: 2, seconds: 1, machine, results: {pulsewire: {}, ws: {}},
    curves: [
        {server: 'pulsewire', points: [{offered: 1000, delivered: 1000, p99_ms: 2}]},
        {server: 'ws', points: [{offered: 1000, delivered: 900, p99_ms: 20}, {offered: 2000}]},
    ],
};

test('a curve has all rates, with gaps where a server got no further', () => {
    const text = rewrite('<!-- measured: load --><!-- end measured -->', () => load).text;
    assert.match(text, /\| offered\/s \| 1000 \| 2000 \|\n\| --- \| ---: \| ---: \|\n\| pulsewire \| 1000, 2\.00 ms \| {2}\|\n\| ws \| 900, 20\.0 ms \| –, – ms \|/);
});

test('a drawing has a line for each server, and only numbers', () => {
    const image = chart(load);
    assert.equal(image.match(/<polyline/g).length, 4);
    assert.doesNotMatch(image, /NaN|Infinity|undefined/);
});

test('the sections of docs/performance.md are scenarios, each once, and each scenario has one', () => {
    const text = readFileSync(new URL('../docs/performance.md', import.meta.url), 'utf8');
    const {left, text: same} = rewrite(text, () => undefined);
    assert.equal(same, text);
    assert.deepEqual(left.map(({name}) => name).toSorted(), Object.keys(scenarios).toSorted());
});
