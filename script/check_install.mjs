// Installs a build into a fresh folder and proves that it holds the two programs for users, and nothing else.
//
//   node script/check_install.mjs BUILD

import {execFileSync} from 'node:child_process';
import {mkdtempSync, readdirSync, readFileSync, rmSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

const [build] = process.argv.slice(2);
const [, version] = /^project\(pulsewire VERSION ([\d.]+)/m.exec(readFileSync(new URL('../CMakeLists.txt', import.meta.url), 'utf8'));
const wanted = {'bin/pulsewire-bench': `pulsewire-bench ${version}`, 'bin/pulsewired': `pulsewire ${version}`};

const folder = mkdtempSync(join(tmpdir(), 'pulsewire-install-'));
try {
    execFileSync('cmake', ['--install', build, '--prefix', folder], {stdio: ['ignore', 'ignore', 'inherit']});
    const files = readdirSync(folder, {recursive: true}).filter((name) => statSync(join(folder, name)).isFile()).sort();
    if (files.join() !== Object.keys(wanted).join()) throw new Error(`these were installed: ${files.join(', ') || 'no files'}`);
    for (const [file, answer] of Object.entries(wanted)) {
        const said = execFileSync(join(folder, file), ['--version'], {encoding: 'utf8'}).trim();
        if (said !== answer) throw new Error(`${file} --version says '${said}', not '${answer}'`);
        console.log(`${file} is installed: ${said}`);
    }
} finally {
    rmSync(folder, {recursive: true, force: true});
}
