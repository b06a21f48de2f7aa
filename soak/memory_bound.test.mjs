import assert from 'node:assert/strict';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {execFileSync} from 'node:child_process';
import {test} from 'node:test';

import {memoryBound, ownGroup} from './memory_bound.mjs';

function mounted(controllers) {
    const mount = mkdtempSync(join(tmpdir(), 'pulsewire-groups-'));
    mkdirSync(join(mount, 'user/session'), {recursive: true});
    writeFileSync(join(mount, 'user/cgroup.subtree_control'), controllers);
    return mount;
}

test('the own group is that of version 2', () => {
    assert.equal(ownGroup('4:memory:/x\n0::/user/session\n'), '/user/session');
    assert.equal(ownGroup('4:memory:/x\n'), undefined);
});

test('a group is made beside the own one where that may bound memory', () => {
    const mount = mounted('cpu memory pids\n');
    const bound = memoryBound(1_000_000, {mount, own: '/user/session'});
    const folder = join(mount, 'user', `pulsewire-soak-${process.pid}`);
    assert.equal(bound.kind, 'a control group');
    assert.equal(readFileSync(join(folder, 'memory.max'), 'utf8'), '1000000');
    execFileSync(...bound.command(['true']).reduce(([program, args], word) => (program ? [program, [...args, word]] : [word, []]), ['', []]));
    assert.ok(existsSync(join(folder, 'cgroup.procs')), 'the process put itself into the group');
    rmSync(mount, {recursive: true});
});

test('elsewhere the process gets a limit of its own', () => {
    const mount = mounted('cpu pids\n');
    const bound = memoryBound(64 << 20, {mount, own: '/user/session'});
    assert.equal(bound.kind, 'RLIMIT_DATA');
    const [program, ...args] = bound.command(['bash', '-c', 'ulimit -d']);
    assert.equal(execFileSync(program, args, {encoding: 'utf8'}).trim(), '65536');
    rmSync(mount, {recursive: true});
});
