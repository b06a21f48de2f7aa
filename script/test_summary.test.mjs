// The closing table of script/test says what was skipped, and never counts it as passed.

import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';

const program = fileURLToPath(new URL('test_summary.mjs', import.meta.url));

/** Sums up one e2e stage with these tests: [title, project, status, reason to skip]. */
function summed(tests) {
    const folder = mkdtempSync(join(tmpdir(), 'pulsewire-summary-'));
    try {
        const specs = tests.map(([title, projectName, status, description]) =>
            ({title, tests: [{projectName, status, annotations: description ? [{type: 'skip', description}] : []}]}));
        writeFileSync(join(folder, 'e2e.playwright.json'), JSON.stringify({suites: [{title: 'x.spec.ts', specs}]}));
        writeFileSync(join(folder, 'e2e.stage.json'), JSON.stringify({status: 0, seconds: 1}));
        const {status, stdout} = spawnSync(process.execPath, [program, folder, '', 'e2e'], {encoding: 'utf8'});
        return {status, lines: stdout.trim().split('\n').map((line) => line.trim().replace(/\s+/g, ' '))};
    } finally {
        rmSync(folder, {recursive: true});
    }
}

test('an_engine_that_is_missing_is_skipped_with_its_reason_and_not_passed', () => {
    const reason = 'firefox is not installed here';
    const {status, lines} = summed([['a', 'chromium', 'expected'], ['a', 'firefox', 'skipped', reason], ['b', 'firefox', 'skipped', reason]]);
    assert.equal(status, 0);
    assert.ok(lines.includes('e2e 1 0 2 1'), lines.join('\n'));
    assert.ok(lines.includes(`skipped: e2e: 2 in firefox: ${reason}`), lines.join('\n'));
    assert.equal(lines.at(-1), '1 passed, 0 failed');
});

test('a_stage_that_skipped_everything_has_failed', () => {
    const {status, lines} = summed([['a', 'firefox', 'skipped', 'firefox is not installed here']]);
    assert.equal(status, 1);
    assert.ok(lines.includes('failed: e2e: no test ran'), lines.join('\n'));
});

test('a_test_that_fails_in_one_engine_is_named_with_it', () => {
    const {status, lines} = summed([['a', 'chromium', 'expected'], ['a', 'firefox', 'unexpected']]);
    assert.equal(status, 1);
    assert.ok(lines.includes('failed: e2e: x.spec.ts › a › (firefox)'), lines.join('\n'));
});
