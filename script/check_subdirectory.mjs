// Proves what docs/cpp.md says: a project that has this tree as a subdirectory, and asks for nothing else, compiles an
// application, here server/examples/hello.cpp. The library itself is not built again; the tests of the server have it.
//
//   node script/check_subdirectory.mjs

import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [, documented] = /```cmake\n([^`]*)```/.exec(readFileSync(join(root, 'docs/cpp.md'), 'utf8'));

const folder = mkdtempSync(join(tmpdir(), 'pulsewire-subdirectory-'));
const run = (program, ...args) => execFileSync(program, args, {cwd: folder, stdio: ['ignore', 'inherit', 'inherit']});
try {
    writeFileSync(join(folder, 'CMakeLists.txt'), `cmake_minimum_required(VERSION 3.25)
project(my_server LANGUAGES CXX)
add_executable(my_server ${JSON.stringify(join(root, 'server/examples/hello.cpp'))})
${documented.replace('add_subdirectory(pulsewire)', `add_subdirectory(${JSON.stringify(root)} pulsewire)`)}
file(GENERATE OUTPUT object CONTENT "$<TARGET_OBJECTS:my_server>")
`);
    run('cmake', '-G', 'Ninja', '-B', 'build', '--log-level=WARNING');
    const object = readFileSync(join(folder, 'build/object'), 'utf8');
    run('ninja', '-C', 'build', object.slice(join(folder, 'build/').length));
    console.log('an application with this tree as a subdirectory compiles');
} finally {
    rmSync(folder, {recursive: true, force: true});
}
