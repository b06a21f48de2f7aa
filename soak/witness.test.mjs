import assert from 'node:assert/strict';
import {test} from 'node:test';

import {Witness} from './witness.mjs';

function begun() {
    const witness = new Witness('w');
    witness.begins({epoch: 'a', offset: 5});
    witness.publication(6, 1);
    return witness;
}

test('a stream without a hole is no fault, and what others publish in it has an offset and no number', () => {
    const witness = begun();
    witness.publication(7);
    witness.publication(8, 2);
    assert.deepEqual(witness.faults, []);
    assert.deepEqual(witness.position, {epoch: 'a', offset: 8});
});

test('a publication that is left out without a word is lost', () => {
    const witness = begun();
    witness.publication(8, 3);
    assert.deepEqual(witness.faults, ['w: offset 8 after 6', 'w: message 3 where 2 was to come']);
});

test('a publication that comes twice is a fault, and moves nothing', () => {
    const witness = begun();
    witness.publication(6, 1);
    assert.deepEqual(witness.faults, ['w: offset 6 again, after 6']);
    assert.equal(witness.position.offset, 6);
});

test('a message that was published twice is a fault although its offsets are in order', () => {
    const witness = begun();
    witness.publication(7, 1);
    assert.deepEqual(witness.faults, ['w: message 1 where 2 was to come']);
});

test('a message that was acknowledged and has no offset is a fault although offsets are in order', () => {
    const witness = begun();
    witness.publication(7, 3);
    assert.equal(witness.faults.length, 1);
});

test('after a reconnect the stream goes on, or the gap is told', () => {
    const recovered = begun();
    recovered.begins({epoch: 'a', offset: 6}, true);
    recovered.publication(7, 2);
    assert.deepEqual([recovered.faults, recovered.toldGaps], [[], 0]);

    const told = begun();
    told.begins({epoch: 'b', offset: 40}, false);
    told.publication(41, 9);
    assert.deepEqual([told.faults, told.toldGaps], [[], 1]);
});

test('a recovery that begins elsewhere than asked is a fault', () => {
    const witness = begun();
    witness.begins({epoch: 'a', offset: 7}, true);
    assert.equal(witness.faults.length, 1);
});

test('a marker tells a gap up to its offset, and an old one means nothing', () => {
    const witness = begun();
    witness.gap(9);
    witness.publication(10, 5);
    witness.gap(4);
    assert.deepEqual([witness.faults, witness.toldGaps, witness.position.offset], [[], 1, 10]);
});

test('an event stream that opens elsewhere tells the gap before the next publication', () => {
    const told = begun();
    told.opens({epoch: 'b', offset: 1});
    told.gap();
    told.publication(2, 7);
    assert.deepEqual([told.faults, told.toldGaps], [[], 1]);

    const silent = begun();
    silent.opens({epoch: 'b', offset: 1});
    silent.publication(2, 2);
    assert.deepEqual(silent.faults, ['w: offset 2 after a jump that was not told']);
});
