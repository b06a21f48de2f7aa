// Installs a build into a fresh folder and proves that it holds the two programs for users, and the library for programs
// of their own: one is built with find_package, outside of this tree, and runs.
//
//   node script/check_install.mjs BUILD

import {execFileSync} from 'node:child_process';
import {copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

const [build] = process.argv.slice(2);
const root = fileURLToPath(new URL('..', import.meta.url));
const [, version] = /^project\(pulsewire VERSION ([\d.]+)/m.exec(readFileSync(join(root, 'CMakeLists.txt'), 'utf8'));
const programs = {'bin/pulsewire-bench': `pulsewire-bench ${version}`, 'bin/pulsewired': `pulsewire ${version}`};
const run = (...command) => execFileSync(command[0], command.slice(1), {encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit']}).trim();

const folder = mkdtempSync(join(tmpdir(), 'pulsewire-install-'));
try {
    const installed = join(folder, 'installed');
    run('cmake', '--install', build, '--prefix', installed);
    const files = readdirSync(installed, {recursive: true}).filter((name) => statSync(join(installed, name)).isFile()).sort();
    const others = files.filter((name) => !/^(include\/pulsewire\/(common|server)\/.*\.hpp|lib(64|\/[\w-]+)?\/(libpulsewire_\w+\.a|cmake\/pulsewire\/[\w-]+\.cmake))$/.test(name));
    if (others.join() !== Object.keys(programs).join()) throw new Error(`these were installed: ${others.join(', ') || 'no programs'}`);
    const inner = files.filter((name) => /testing|test_|_test|\/sim\/|examples/.test(name));
    if (inner.length > 0) throw new Error(`these are for us alone: ${inner.join(', ')}`);
    for (const [file, answer] of Object.entries(programs)) {
        const said = run(join(installed, file), '--version');
        if (said !== answer) throw new Error(`${file} --version says '${said}', not '${answer}'`);
        console.log(`${file} is installed: ${said}`);
    }

    const own = join(folder, 'own');
    run('cmake', '-E', 'make_directory', own);
    copyFileSync(join(root, 'server/examples/hello.cpp'), join(own, 'hello.cpp'));
    writeFileSync(join(own, 'CMakeLists.txt'), `cmake_minimum_required(VERSION 3.25)
project(own LANGUAGES CXX)
find_package(pulsewire ${version} REQUIRED)
add_executable(hello hello.cpp)
target_link_libraries(hello PRIVATE pulsewire::server)
`);
    run('cmake', '-S', own, '-B', join(own, 'build'), `-DCMAKE_PREFIX_PATH=${installed}`);
    run('cmake', '--build', join(own, 'build'));
    const hello = join(own, 'build/hello');
    if (!existsSync(hello) || run(hello, '--version') !== `pulsewire ${version}`) throw new Error('a program of its own does not run');
    console.log('a program that finds the package is built, and runs');
} finally {
    rmSync(folder, {recursive: true, force: true});
}
