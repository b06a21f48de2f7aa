// The packed package in runtimes other than browsers, each with a round trip to the real server: where WebAssembly is
// missing or forbidden, and where a runtime chooses an entry by its own conditions.

import assert from 'node:assert/strict';
import {execFile, spawn, spawnSync} from 'node:child_process';
import {copyFileSync, existsSync, readFileSync, statSync, symlinkSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {createInterface} from 'node:readline';
import {after, before, describe, test} from 'node:test';
import {promisify} from 'node:util';
import * as esbuild from 'esbuild';
import {home, required} from '../build_options.mjs';
import {appFiles, project, startPulsewired} from './support.mjs';

const require = createRequire(import.meta.url);
// They are large, so they have a folder of their own: script/bootstrap brings them for tests alone.
const runtimes = join(home, 'packaging/runtimes');
const requireRuntime = createRequire(join(runtimes, 'package.json'));
const {resolve: metroResolve} = requireRuntime('metro-resolver');
const overWebSocket = {text: 'grüße 🎉', same: true, error: 'no_handler', transport: 'websocket', end: 'client_closed'};
const entries = ['pulsewire', 'pulsewire/js'];
const run = promisify(execFile);

let server;
before(async () => (server = await startPulsewired()));
after(() => server?.stop());

/** The program of that npm package; undefined, with a skipped test, where it has none for this machine. */
function programOf(t, name) {
    const path = join(runtimes, 'node_modules/.bin', name);
    const {status, error, stderr} = spawnSync(path, ['--version'], {encoding: 'utf8'});
    if (status === 0) return path;
    t.skip(`${name} does not start here: ${error?.message ?? stderr.trim().split('\n')[0]}`);
    return undefined;
}

const program = (before = '') => `
    ${before}
    const {roundTrip} = await import('./app.js');
    console.log(JSON.stringify(await roundTrip(process.argv[2], 'websocket')));`;

describe('Node', () => {
    // Node 22 has a WebSocket, which is made of WebAssembly itself.
    const script = program(`
        globalThis.WebSocket = (await import('node:module')).createRequire(import.meta.url)(process.argv[3]);
        delete globalThis.WebAssembly;`);
    for (const [entry, ...options] of [...entries.map((entry) => [entry]), ['pulsewire', '--conditions=react-native']]) {
        test(`${entry} without WebAssembly ${options.join()}`, async () => {
            const folder = project('node', {...appFiles(entry), 'run.mjs': script});
            const {stdout} = await run(process.execPath, [...options, 'run.mjs', server.url, require.resolve('ws')], {cwd: folder});
            assert.deepEqual(JSON.parse(stdout), overWebSocket);
        });
    }

    test('what is required is what is imported', async () => {
        const names = ['pulsewire', ...required.filter((name) => name !== 'frameworks' && name !== 'vue' && name !== 'react').map((name) => `pulsewire/${name}`)];
        const folder = project('require', {'run.cjs': `console.log(JSON.stringify(${JSON.stringify(names)}.map((name) => Object.keys(require(name)).sort())))`});
        const {stdout} = await run(process.execPath, ['run.cjs'], {cwd: folder, env: {...process.env, NODE_NO_WARNINGS: '1'}});
        const imported = await Promise.all(names.map(async (name) => Object.keys(await import(join(folder, 'node_modules/pulsewire/dist', `${name.slice(10) || 'index'}.js`))).sort()));
        assert.deepEqual(JSON.parse(stdout).map((each) => each.filter((key) => key !== '__esModule' && key !== 'module.exports')), imported);
    });
});

for (const [name, ...options] of [['bun', 'run'], ['deno', 'run', '--allow-net', '--no-prompt', '--node-modules-dir=manual']]) {
    describe(name, () => {
        for (const entry of entries) {
            test(entry, async (t) => {
                const path = programOf(t, name);
                if (!path) return;
                const folder = project(name, {...appFiles(entry), 'run.mjs': program(`import process from 'node:process';`)});
                const {stdout} = await run(path, [...options, 'run.mjs', server.url], {cwd: folder});
                assert.deepEqual(JSON.parse(stdout), overWebSocket);
            });
        }
    });
}

describe('workerd, of Cloudflare Workers', () => {
    const handler = (more = '') => `
        import {roundTrip} from './app.js';
        ${more}
        export default {fetch: async () => Response.json(await roundTrip(${JSON.stringify(server.url)}, 'websocket'))};`;

    /** What the worker answers, bundled with these conditions. */
    async function answerOf(t, {entry = 'pulsewire', conditions, more, modules = ''}) {
        const path = programOf(t, 'workerd');
        if (!path) return undefined;
        const folder = project('workerd', {...appFiles(entry), 'worker.js': handler(more)});
        await esbuild.build({
            absWorkingDir: folder, entryPoints: ['worker.js'], bundle: true, format: 'esm', conditions, outfile: join(folder, 'out/worker.js'), logLevel: 'error',
            external: ['./pulsewire.wasm'],
        });
        copyFileSync(join(folder, 'node_modules/pulsewire/dist/pulsewire.wasm'), join(folder, 'out/pulsewire.wasm'));
        writeFileSync(join(folder, 'out/config.capnp'), `
            using Workerd = import "/workerd/workerd.capnp";
            const config :Workerd.Config = (
                services = [
                    (name = "main", worker = (compatibilityDate = "2025-06-01", modules = [(name = "worker.js", esModule = embed "worker.js")${modules}])),
                    (name = "internet", network = (allow = ["local", "private"])),
                ],
                sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
            );`);
        const workerd = spawn(path, ['serve', 'config.capnp', '--control-fd=3'], {cwd: join(folder, 'out'), stdio: ['ignore', 'inherit', 'inherit', 'pipe']});
        const ended = new Promise((resolve) => workerd.on('exit', resolve));
        try {
            const port = await new Promise((resolve, reject) => {
                createInterface(workerd.stdio[3]).on('line', (line) => resolve(JSON.parse(line).port));
                ended.then((code) => reject(new Error(`workerd ended with ${code}`)));
            });
            return await (await fetch(`http://127.0.0.1:${port}/`)).json();
        } finally {
            workerd.kill();
            await ended;
        }
    }

    test('pulsewire, as its condition has it', async (t) => {
        const answer = await answerOf(t, {conditions: ['workerd', 'worker', 'browser']});
        if (answer) assert.deepEqual(answer, overWebSocket);
    });

    test('pulsewire/wasm, with the module imported', async (t) => {
        const more = `import module from './pulsewire.wasm'; import {init} from 'pulsewire/wasm'; await init(module);`;
        const answer = await answerOf(t, {entry: 'pulsewire/wasm', conditions: ['workerd', 'worker', 'browser'], more, modules: ', (name = "pulsewire.wasm", wasm = embed "pulsewire.wasm")'});
        if (answer) assert.deepEqual(answer, overWebSocket);
    });

    test('a bundle without that condition says what is wrong', async (t) => {
        const answer = await answerOf(t, {conditions: ['browser']});
        if (!answer) return;
        assert.equal(answer.reason, 'wasm_blocked');
        assert.match(answer.message, /import pulsewire\/js/);
    });
});

describe('Jest', () => {
    const inTest = (url, environment) => `/** @jest-environment ${environment} */
        const {connect, PulsewireError} = require('pulsewire');
        const {list} = require('pulsewire/list');
        const {customStorage} = require('pulsewire/storage');
        const {handle} = require('pulsewire/requests');
        const {useChannel} = require('pulsewire/react');
        test('round trip', async () => {
            expect([list, customStorage, handle, useChannel].map((value) => typeof value)).toEqual(Array(4).fill('function'));
            globalThis.WebSocket ??= require('ws');
            const client = connect(${JSON.stringify(url)}, {transport: 'websocket'});
            const channel = client.channel('jest:${environment}');
            const {subscribe, getSnapshot} = list(channel);
            const arrived = new Promise((resolve) => subscribe(() => getSnapshot().length && resolve(getSnapshot()[0].payload)));
            await channel.publish('greeting', 'grüße 🎉');
            expect(await arrived).toBe('grüße 🎉');
            await expect(client.request('nobody.home')).rejects.toBeInstanceOf(PulsewireError);
            client.close();
        });`;

    test('requires the package without any configuration, in its environments', async () => {
        const folder = project('jest');
        const free = await startPulsewired('--allow-origin', '*');
        try {
            for (const environment of ['jsdom', 'node']) writeFileSync(join(folder, `${environment}.test.js`), inTest(free.url, environment));
            writeFileSync(join(folder, 'package.json'), '{"private": true}');
            for (const name of ['ws', 'react', 'jest-environment-jsdom', 'jest-environment-node']) symlinkSync(dirname((name.startsWith('jest') ? requireRuntime : require).resolve(`${name}/package.json`)), join(folder, 'node_modules', name));
            const {status, stderr} = spawnSync(process.execPath, [join(runtimes, 'node_modules/jest/bin/jest.js'), '--rootDir', folder, '--ci', '--runInBand', '--forceExit'], {cwd: folder, encoding: 'utf8', timeout: 60_000});
            assert.equal(status, 0, stderr);
        } finally {
            await free.stop();
        }
    });
});

describe('React Native', () => {
    /** Metro's own resolver, with the conditions of React Native. */
    function resolveInMetro(folder, name, isESMImport) {
        const lookUp = (path) => (existsSync(path) ? {exists: true, type: statSync(path).isFile() ? 'f' : 'd', realPath: path} : {exists: false});
        const context = {
            allowHaste: false, assetExts: new Set(), customResolverOptions: {}, dev: false, disableHierarchicalLookup: false, doesFileExist: existsSync,
            extraNodeModules: undefined, fileSystemLookup: lookUp, isESMImport, mainFields: ['react-native', 'browser', 'main'], nodeModulesPaths: [],
            originModulePath: join(folder, 'app.js'), preferNativePlatform: true, redirectModulePath: (path) => path, resolveAsset: () => undefined,
            getPackage: (path) => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : null),
            getPackageForModule: (path) => {
                const rootPath = join(folder, 'node_modules/pulsewire');
                return path.startsWith(rootPath) ? {packageJson: JSON.parse(readFileSync(join(rootPath, 'package.json'), 'utf8')), rootPath, packageRelativePath: path.slice(rootPath.length + 1)} : null;
            },
            resolveHasteModule: () => undefined, resolveHastePackage: () => undefined, sourceExts: ['js', 'json', 'ts', 'cjs'],
            unstable_conditionNames: ['react-native'], unstable_conditionsByPlatform: {web: ['browser']}, unstable_enablePackageExports: true,
            unstable_incompatibleModules: [], unstable_logWarning: (warning) => assert.fail(warning),
        };
        return metroResolve(context, name, 'ios').filePath.split('/dist/')[1];
    }

    test('Metro finds the entry without WebAssembly', () => {
        const folder = project('metro', {'app.js': ''});
        for (const [name, imported, needed] of [
            ['pulsewire', 'js.js', 'js.cjs'], ['pulsewire/js', 'js.js', 'js.cjs'], ['pulsewire/react', 'react.js', 'react.cjs'], ['pulsewire/list', 'list.js', 'list.cjs'],
        ]) {
            assert.equal(resolveInMetro(folder, name, true), imported);
            assert.equal(resolveInMetro(folder, name, false), needed);
        }
    });

    test('the compiler of Hermes takes it', async (t) => {
        const platform = {linux: 'linux64-bin', darwin: 'osx-bin'}[process.platform];
        const hermesc = join(dirname(requireRuntime.resolve('hermes-compiler/package.json')), `hermesc/${platform}/hermesc`);
        if (spawnSync(hermesc, ['--version']).status !== 0) return t.skip('hermesc does not start here');
        const folder = project('hermes', appFiles());
        // Babel lowers asynchronous generators for React Native, esbuild does it here.
        await esbuild.build({absWorkingDir: folder, entryPoints: ['app.js'], bundle: true, conditions: ['react-native'], format: 'iife', globalName: 'app', supported: {'async-generator': false}, outfile: join(folder, 'out.js'), logLevel: 'error'});
        const {status, stderr} = spawnSync(hermesc, ['-emit-binary', '-O', '-w', '-out', join(folder, 'out.hbc'), join(folder, 'out.js')], {encoding: 'utf8'});
        assert.equal(status, 0, stderr.slice(0, 2000));
    });
});

