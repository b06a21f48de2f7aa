import assert from 'node:assert/strict';
import {test} from 'node:test';

import {cellsOf, curvesOf, disturbed, doubts, judge, kindOf, number} from './judge.mjs';

const rounds = (key, ...values) => values.map((value) => (value === undefined ? {} : {[key]: value}));
const throughput = {figure: 'deliveries_per_cpu_s', title: 'deliveries', better: 'more'};

test('a row has the median and the range of its rounds, and the ratios within them', () => {
    const results = {pulsewire: rounds('deliveries_per_cpu_s', 30, 10, 20), ws: rounds('deliveries_per_cpu_s', 10, 10, 2)};
    const {rows} = judge(results, throughput);
    assert.deepEqual(rows[0], {server: 'pulsewire', figure: {median: 20, least: 10, most: 30}});
    assert.deepEqual(rows[1], {server: 'ws', figure: {median: 10, least: 2, most: 10}, ratio: {median: 3, least: 1, most: 10}});
    assert.deepEqual(cellsOf(rows[1]), ['ws', '10.0', '2.00–10.0', '3.00', '1.00–10.0', '']);
});

test('a goal is a least where more is better, a most where less is, and judged by ratio', () => {
    const results = {pulsewire: rounds('x', 4, 6), ws: rounds('x', 2, 2)};
    const goal = (better, goals) => judge(results, {figure: 'x', title: 'x', better, goals}).rows[1].goal;
    assert.equal(goal('more', {ws: 2}), '≥ 2.00: reached');
    assert.equal(goal('less', {ws: 2}), '≤ 2.00: unclear, rather missed');
    assert.equal(goal('more', {ws: {most: 1.5}}), '≤ 1.50: missed');
    assert.equal(goal('more', {nats: 9}), undefined);
});

test('bounds are those of Pulsewire’s figure itself', () => {
    const {rows} = judge({pulsewire: rounds('x', 4, 6), ws: rounds('x', 1, 1)}, {figure: 'x', title: 'x', better: 'more', bounds: {least: 4}});
    assert.equal(rows[0].goal, '≥ 4.00: reached');
    assert.equal(rows[1].goal, undefined);
});

test('rounds that failed have no part in anything, and a server without any has dashes', () => {
    const results = {pulsewire: rounds('x', undefined, 8, null), ws: rounds('x', 2, 4, 2), nats: rounds('x', undefined, undefined, null)};
    const {rows} = judge(results, {figure: 'x', title: 'x', better: 'more', goals: {ws: 2, nats: 1}});
    assert.deepEqual(rows[0].figure, {median: 8, least: 8, most: 8});
    assert.deepEqual(rows[1].ratio, {median: 2, least: 2, most: 2});
    assert.deepEqual(cellsOf(rows[2]), ['nats', '–', '–', '', '', '≥ 1.00: not measured']);
});

test('numbers are short', () =>
    assert.deepEqual([0.126, 9.994, 31.44, 271.6, 9999, 12_345, 2_345_678, undefined, null].map(number),
        ['0.13', '9.99', '31.4', '272', '9999', '12 k', '2.35 M', '–', '–']));

test('a curve has the medians of each rate, without the rounds that failed', () => {
    const point = (deliveries_per_s, p99_ms) => ({deliveries_per_s, p50_ms: 1, p99_ms});
    const [curve] = curvesOf({ws: {500: [point(400, 9), point(500, 3), {}, point(450, 5)], 1000: [{}]}});
    assert.equal(curve.server, 'ws');
    assert.deepEqual(curve.points[0], {offered: 500, delivered: 450, p50_ms: 1, p99_ms: 5});
    assert.equal(curve.points[1].delivered, undefined);
});

// -------------------------------------------------------------------------------------------------------------- doubts

const noisy = (...foreign) => foreign.map((share) => ({noise: {foreign: share, stolen: 0}}));
const robbed = (...stolen) => stolen.map((share) => ({noise: {foreign: 0, stolen: share}}));

test('a figure’s key says its kind', () => {
    assert.deepEqual(['deliveries_per_cpu_s', 'handshakes_per_s', 'p99_ms', 'seconds', 'rss_per_channel_bytes'].map(kindOf),
        ['cpu', 'clock', 'clock', 'clock', 'memory']);
});

test('a little work of others makes latencies doubtful, and nothing else', () => {
    const results = noisy(0.05, 0.2, 0.15);
    assert.deepEqual(disturbed(results, ['deliveries_per_cpu_s', 'rss_per_channel_bytes']), []);
    const [sentence, ...more] = disturbed(results, ['p99_ms', 'deliveries_per_cpu_s']);
    assert.match(sentence, /^other programs took 15 % of both cores \(median\): latencies/);
    assert.doesNotMatch(sentence, /per second of CPU/);
    assert.deepEqual(more, []);
});

test('much work of others makes figures per second of CPU doubtful too, but never memory', () => {
    const results = noisy(0.6, 0.7, 0.8);
    assert.deepEqual(disturbed(results, ['rss_per_connection_bytes']), []);
    const [sentence] = disturbed(results, ['handshakes_per_cpu_s']);
    assert.match(sentence, /70 % .*per second of CPU/);
    assert.doesNotMatch(sentence, /latencies/);
    assert.match(disturbed(results, ['handshakes_per_cpu_s', 'handshakes_per_s'])[0], /latencies .*; .*per second of CPU/);
});

test('what the host takes away counts the same way', () => {
    assert.deepEqual(disturbed(robbed(0.01, 0.02), ['p50_ms']), []);
    assert.match(disturbed(robbed(0.05), ['p50_ms', 'a_per_cpu_s'])[0], /^the host took 5 % .*latencies/);
    assert.doesNotMatch(disturbed(robbed(0.05), ['p50_ms', 'a_per_cpu_s'])[0], /CPU/);
    assert.match(disturbed(robbed(0.2), ['a_per_cpu_s'])[0], /per second of CPU/);
    assert.deepEqual(disturbed(robbed(0.2), ['a_bytes']), []);
});

test('one round in which others worked is no doubt, and neither is a quiet machine', () => {
    assert.deepEqual(disturbed(noisy(0.01, 0.9, 0.02), ['p50_ms']), []);
    assert.deepEqual(disturbed([{}], ['p50_ms']), []);
});

test('rounds of Pulsewire that differ widely are told, those of others are not', () => {
    const figure = {figure: 'seconds', title: 'seconds', better: 'less'};
    const told = (ours, theirs) => {
        const results = {pulsewire: rounds('seconds', ...ours), ws: rounds('seconds', ...theirs)};
        return doubts(results, [judge(results, figure)]);
    };
    assert.deepEqual(told([10, 11, 12], [1, 50, 99]), []);
    assert.deepEqual(told([8, 10, 12], [1, 1, 1]), ['Pulsewire’s own rounds differ by 40 % in “seconds”']);
    assert.deepEqual(told([undefined, undefined, undefined], [1, 1, 1]), []);
});
