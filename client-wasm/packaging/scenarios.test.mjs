// The same scenarios with the test server of `pulsewire/test` and with the real server: the outcomes are the same, so what
// a test finds with the one holds for the other.

import assert from 'node:assert/strict';
import {join} from 'node:path';
import {before, describe, test} from 'node:test';
import {pathToFileURL} from 'node:url';
import {realWorld} from './scenarios/real_world.mjs';
import {scenarios, slowScenarios, tokenScenarios} from './scenarios/scenarios.mjs';
import {testWorld} from './scenarios/test_world.mjs';
import {project} from './support.mjs';

const folder = project('scenarios');
const installed = (name) => import(pathToFileURL(join(folder, 'node_modules/pulsewire/dist', `${name}.js`)).href);
const parts = {...(await installed('index')), ...(await installed('requests')), ...(await installed('test'))};

async function outcomeIn(makeWorld, run, options) {
    const world = await makeWorld(parts, options);
    try {
        return await run(world, parts);
    } finally {
        await world.close();
    }
}

const groups = [
    ['a server', scenarios, {}], ['a server with tokens', tokenScenarios, {tokens: true}], ['a server of slow clients', slowScenarios, {slow: true}],
];

// All of these come first: in virtual time, timers of real sockets that are still there would go wrong.
const tested = new Map();
before(async () => {
    for (const [kind, all, options] of groups) {
        for (const [name, run] of Object.entries(all)) {
            tested.set(`${kind}: ${name}`, await outcomeIn(testWorld, run, options).then((outcome) => ({outcome}), (error) => ({error})));
        }
    }
});

for (const [kind, all, options] of groups) {
    describe(kind, () => {
        for (const [name, run] of Object.entries(all)) {
            test(name, async () => {
                const {outcome, error} = tested.get(`${kind}: ${name}`);
                if (error) throw error;
                const real = await outcomeIn(realWorld, run, options);
                assert.deepEqual(outcome, real);
                assert.ok(JSON.stringify(real).length > 2, 'there is an outcome');
            });
        }
    });
}
