// Makes the image of ops/Containerfile from the packages of a build and proves what an operator relies on: it runs as
// nobody in particular, refuses to serve without keys, is found healthy by its own check, keeps its data in the volume, and ends
// with 0 when it is told to.
//
//   node script/check_container.mjs BUILD
//
// Takes root, buildah and debootstrap: the image is made in a store of its own, and from a bare Debian of the same release, so
// that nothing is fetched but Debian's packages. It takes some minutes.

import {execFileSync, spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {freePort} from './free_port.mjs';

const [build] = process.argv.slice(2);
const healthyMs = 20_000;
const stepMs = 50;
const root = fileURLToPath(new URL('..', import.meta.url));
const expect = (condition, sentence) => { if (!condition) throw new Error(sentence); };
const proven = (sentence) => console.log(sentence);
const run = (...command) => execFileSync(command[0], command.slice(1), {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], cwd: root, maxBuffer: 1 << 26}).trim();

const work = mkdtempSync(join(tmpdir(), 'pulsewire-container-'));
const buildah = (command, ...args) => run('buildah', '--root', join(work, 'store'), '--runroot', join(work, 'run'), '--storage-driver', 'vfs', command, ...args);
const base = /^FROM (\S+)$/m.exec(readFileSync(join(root, 'ops/Containerfile'), 'utf8'))[1];

function makeBase() {
    const folder = join(work, 'base');
    mkdirSync(folder);
    run('debootstrap', '--variant=minbase', /:(\w+)-slim$/.exec(base)[1], join(folder, 'debian'));
    writeFileSync(join(folder, 'Containerfile'), 'FROM scratch\nCOPY debian /\n');
    buildah('build', '--isolation', 'chroot', '--tag', base, folder);
    rmSync(folder, {recursive: true});
    proven(`${base} is a bare Debian`);
}

const mounted = [];

// The root of the image's files, and what it says of itself.
function makeImage() {
    const packages = join(work, 'packages');
    run('script/package', '--from', build, packages);
    buildah('build', '--isolation', 'chroot', '--network', 'host', '--pull-never', '--format', 'docker', '--file', 'ops/Containerfile', '--tag', 'pulsewired', packages);
    const container = buildah('from', '--pull-never', 'pulsewired');
    const {Docker: {config}} = JSON.parse(buildah('inspect', '--type', 'image', 'pulsewired'));
    const files = buildah('mount', container);
    run('mount', '--bind', '/proc', join(files, 'proc'));
    mounted.push(join(files, 'proc'));
    expect(readdirSync(join(files, 'var/lib/apt/lists')).length === 0, 'the image holds package lists');
    proven(`the image is made; its files have ${run('du', '-sxm', files).split('\t')[0]} MB`);
    return {files, config};
}

// Runs a command of the image as its user, with its environment and these variables more.
function inside({files, config}, command, variables, start) {
    const environment = [...config.Env, ...Object.entries(variables).map(([name, value]) => `${name}=${value}`)];
    return start('chroot', [`--userspec=${config.User}`, files, 'env', '-i', ...environment, ...command], {encoding: 'utf8', cwd: files});
}

async function checkRuns(image) {
    const {files, config} = image;
    expect(/^[1-9]\d*:[1-9]\d*$/.test(config.User), `its user is '${config.User}'`);
    const [volume] = Object.keys(config.Volumes);
    const refused = inside(image, config.Entrypoint, {}, spawnSync);
    expect(refused.status === 2 && /key/.test(refused.stderr), `without keys it ended with ${refused.status}: ${refused.stderr}`);
    proven('without keys it does not serve, and says what is missing');

    const variables = {PULSEWIRE_PORT: await freePort(), PULSEWIRE_API_KEY: 'a-key-for-the-test-of-the-image', PULSEWIRE_INSECURE_OPEN_CLIENTS: 'true'};
    const [shell, check] = config.Healthcheck.Test;
    expect(shell === 'CMD-SHELL', 'its health check is no command of a shell');
    const healthy = () => inside(image, ['/bin/sh', '-c', check], variables, spawnSync).status === 0;
    expect(!healthy(), 'it is healthy without a server');
    const server = inside(image, config.Entrypoint, variables, spawn);
    const ended = once(server, 'exit');
    let log = '';
    for (const stream of [server.stdout, server.stderr]) stream.on('data', (text) => { log += text; });
    try {
        for (const end = Date.now() + healthyMs; !healthy(); await pause(stepMs)) expect(Date.now() < end && server.exitCode === null, `it is not healthy: ${log}`);
        proven('it is healthy, as its own check says');
        const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
        expect(/^Uid:\t10001\t10001/m.test(status), `it runs as another user: ${status}`);
        const published = await fetch(`http://127.0.0.1:${variables.PULSEWIRE_PORT}/api/channels/a/messages`, {
            method: 'POST', body: '{"payload":1}', headers: {authorization: `Bearer ${variables.PULSEWIRE_API_KEY}`},
        });
        expect(published.status === 200, `a publish was answered by ${published.status}`);
    } finally {
        server.kill('SIGTERM');
    }
    const [code] = await ended;
    expect(code === 0, `it ended with ${code}: ${log}`);
    expect(!/warning/.test(log), `it warned: ${log}`);
    const kept = join(files, volume);
    expect(readdirSync(kept).length > 0 && (statSync(kept).mode & 0o777) === 0o700, `nothing is in ${volume}`);
    proven(`it publishes as user ${config.User}, keeps it in ${volume}, and ends with 0`);
}

const missing = ['buildah', 'debootstrap'].filter((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0);
try {
    expect(process.getuid() === 0, 'this takes root: it makes a Debian in a folder');
    expect(missing.length === 0, `not installed: ${missing.join(', ')}`);
    makeBase();
    await checkRuns(makeImage());
} catch (error) {
    console.error(error.stderr || error.message);
    process.exitCode = 1;
} finally {
    for (const folder of mounted) run('umount', folder);
    for (const command of ['umount', 'rm']) if (missing.length === 0) buildah(command, '--all');
    rmSync(work, {recursive: true, force: true});
}
