// npm run test:packaging: packs the package, installs the tarball into fresh projects, and uses it there: in Node, and
// in Chromium behind every way to bundle it, each with a round trip to the real server.
//
//   node packaging/run.mjs [OPTION OF node --test]...
//
// The report for programs is test-results/packaging.xml (JUnit).

import {execFileSync, spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {home} from '../build_options.mjs';

const root = join(home, '..');
const build = (part) => execFileSync(join(root, 'script/build'), [part], {stdio: ['ignore', 'inherit', 'inherit']});
if (!existsSync(join(home, 'dist/index.js'))) build('sdk');
if (!existsSync(join(root, 'build/release/pulsewired'))) build('release');

const folder = mkdtempSync(join(tmpdir(), 'pulsewire-packaging-'));
const results = join(home, 'test-results');
mkdirSync(results, {recursive: true});
try {
    const [{filename}] = JSON.parse(execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {cwd: home, encoding: 'utf8', env: {...process.env, npm_config_loglevel: 'error'}}));
    // Once, and copied into each project: npm takes three seconds for what is the same each time.
    const installed = join(folder, 'installed');
    mkdirSync(installed);
    writeFileSync(join(installed, 'package.json'), '{"private": true}');
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--offline', join(folder, filename)], {cwd: installed, stdio: ['ignore', 'ignore', 'inherit']});
    const tests = readdirSync(join(home, 'packaging')).filter((name) => name.endsWith('.test.mjs')).map((name) => join(home, 'packaging', name));
    const {status} = spawnSync(
        process.execPath,
        [
            '--test', '--test-concurrency=1', '--test-timeout=180000', '--test-reporter=spec', '--test-reporter-destination=stdout',
            '--test-reporter=junit', `--test-reporter-destination=${join(results, 'packaging.xml')}`,
            ...process.argv.slice(2), ...tests,
        ],
        {stdio: 'inherit', env: {...process.env, npm_config_loglevel: 'error', TEST_TARBALL: join(folder, filename), TEST_PROJECTS: folder}},
    );
    process.exitCode = status ?? 1;
} finally {
    rmSync(folder, {recursive: true, force: true});
}
