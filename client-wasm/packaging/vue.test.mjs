// `pulsewire/vue` as it is packed: the chat of docs/frameworks.md in Vue 3.

import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import vue from '@vitejs/plugin-vue';
import {chatTests, serverTest, startApp, subscriptions, until} from './frameworks/app.mjs';

let app;
before(async () => {
    app = await startApp({name: 'vue', heading: 'Vue', links: ['vue', '@vue'], plugins: [vue()], include: ['vue']});
});
after(() => app?.stop());

chatTests(test, () => app);

serverTest(test, () => app, {file: 'ts', looks: /^<!--\[--><section><p>connecting, here: <\/p><!----><ul>/});

test('outside of a component it lives as long as its scope', async () => {
    await app.say('scope', 'hello');
    const {page, problems} = await app.visit();
    await page.evaluate(() => globalThis.follow('chat:scope'));
    await page.waitForFunction(() => globalThis.heard.join() === '1');
    assert.equal(await app.metric(subscriptions), 1);
    await page.evaluate(() => globalThis.stop());
    await until(async () => (await app.metric(subscriptions)) === 0, 'the subscription ends with the scope');
    assert.deepEqual(problems, []);
    await page.close();
});
