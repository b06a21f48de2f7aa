// `pulsewire/angular` as it is packed: the chat of docs/frameworks.md in Angular, which compiles it in the browser.

import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {chatTests, connections, startApp} from './frameworks/app.mjs';

// Angular's own build says so of each input that is a signal; without a build the compiler cannot see it.
const signalInputs = {
    name: 'signal-inputs',
    enforce: 'pre',
    transform: (code, id) => (id.endsWith('/chat.ts') ? code
        .replace('import {', 'import {Input, ')
        .replace(/readonly (\w+) = input\.required/g, `@Input({isSignal: true, alias: '$1', required: true} as any) $&`) : undefined),
};

let app;
before(async () => {
    app = await startApp({
        name: 'angular', heading: 'Angular', links: ['@angular', 'rxjs'], plugins: [signalInputs],
        include: ['@angular/compiler', '@angular/core', '@angular/platform-browser'],
    });
});
after(() => app?.stop());

chatTests(test, () => app);

test('where a page is rendered nothing connects', async () => {
    const {page, problems} = await app.visit();
    const view = await page.evaluateHandle(() => globalThis.onServer());
    // Time in which an effect would have run.
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.deepEqual(await view.evaluate((view) => view()), [[], 'subscribing', [], [], 'connecting']);
    assert.equal(await app.metric(connections), 0);
    assert.deepEqual(problems, []);
    await page.close();
});
