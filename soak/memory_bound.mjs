// How a process gets a bound of its memory: by a control group where one can be made, otherwise by RLIMIT_DATA.
//
// A group counts what is resident, as a container does, and the kernel kills beyond it. RLIMIT_DATA counts what is asked
// for, whether touched or not, and the allocation beyond it fails; so it is the stricter one of the two.

import {existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';

// The group of version 2 out of /proc/self/cgroup; undefined where there is none.
export const ownGroup = (text) => /^0::(\/.*)$/m.exec(text)?.[1];

// Makes a group for one process below its own one's parent, and returns its folder; undefined where that may not be.
function makeGroup(bytes, mount, own) {
    if (!own) return undefined;
    for (const parent of new Set([own, dirname(own)])) {
        const folder = join(mount, parent, `pulsewire-soak-${process.pid}`);
        try {
            if (!readFileSync(join(mount, parent, 'cgroup.subtree_control'), 'utf8').split(/\s/).includes('memory')) continue;
            mkdirSync(folder);
            writeFileSync(join(folder, 'memory.max'), `${bytes}`);
            if (existsSync(join(folder, 'memory.swap.max'))) writeFileSync(join(folder, 'memory.swap.max'), '0');
            return folder;
        } catch {
            // not ours to make; the next one may be
        }
    }
    return undefined;
}

// {kind, command(program), remove()}: the command runs a program within the bound, under the same process number.
export function memoryBound(bytes, {mount = '/sys/fs/cgroup', own = ownGroup(readFileSync('/proc/self/cgroup', 'utf8'))} = {}) {
    const files = 'ulimit -n "$(ulimit -Hn)"';
    const group = makeGroup(bytes, mount, own);
    const limit = group ? `echo $$ >'${group}/cgroup.procs'` : `ulimit -d ${Math.floor(bytes / 1024)}`;
    return {
        kind: group ? 'a control group' : 'RLIMIT_DATA',
        command: (program) => ['bash', '-c', `set -e; ${files}; ${limit}; exec "$0" "$@"`, ...program],
        remove() {
            if (group) rmdirSync(group);
        },
    };
}
