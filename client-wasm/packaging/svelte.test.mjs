// `pulsewire/svelte` as it is packed: the chat of docs/frameworks.md in Svelte 5.

import {after, before, test} from 'node:test';
import {svelte, vitePreprocess} from '@sveltejs/vite-plugin-svelte';
import {chatTests, serverTest, startApp} from './frameworks/app.mjs';

let app;
before(async () => {
    app = await startApp({
        name: 'svelte', heading: 'Svelte', links: ['svelte'], plugins: [svelte({configFile: false, preprocess: vitePreprocess()})],
        include: ['svelte', 'svelte/store', 'svelte/internal/client', 'svelte/internal/disclose-version', 'svelte/internal/flags/async'],
    });
});
after(() => app?.stop());

chatTests(test, () => app);

serverTest(test, () => app, {file: 'ts', looks: /<section><p>connecting, here: <\/p> <!--/});
