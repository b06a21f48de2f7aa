// The end of script/test: adds up what the stages reported, prints the table, what failed, and the closing line.
//
//   node script/test_summary.mjs REPORTS TEXT STAGE...
//
// REPORTS holds, for each stage, STAGE.stage.json (exit status and time), reports of test runners, and STAGE.problem with a
// sentence where something could not run. TEXT is the filter of test cases, or empty. Exits with 1 if anything failed. A
// stage that ended badly without naming a failed case, or that counted nothing, is itself a failed test.

import {existsSync, readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';

const [reports, text, ...stages] = process.argv.slice(2);

const nothing = () => ({passed: 0, failed: 0, skipped: 0, failures: [], reasons: new Map()});

function fromGoogleTest(report) {
    const count = nothing();
    for (const suite of JSON.parse(report).testsuites) {
        for (const test of suite.testsuite) {
            if (test.failures?.length) {
                count.failed += 1;
                count.failures.push(`${suite.name}.${test.name}`);
            } else if (test.result === 'SKIPPED') {
                count.skipped += 1;
            } else if (test.status === 'RUN') {
                count.passed += 1;
            }
        }
    }
    return count;
}

function fromPlaywright(report) {
    const count = nothing();
    const visit = (suite, titles) => {
        for (const spec of suite.specs ?? []) {
            for (const test of spec.tests) {
                if (test.status === 'skipped') {
                    count.skipped += 1;
                    const why = test.annotations?.find(({type}) => type === 'skip')?.description ?? 'no reason was given';
                    const reason = `${test.projectName}: ${why}`;
                    count.reasons.set(reason, (count.reasons.get(reason) ?? 0) + 1);
                } else if (test.status === 'expected') {
                    count.passed += 1;
                } else {
                    // "flaky" too: passing at the second attempt is not passing
                    count.failed += 1;
                    count.failures.push([...titles, spec.title, `(${test.projectName})`].join(' › '));
                }
            }
        }
        for (const inner of suite.suites ?? []) visit(inner, [...titles, inner.title]);
    };
    const {suites, errors} = JSON.parse(report);
    for (const suite of suites) visit(suite, [suite.title]);
    for (const error of errors ?? []) {
        count.failed += 1;
        count.failures.push(error.message?.split('\n')[0] ?? 'Playwright itself failed');
    }
    return count;
}

// The closing counts of node:test (TAP or spec), or lines "N passed, N failed"; several runs in one log add up.
function fromLog(log) {
    const count = nothing();
    for (const line of log.replace(/\x1b\[[0-9;]*m/g, '').split('\n')) {
        const node = /^(?:#|ℹ) (pass|fail|cancelled|skipped|todo) (\d+)$/.exec(line);
        const own = /^(\d+) passed, (\d+) failed$/.exec(line);
        const failure = /^not ok (?:\d+ )?- (.*)$/.exec(line) ?? /^(?:FAILED +|✖ )(.*?)(?: \([\d.]+ms\))?$/.exec(line);
        if (own) {
            count.passed += Number(own[1]);
            count.failed += Number(own[2]);
        } else if (node) {
            const kind = {pass: 'passed', fail: 'failed', cancelled: 'failed', skipped: 'skipped', todo: 'skipped'}[node[1]];
            count[kind] += Number(node[2]);
        } else if (failure && !failure[1].startsWith('failing tests') && !count.failures.includes(failure[1])) {
            count.failures.push(failure[1]);
        }
    }
    return count;
}

function countsOf(stage) {
    const total = nothing();
    for (const file of readdirSync(reports).sort()) {
        if (!file.startsWith(`${stage}.`) && !file.startsWith(`${stage}-`)) continue;
        const read = {'.gtest.json': fromGoogleTest, '.playwright.json': fromPlaywright, '.log': fromLog};
        const ending = Object.keys(read).find((known) => file.endsWith(known));
        if (!ending) continue;
        // a runner's own report counts, not what it also said
        if (ending === '.log' && existsSync(join(reports, file.replace(/\.log$/, '.gtest.json')))) continue;
        if (file === 'e2e-output.log') continue;
        const count = read[ending](readFileSync(join(reports, file), 'utf8'));
        total.passed += count.passed;
        total.failed += count.failed;
        total.skipped += count.skipped;
        total.failures.push(...count.failures);
        for (const [reason, times] of count.reasons) total.reasons.set(reason, (total.reasons.get(reason) ?? 0) + times);
    }
    return total;
}

function judge(stage) {
    const {status, seconds} = JSON.parse(readFileSync(join(reports, `${stage}.stage.json`), 'utf8'));
    const count = countsOf(stage);
    const problems = join(reports, `${stage}.problem`);
    const sentences = existsSync(problems) ? readFileSync(problems, 'utf8').trim().split('\n') : [];
    if (sentences.length === 0 && status !== 0 && count.failed === 0) sentences.push(`ended with status ${status}; see build/test/`);
    if (sentences.length === 0 && count.passed + count.failed === 0 && !text) sentences.push('no test ran');
    count.failed += sentences.length;
    count.failures.push(...sentences);
    return {stage, seconds, ...count};
}

const results = stages.map(judge);
const sum = (key) => results.reduce((total, result) => total + result[key], 0);
const [passed, failed, skipped, seconds] = ['passed', 'failed', 'skipped', 'seconds'].map(sum);

const row = (...cells) => console.log(`  ${String(cells[0]).padEnd(12)}${cells.slice(1).map((cell) => String(cell).padStart(9)).join('')}`);
console.log('');
row('stage', 'passed', 'failed', 'skipped', 'seconds');
for (const result of results) row(result.stage, result.passed, result.failed, result.skipped, result.seconds);
row('all', passed, failed, skipped, seconds);
console.log('');
for (const {stage, reasons} of results) {
    for (const [reason, times] of reasons) console.log(`  skipped: ${stage}: ${times} in ${reason}`);
}
for (const {stage, failures} of results) {
    for (const failure of failures) console.log(`  failed: ${stage}: ${failure}`);
}
if (text && passed + failed === 0) console.log(`  no test case has "${text}" in its name`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
