// The entry pulsewire/test in the tools that people test with, and in a page.

import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {existsSync, readFileSync, readdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {test} from 'node:test';
import * as esbuild from 'esbuild';
import {home} from '../build_options.mjs';
import {launchChromium, project, resultOf, startPages} from './support.mjs';

const require = createRequire(import.meta.url);
const source = join(home, 'packaging/test_tools');
const textOf = (name) => readFileSync(join(source, name), 'utf8');

test('a test of an application runs in Vitest', () => {
    const folder = project('vitest', Object.fromEntries(readdirSync(join(source, 'vitest')).map((name) => [name, textOf(`vitest/${name}`)])));
    symlinkSync(join(home, '../node_modules/vitest'), join(folder, 'node_modules/vitest'));
    const program = join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs');
    const {status, stdout, stderr} = spawnSync(process.execPath, [program, 'run', '--reporter=verbose', '--no-color'], {cwd: folder, encoding: 'utf8', timeout: 120_000});
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /Tests +5 passed/);
});

test('and in Jest, with Node and with jsdom', (t) => {
    const runtimes = join(home, 'packaging/runtimes/node_modules');
    if (!existsSync(runtimes)) return t.skip('script/bootstrap brings Jest for tests');
    const folder = project('jest-test-server', {'package.json': '{"private": true}'});
    for (const environment of ['jsdom', 'node']) {
        symlinkSync(join(runtimes, `jest-environment-${environment}`), join(folder, `node_modules/jest-environment-${environment}`));
        writeFileSync(join(folder, `${environment}.test.js`), `/** @jest-environment ${environment} */\n${textOf('chat.test.cjs')}`);
    }
    const {status, stderr} = spawnSync(process.execPath, [join(runtimes, 'jest/bin/jest.js'), '--rootDir', folder, '--ci', '--runInBand'], {cwd: folder, encoding: 'utf8', timeout: 120_000});
    assert.equal(status, 0, stderr);
    assert.match(stderr, /Tests: +6 passed/);
});

test('and in a page, which needs no server', async () => {
    const folder = project('test-server-page', {
        'main.js': textOf('page.js'),
        'out/index.html': `<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self' 'wasm-unsafe-eval'"><title>-</title><script type="module" src="main.js"></script>`,
    });
    await esbuild.build({absWorkingDir: folder, entryPoints: ['main.js'], bundle: true, format: 'esm', outdir: join(folder, 'out'), logLevel: 'error'});
    const pages = await startPages();
    const browser = await launchChromium();
    try {
        const result = await resultOf(browser, pages.add(join(folder, 'out')), {});
        assert.deepEqual(result, {heard: ['grüße 1', 'grüße 2', 'grüße 3'], states: ['open', 'open', 'sse']});
    } finally {
        await browser.close();
        await pages.stop();
    }
});
