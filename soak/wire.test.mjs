import assert from 'node:assert/strict';
import {test} from 'node:test';

import {frame, FrameReader, requestHead} from './wire.mjs';

const texts = ['', 'x'.repeat(125), 'y'.repeat(126), 'z'.repeat(65_535), 'ä'.repeat(40_000)];

test('frames of every length are read again, in pieces of any size', () => {
    for (const size of [1, 2, 3, 1_000, 1_000_000]) {
        const bytes = Buffer.concat(texts.map((text) => frame(text, {masked: false})));
        const reader = new FrameReader();
        const found = [];
        for (let at = 0; at < bytes.length; at += size === 1 ? (at < 600 ? 1 : 7_919) : size) {
            const end = size === 1 ? (at < 600 ? at + 1 : at + 7_919) : at + size;
            found.push(...reader.take(bytes.subarray(at, end)).map(({payload}) => payload.toString()));
        }
        assert.deepEqual(found, texts, `pieces of ${size}`);
    }
});

test('a frame has the bits that were asked for, and a mask unless it is to be a bad one', () => {
    assert.deepEqual([...frame('a')], [0x81, 0x81, 0, 0, 0, 0, 97]);
    assert.deepEqual([...frame('a', {opcode: 9, last: false, masked: false, reserved: 5})], [0x59, 1, 97]);
});

test('the head of a request names the client that a proxy would name', () => {
    assert.equal(requestHead({path: '/x', port: 9, forwarded: '203.0.113.1', fields: {A: 'b'}}),
        'GET /x HTTP/1.1\r\nHost: 127.0.0.1:9\r\nX-Forwarded-For: 203.0.113.1\r\nA: b\r\n\r\n');
});
