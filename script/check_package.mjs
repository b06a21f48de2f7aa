// Makes the Debian packages of a build and proves what an operator relies on: what is in them, that the server
// runs with its packaged configuration, and that manual, completion, unit, checksums and the list of parts are sound.
//
//   node script/check_package.mjs BUILD
//
// Tools that are not installed (man, lintian, systemd-analyze) are skipped with a sentence.

import {execFileSync, spawn, spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {freePort} from './free_port.mjs';

const [build] = process.argv.slice(2);
const answerMs = 10_000;
const exposureMax = 2.0;
const root = fileURLToPath(new URL('..', import.meta.url));
const run = (...command) => execFileSync(command[0], command.slice(1), {encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], cwd: root}).trim();
const has = (tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0;
const expect = (condition, sentence) => { if (!condition) throw new Error(sentence); };
const proven = (sentence) => console.log(sentence);

const work = mkdtempSync(join(tmpdir(), 'pulsewire-package-'));
const out = join(work, 'packages');
const unpacked = join(work, 'unpacked');

function packageOf(name) {
    const found = readdirSync(out).filter((file) => file.startsWith(`${name}_`) && file.endsWith('.deb'));
    expect(found.length === 1, `there is not one package ${name}, but ${found.length}`);
    return join(out, found[0]);
}

// Path, mode, owner of every file.
function contentsOf(deb) {
    return run('dpkg-deb', '--contents', deb).split('\n').map((line) => {
        const [, mode, owner, path] = /^(\S+)\s+(\S+)\s+\S+\s+\S+\s+\S+\s+\.(\/\S*)/.exec(line);
        return {mode, owner, path};
    });
}

function checkContents() {
    const wanted = {
        'pulsewired': ['/usr/bin/pulsewired', '/usr/lib/systemd/system/pulsewired.service', '/etc/pulsewire/pulsewire.json',
            '/etc/pulsewire/credentials/', '/usr/share/man/man8/pulsewired.8.gz', '/usr/share/bash-completion/completions/pulsewired',
            '/usr/share/doc/pulsewired/operating.md', '/usr/share/doc/pulsewired/examples/nginx.conf', '/usr/share/doc/pulsewired/copyright'],
        'pulsewire-dev': ['/usr/include/pulsewire/server/server.hpp', '/usr/lib/libpulsewire_server.a', '/usr/lib/cmake/pulsewire/pulsewire-config.cmake',
            '/usr/share/doc/pulsewire-dev/copyright'],
        'pulsewire-bench': ['/usr/bin/pulsewire-bench', '/usr/share/man/man1/pulsewire-bench.1.gz', '/usr/share/doc/pulsewire-bench/copyright'],
    };
    for (const [name, paths] of Object.entries(wanted)) {
        const contents = contentsOf(packageOf(name));
        for (const path of paths) expect(contents.some((one) => one.path === path), `${name} lacks ${path}`);
        const foreign = contents.find((one) => one.owner !== 'root/root' || /testing|_test|\/sim\//.test(one.path));
        expect(!foreign, `${name} has ${foreign?.path} of ${foreign?.owner}`);
        const others = Object.entries(wanted).filter(([other]) => other !== name).flatMap(([, list]) => list);
        expect(!contents.some((one) => others.includes(one.path)), `${name} has files of another package`);
    }
    const credentials = contentsOf(packageOf('pulsewired')).find((one) => one.path === '/etc/pulsewire/credentials/');
    expect(credentials.mode === 'drwx------', `the folder of credentials has the mode ${credentials.mode}`);
    proven('the three packages have what they should, and nothing of each other');
}

function checkControl() {
    const field = (name, what) => run('dpkg-deb', '--field', packageOf(name), what);
    for (const library of ['libc6', 'libssl3', 'libcurl4', 'librocksdb'])
        expect(field('pulsewired', 'Depends').includes(library), `pulsewired does not depend on ${library}: ${field('pulsewired', 'Depends')}`);
    expect(!/rocksdb/.test(field('pulsewire-bench', 'Depends')), 'pulsewire-bench depends on what the server needs');
    expect(/libboost[\d.]+-dev/.test(field('pulsewire-dev', 'Depends')), 'pulsewire-dev does not depend on Boost');
    const control = join(work, 'control');
    run('dpkg-deb', '--control', packageOf('pulsewired'), control);
    expect(readFileSync(join(control, 'conffiles'), 'utf8').trim() === '/etc/pulsewire/pulsewire.json', 'the config file is no conffile');
    for (const script of ['postinst', 'prerm', 'postrm']) {
        expect((statSync(join(control, script)).mode & 0o777) === 0o755, `${script} has the wrong mode`);
        run('sh', '-n', join(control, script));
    }
    proven(`their dependencies are those of their libraries: ${field('pulsewired', 'Depends').split(', ').length} for the server`);
}

async function checkRuns() {
    run('dpkg-deb', '--extract', packageOf('pulsewired'), unpacked);
    const program = join(unpacked, 'usr/bin/pulsewired');
    const config = join(unpacked, 'etc/pulsewire/pulsewire.json');
    expect(run(program, '--check-config', '--config', config) === 'the configuration can be used', 'the packaged configuration has a fault');
    const port = await freePort();
    const server = spawn(program, ['--config', config, '--port', String(port), '--data', join(work, 'data'), '--log-format', 'json'], {stdio: ['ignore', 'ignore', 'pipe']});
    let log = '';
    server.stderr.on('data', (text) => { log += text; });
    const ended = new Promise((resolve) => server.on('exit', resolve));
    try {
        const until = Date.now() + answerMs;
        const ask = (path, options) => fetch(`http://127.0.0.1:${port}${path}`, {...options, signal: AbortSignal.timeout(answerMs)});
        let ready = false;
        while (!ready && Date.now() < until && server.exitCode === null)
            ready = await ask('/readyz').then(async (answer) => await answer.text() === 'ready\n', () => new Promise((resolve) => { setTimeout(resolve, 20, false); }));
        expect(ready, `the packaged server is not ready: ${log}`);
        expect((await ask('/livez')).status === 200, '/livez does not answer 200');
        const published = await ask('/api/channels/a/messages', {method: 'POST', body: '{"payload":1}'});
        expect(published.status === 200, `a publish was answered by ${published.status}`);
    } finally {
        server.kill('SIGTERM');
    }
    expect(await ended === 0, `the packaged server ended with ${await ended}`);
    const lines = log.trim().split('\n').map((line) => JSON.parse(line));
    expect(lines[0].event === 'start' && lines.some((line) => line.event === 'connection_ended'), `its log lacks lines: ${log}`);
    proven(`the packaged server runs with its configuration; its log is ${lines.length} objects`);
}

// What can be seen of ops/Containerfile without making the image (script/check_container.mjs makes it).
function checkContainerfile() {
    const text = readFileSync(join(root, 'ops/Containerfile'), 'utf8');
    const environment = Object.fromEntries([...text.matchAll(/^ENV (\w+)=(\S+)$/gm)].map(([, name, value]) => [name, value]));
    const [program] = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(text)[1]);
    environment.PULSEWIRE_CONFIG = join(unpacked, environment.PULSEWIRE_CONFIG);
    const judged = (more) => spawnSync(join(unpacked, program), ['--check-config'], {encoding: 'utf8', env: {...environment, ...more}});
    const closed = judged({});
    expect(closed.status === 2 && closed.stderr.includes('API key'), `an image without a key would start: ${closed.stderr}`);
    const open = judged({PULSEWIRE_API_KEY: 'a-key-of-the-check', PULSEWIRE_INSECURE_OPEN_CLIENTS: 'true'});
    expect(open.status === 0 && open.stderr === '', `the settings of the image: ${open.stderr}`);
    proven('the settings of the image are known, and want an API key');
}

function checkPages() {
    const man = (path) => {
        const shown = spawnSync('man', ['--warnings', '-E', 'UTF-8', '-l', '-Tutf8', path], {encoding: 'utf8', env: {...process.env, MANWIDTH: '100', LC_ALL: 'C.UTF-8'}});
        return {...shown, stdout: shown.stdout.replace(/.\x08/g, '')};  // bold is printed twice
    };
    if (has('man')) {
        run('dpkg-deb', '--extract', packageOf('pulsewire-bench'), unpacked);
        for (const page of ['man8/pulsewired.8.gz', 'man1/pulsewire-bench.1.gz']) {
            const shown = man(join(unpacked, 'usr/share/man', page));
            expect(shown.status === 0 && shown.stderr === '', `${page} does not format: ${shown.stderr}`);
            expect(/--\w/.test(shown.stdout), `${page} shows no option`);
        }
        expect(/--log-format/.test(man(join(unpacked, 'usr/share/man/man8/pulsewired.8.gz')).stdout), 'the manual lacks --log-format');
        proven('the manuals format without a warning');
    } else {
        proven('skipped: man is not installed, so the manuals are not formatted');
    }
    const completed = (words) => run('bash', '-c',
        `source ${join(unpacked, 'usr/share/bash-completion/completions/pulsewired')}; COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); ` +
        'COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _pulsewired; echo "${COMPREPLY[*]}"');
    expect(completed(['pulsewired', '--log-f']) === '--log-format', 'the completion does not know --log-format');
    expect(completed(['pulsewired', '--log-level', 'w']) === 'warning', 'the completion does not know log levels');
    expect(completed(['pulsewired', 'to']) === 'token', 'the completion does not know the command token');
    expect(completed(['pulsewired', 'token', '--us']) === '--user', 'the completion does not know the flags of token');
    proven('bash completes flags, values and commands');
}

function checkUnit() {
    if (!has('systemd-analyze')) return proven('skipped: systemd-analyze is not installed, so the unit is not verified');
    const folder = join(work, 'units');
    mkdirSync(folder);
    const unit = join(folder, 'pulsewired.service');
    const text = readFileSync(join(unpacked, 'usr/lib/systemd/system/pulsewired.service'), 'utf8');
    // The program is not at its place here, and its manual neither.
    writeFileSync(unit, text.replace('/usr/bin/pulsewired', join(unpacked, 'usr/bin/pulsewired')).replace(/^Documentation=.*\n/m, ''));
    const verified = spawnSync('systemd-analyze', ['verify', '--man=no', unit], {encoding: 'utf8'});
    const complaints = verified.stderr.split('\n').filter((line) => line.includes('pulsewired'));
    expect(complaints.length === 0, `systemd-analyze verify: ${complaints.join('\n')}`);
    const judged = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', unit], {encoding: 'utf8'});
    const exposure = Number(/exposure level for \S+: ([\d.]+)/.exec(judged.stdout)?.[1]);
    expect(exposure <= exposureMax, `the unit's exposure level is ${exposure}, and may be ${exposureMax}`);
    proven(`the unit is verified; its exposure level is ${exposure}`);
}

function checkLists() {
    for (const line of readFileSync(join(out, 'SHA256SUMS'), 'utf8').trim().split('\n')) {
        const [sum, file] = line.split(/\s+/);
        expect(createHash('sha256').update(readFileSync(join(out, file))).digest('hex') === sum, `${file} has another checksum`);
    }
    const sums = readFileSync(join(out, 'SHA256SUMS'), 'utf8');
    for (const file of readdirSync(out)) expect(file === 'SHA256SUMS' || sums.includes(file), `SHA256SUMS lacks ${file}`);
    const sbom = JSON.parse(readFileSync(join(out, 'sbom.cdx.json'), 'utf8'));
    const names = new Set(sbom.components.map(({name}) => name));
    for (const name of ['libc6', 'librocksdb-dev', 'nlohmann-json3-dev', 'esbuild', ...readdirSync(out).filter((file) => /\.(deb|tgz)$/.test(file))])
        expect(names.has(name), `the list of parts lacks ${name}`);
    const refs = new Set(sbom.components.map((one) => one['bom-ref']));
    expect(refs.size === sbom.components.length, 'two parts have one name');
    for (const {dependsOn} of sbom.dependencies) for (const ref of dependsOn) expect(refs.has(ref), `${ref} is needed and not listed`);
    proven(`checksums are right; the list of parts has ${sbom.components.length}`);
}

function checkLintian() {
    if (!has('lintian')) return proven('skipped: lintian is not installed');
    // Whoever gives the packages to others names themselves; this tree has no address.
    const address = 'bogus-mail-host,bogus-mail-host-in-debian-changelog';
    const said = spawnSync('lintian', ['--fail-on', 'error', '--tag-display-limit', '0', '--suppress-tags', address, ...['pulsewired', 'pulsewire-dev', 'pulsewire-bench'].map(packageOf)], {encoding: 'utf8'});
    expect(said.status === 0, `lintian finds errors:\n${said.stdout}${said.stderr}`);
    proven('lintian finds no errors');
}

try {
    run('script/package', '--from', build, out);
    checkContents();
    checkControl();
    await checkRuns();
    checkContainerfile();
    checkPages();
    checkUnit();
    checkLists();
    checkLintian();
} catch (error) {
    console.error(error.message);
    process.exitCode = 1;
} finally {
    rmSync(work, {recursive: true, force: true});
}
