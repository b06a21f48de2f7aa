// `pulsewire/react` as it is packed: the chat of docs/frameworks.md in React 19 and 18, in StrictMode.

import assert from 'node:assert/strict';
import {after, before, describe, test} from 'node:test';
import react from '@vitejs/plugin-react';
import {chatTests, connections, lines, serverTest, startApp, subscriptions, until} from './frameworks/app.mjs';

const include = ['react', 'react-dom', 'react-dom/client', 'react/jsx-runtime', 'react/jsx-dev-runtime'];
const reactApp = (more) => startApp({name: 'react', heading: 'React', plugins: [react()], include, ...more});

describe('React 19', () => {
    let app;
    before(async () => {
        app = await reactApp({links: ['react', 'react-dom']});
    });
    after(() => app?.stop());

    chatTests(test, () => app);

    serverTest(test, () => app, {file: 'tsx', looks: /^<section><p>connecting<!-- -->, here: <\/p><ul><\/ul><form>/});

    test('a tree that suspends subscribes to nothing before it is there', async () => {
        await app.say('suspended', 'hello');
        const {page, problems} = await app.visit();
        await page.evaluate(() => globalThis.suspend('suspended'));
        await page.waitForFunction(() => document.querySelector('i'));
        await until(async () => (await app.metric(connections)) === 1, 'the page connects');
        assert.equal(await app.metric(subscriptions), 0);
        await page.evaluate(() => globalThis.release());
        await lines(page, [['server: hello']]);
        assert.deepEqual(problems, []);
        await page.close();
    });

    test('when the module that connects is replaced, its components go over to the new connection, which is the only one', async () => {
        await app.say('hot', 'before');
        const {page, problems} = await app.visit();
        await page.evaluate(() => globalThis.show({room: 'hot', user: 'Ada'}));
        await lines(page, [['server: before']]);
        await page.evaluate(() => (globalThis.sameTab = true));
        await page.locator('input').fill('half a sent');
        for (const text of ['once', 'twice']) {
            const total = 'pulsewire_connections_total{transport="websocket"}';
            const before = await app.metric(total);
            app.setRealtime(`// ${text}\n`);
            await until(async () => (await app.metric(total)) > before, 'the new module connects');
            await until(async () => (await app.metric(connections)) === 1, 'the old connection ends');
        }
        await app.say('hot', 'after');
        await lines(page, [['server: before', 'server: after']]);
        assert.equal(await page.evaluate(() => globalThis.sameTab), true);
        assert.equal(await page.locator('input').inputValue(), 'half a sent');
        assert.deepEqual(problems, []);
        await page.close();
    });

    test('arguments that are new in each rendering change nothing', async () => {
        const {page, problems} = await app.visit();
        await page.evaluate(() => globalThis.more(undefined, true));
        await page.waitForFunction(() => document.querySelector('p').innerText === 'idle 0');
        assert.equal(await page.evaluate(() => globalThis.publish('note', 'x').catch(({code}) => code)), 'invalid_argument');
        await page.evaluate(() => globalThis.more('more:1', true));
        await page.waitForFunction(() => document.querySelector('p').innerText === 'subscribed 1');
        await page.evaluate(() => globalThis.publish('note', 'hello'));
        await page.waitForFunction(() => document.querySelector('p').innerText === 'subscribed 1 hello');
        assert.ok(await page.evaluate(() => globalThis.renderings) < 20);
        assert.deepEqual(problems, []);
        await page.close();
    });

    test('a failure that no component reads goes to the console, and one that is read does not', async () => {
        for (const reading of [true, false]) {
            const {page, problems} = await app.visit();
            await page.evaluate((reading) => globalThis.more('more:2', reading), reading);
            await page.waitForFunction(() => document.querySelector('p').innerText.startsWith('subscribed'));
            await page.evaluate(() => void globalThis.publish('note', 'x'.repeat(3_000)));
            if (reading) await page.waitForFunction(() => document.querySelectorAll('p')[1].innerText === 'too_large');
            await until(() => reading || problems.length, 'told to the console');
            await new Promise((resolve) => setTimeout(resolve, 1_200));
            assert.equal(problems.length, reading ? 0 : 1, problems.join());
            if (!reading) assert.match(problems[0], /^publishing note in channel more:2: PulsewireError: /);
            await page.close();
        }
    });
});

describe('React 18', () => {
    let app;
    before(async () => {
        app = await reactApp({links: ['react-18', 'react-dom-18'], alias: {react: 'react-18', 'react-dom': 'react-dom-18'}});
    });
    after(() => app?.stop());

    chatTests(test, () => app);
});