test('the types of what is required are those of what is imported', () => {
    const folder = project('required-types', {
        'package.json': '{"private": true}',
        'app.cts': `
            import pulsewire = require('pulsewire');
            import {list, type MessageList} from 'pulsewire/list';
            import {browserStorage} from 'pulsewire/storage';
            const client: pulsewire.Client = pulsewire.connect('http://a.test', {storage: browserStorage()});
            const messages: MessageList<any> = list(client.channel('a'));
            const code: pulsewire.ErrorCode | undefined = (new Error() as pulsewire.PulsewireError).code;
            client.request('r').catch((error) => error instanceof pulsewire.PulsewireError && error.code === code && messages);
            // @ts-expect-error a number is no address
            pulsewire.connect(1);`,
        'same.mts': `
            import {connect, type Client} from 'pulsewire';
            import {connect as inJs, type Client as Other} from 'pulsewire/js';
            const client: Client = inJs('http://a.test');
            const other: Other = connect('http://a.test');
            export {client, other};`,
    });
    const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');
    const {status, stdout} = spawnSync(process.execPath, [tsc, '--noEmit', '--strict', '--target', 'es2022', '--module', 'node16', '--types', '', 'app.cts', 'same.mts'], {cwd: folder, encoding: 'utf8'});
    assert.equal(status, 0, stdout);
});
