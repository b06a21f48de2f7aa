import assert from 'node:assert/strict';
import {test} from 'node:test';

import {readMetrics} from './server.mjs';

test('metrics are read with their labels, without comments and buckets', () => {
    const text = '# TYPE a counter\na_total{code="x"} 3\nb 1.5e+06\nc_seconds_bucket{le="1"} 9\n';
    assert.deepEqual(readMetrics(text), {'a_total{code="x"}': 3, b: 1_500_000});
});
