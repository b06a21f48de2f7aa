import assert from 'node:assert/strict';
import {test} from 'node:test';

import {median, noise, processSeconds, ratios, readCores, summary, verdict} from './statistics.mjs';

test('the median of an odd number of values is the middle one, of an even number the mean of the two', () => {
    assert.equal(median([9, 1, 10]), 9);
    assert.equal(median([4, 1, 3, 2]), 2.5);
    assert.equal(median([7]), 7);
});

test('values are ordered as numbers and stay as they were', () => {
    const values = [100, 20, 3];
    assert.deepEqual(summary(values), {median: 20, least: 3, most: 100});
    assert.deepEqual(values, [100, 20, 3]);
});

test('nothing measured has no summary', () => assert.equal(summary([]), undefined));

test('ratios are taken within a round, and only where both have a figure', () => {
    assert.deepEqual(ratios([10, 40], [5, 10]), [2, 4]);
    assert.deepEqual(ratios([10, undefined, 30, null, 8], [undefined, 2, 10, 4, 0]), [3]);
});

test('a goal is reached or missed when all rounds agree, and unclear otherwise', () => {
    assert.equal(verdict([1.1, 1.2, 1.0], {least: 1}), 'reached');
    assert.equal(verdict([0.8, 0.9, 0.99], {least: 1}), 'missed');
    assert.equal(verdict([0.9, 1.1, 1.2], {least: 1}), 'unclear, rather reached');
    assert.equal(verdict([0.9, 0.8, 1.2], {least: 1}), 'unclear, rather missed');
});

test('a goal can be a most, and may be met exactly', () => {
    assert.equal(verdict([100, 99], {most: 100}), 'reached');
    assert.equal(verdict([101, 102], {most: 100}), 'missed');
    assert.equal(verdict([90, 95, 300], {most: 100}), 'unclear, rather reached');
});

const before = readCores('cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 100 0 100 1000 0 0 0 0 0 0\ncpu1 0 0 0 0 0 0 0 0 0 0\ncpu10 5 5 5 5 5 5 5 5 0 0\nintr 1\n');

test('the cores of /proc/stat are told apart, and their sum is none of them', () => {
    assert.deepEqual(Object.keys(before), ['0', '1', '10']);
    assert.deepEqual(before[0].slice(0, 4), [100, 0, 100, 1000]);
});

test('noise is what neither the measured ones took nor was idle', () => {
    // Each core 200 ticks: 50 user, 30 nice, 20 system, 60 idle, 20 waiting, 5 and 5 interrupts, 10 stolen.
    const later = (core) => before[core].map((value, i) => value + [50, 30, 20, 60, 20, 5, 5, 10, 0, 0][i]);
    const after = {0: later(0), 1: later(1), 10: before[10].map((value) => value + 1000)};
    assert.deepEqual(noise(before, after, ['0', '1'], 1.2), {foreign: 100 / 400, stolen: 20 / 400});
    assert.equal(noise(before, after, ['0', '1'], 5).foreign, 0);
});

test('two readings within one tick say nothing about noise', () =>
    assert.deepEqual(noise(before, before, ['0', '1'], 0), {foreign: 0, stolen: 0}));

test('CPU seconds are found behind a name with blanks and parentheses', () => {
    const text = '77 (a) S (b) R 1 77 77 0 -1 4194304 1 2 3 4 150 50 30 20 20 0 4 0 12345 1000 200\n';
    assert.deepEqual(processSeconds(text), {own: 2, children: 0.5});
});
