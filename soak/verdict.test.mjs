import assert from 'node:assert/strict';
import {test} from 'node:test';

import {boundMs, disturbance, fills, growth, judgeRow, moved, plan, roundTrips} from './verdict.mjs';

const MB = 1_048_576;
const crowd = {clients: 20, connected: 20, lost: [], cuts: 0, cutCodes: {}, toldGaps: 0, republished: 0, unacknowledged: 0, unlisted: 0};
const probe = {cuts: 0, refused: 0, answered: 9, unanswered: {}};
const good = {attack: 'a', round: 1, peakBytes: 100 * MB, crowd, probe, trips: {median: 1, p99: 9}, moved: {}, disturbed: ''};
const setting = {boundBytes: 512 * MB, quiet: {median: 0.5}};
const faultsOf = (change) => judgeRow({...good, ...change}, setting).faults;

test('an attack that hurts nobody has no fault', () => assert.deepEqual(judgeRow(good, setting), {faults: [], remarks: []}));

test('each harm is a fault', () => {
    const harms = {
        'the server ended': {end: 71, lastWords: 'no memory'},
        'resident': {peakBytes: 512 * MB},
        'did not report': {crowd: undefined},
        'lost': {crowd: {...crowd, lost: ['client 3: offset 8 after 6']}},
        'not connected': {crowd: {...crowd, connected: 19}},
        'no acknowledgement': {crowd: {...crowd, unacknowledged: 1}},
        'in the list': {crowd: {...crowd, unlisted: 2}},
        '3 × 4000': {crowd: {...crowd, cuts: 3, cutCodes: {4000: 3}}},
        'of the probe': {probe: {...probe, cuts: 1}},
        'refused': {probe: {...probe, refused: 1}},
        '2 × overloaded': {probe: {...probe, unanswered: {overloaded: 2}}},
        'p99': {trips: {median: 1, p99: 20.1}},
        'exceptions_total': {moved: {pulsewire_exceptions_total: 1}},
    };
    for (const [word, change] of Object.entries(harms)) {
        const faults = faultsOf(change);
        assert.equal(faults.length, 1, word);
        assert.ok(faults[0].includes(word), `${faults[0]} tells of '${word}'`);
    }
});

test('no round trip at all is a fault', () => assert.equal(faultsOf({trips: roundTrips([])}).length, 1));

test('on a machine with other work times are told and are no fault, and what is lost is', () => {
    const {faults, remarks} = judgeRow({
        ...good, disturbed: 'busy', trips: {median: 1, p99: 500}, crowd: {...crowd, cuts: 1, cutCodes: {4001: 1}, lost: ['x']},
        probe: {...probe, unanswered: {timeout: 1, overloaded: 1}},
    }, setting);
    assert.equal(faults.length, 2);
    assert.equal(remarks.length, 3);
});

test('gaps that were told are no fault', () => assert.equal(judgeRow({...good, crowd: {...crowd, toldGaps: 4}}, setting).remarks.length, 1));

test('a round trip may take ten times the quiet median, and 20 ms in any case', () => {
    assert.equal(boundMs({median: 0.4}), 20);
    assert.equal(boundMs({median: 3}), 30);
});

test('p99 is the value that one of a hundred exceeds', () => {
    const values = Array.from({length: 100}, (_, i) => 100 - i);
    assert.deepEqual(roundTrips(values), {count: 100, median: 50.5, p99: 99, most: 100});
});

test('times are judged on a machine that has no other work', () => {
    assert.equal(disturbance({foreign: 0.1, lagMs: 4, load: 0.3}), '');
    for (const one of [{foreign: 0.5}, {lagMs: 40}, {load: 3}]) assert.notEqual(disturbance({foreign: 0, lagMs: 1, load: 0, ...one}), '');
});

test('memory that is the same after each round is flat, and what the first round filled is in it', () => {
    const row = (attack, round, settled, generation = 1) => ({attack, round, generation, settledBytes: settled * MB});
    assert.deepEqual(growth([row('a', 1, 30), row('b', 1, 200), row('a', 2, 205), row('b', 2, 198)]), []);
    const [fault, ...others] = growth([row('a', 1, 30), row('b', 1, 200), row('a', 2, 205), row('b', 2, 240), row('a', 3, 250)]);
    assert.deepEqual([fault.attack, fault.round, others], ['b', 2, []], 'the first one is named');
    assert.deepEqual(growth([row('a', 1, 30), row('a', 2, 300, 2)]), [], 'another server');
    assert.deepEqual(growth([{...row('a', 1, 30), end: 71}]), [], 'a server that ended in its first turn');
});

test('growth is judged where turns are long enough to fill the tables', () => {
    assert.ok(!fills(plan(5, 38).seconds));
    assert.ok(fills(plan(60, 38).seconds));
});

test('each attack has its turn at least twice, and more often in a long run', () => {
    assert.deepEqual(plan(5, 30), {rounds: 2, seconds: 5});
    assert.deepEqual(plan(60, 40), {rounds: 3, seconds: 30});
    assert.deepEqual(plan(60, 1), {rounds: 4, seconds: 900});
});

test('what moved are the counters of refusals, not of traffic', () => {
    const before = {'pulsewire_errors_total{code="overloaded"}': 2, pulsewire_sent_bytes_total: 1, pulsewire_channels: 1, pulsewire_x_total: 5};
    const after = {'pulsewire_errors_total{code="overloaded"}': 5, pulsewire_sent_bytes_total: 9, pulsewire_channels: 9, pulsewire_x_total: 5, pulsewire_y_total: 1};
    assert.deepEqual(moved(before, after), {'pulsewire_errors_total{code="overloaded"}': 3, pulsewire_y_total: 1});
});
