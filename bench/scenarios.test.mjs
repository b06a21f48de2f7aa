import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';

import {names} from './chart.mjs';
import {scenarios} from './scenarios.mjs';
import {commandOf, servers} from './servers.mjs';

const all = Object.entries(scenarios);
const bench = (...args) => spawnSync(process.execPath, [fileURLToPath(new URL('run.mjs', import.meta.url)), ...args], {encoding: 'utf8'});

test('a scenario’s peers are servers, and its goals name its peers', () => {
    for (const [name, {peers, figures = []}] of all) {
        for (const peer of peers) assert.ok(servers[peer], `${name}: ${peer}`);
        for (const {goals = {}} of figures) for (const peer of Object.keys(goals)) assert.ok(peers.includes(peer), `${name}: ${peer}`);
    }
});

test('each figure says which way is better, and each scenario has figures or rates', () => {
    for (const [name, {figures, rates}] of all) {
        assert.ok((figures === undefined) !== (rates === undefined), name);
        for (const {title, better} of figures ?? []) assert.ok(title && ['more', 'less'].includes(better), name);
    }
});

test('everybody who is drawn has a name', () => {
    for (const peer of scenarios.load.peers) assert.ok(names[peer], peer);
});

test('a server is started with what the scenario asks for, and only where it can', () => {
    const has = (name, how, option) => commandOf(name, undefined, how).command.includes(option);
    assert.ok(has('pulsewire', {durable: true}, '--data'));
    assert.ok(!has('pulsewire', {}, '--data'));
    assert.ok(!has('pulsewire-memory', {durable: true}, '--data'));
    assert.equal(commandOf('pulsewire', undefined, {deflate: true}).environment.PULSEWIRE_WEBSOCKET_COMPRESSION, 'true');
    assert.equal(commandOf('pulsewire', undefined, {}).environment.PULSEWIRE_WEBSOCKET_COMPRESSION, undefined);
    assert.ok(has('ws', {deflate: true}, '--deflate'));
    assert.ok(!has('ws', {}, '--deflate'));
    assert.ok(has('pulsewire', {tokens: 'HS256'}, '--token-secret-file'));
    assert.ok(!has('pulsewire', {}, '--token-issuer'));
});

test('script/bench lists its scenarios, and refuses what it does not know', () => {
    const {status, stdout} = bench('--list');
    assert.equal(status, 0);
    assert.deepEqual(stdout.trim().split('\n').map((line) => line.split(' ')[0]), Object.keys(scenarios));
    for (const [args, words] of [[['nothing'], /no scenario 'nothing'/], [['idle', '--rounds', 'x'], /--rounds/], [['idle', '--peers', 'x'], /no peer 'x'/], [['--x'], /--x/]]) {
        const refused = bench(...args);
        assert.equal(refused.status, 2, args.join(' '));
        assert.match(refused.stderr, words);
    }
});
