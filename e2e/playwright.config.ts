// Real browsers against the real server. What is tested is what was built: build/release and web/dist of this tree, or
// the folders that E2E_PROGRAMS and E2E_WEB_ROOT name. support/engines.ts says what runs where.
//
//   npm test -w e2e -- chat.spec.ts --project chromium

import {defineConfig} from '@playwright/test';
import {chromiumPath, firefoxPath, firefoxTests, inWebKit} from './support/engines.ts';

export default defineConfig({
    testDir: '.',
    testMatch: '*.spec.ts',
    outputDir: 'test-results/artifacts',
    // Every test has a server and browser contexts of its own.
    fullyParallel: true,
    // One more than processors, because a test also waits.
    workers: Number(process.env.E2E_WORKERS ?? 3),
    // A test that fails sometimes is a finding.
    retries: 0,
    forbidOnly: Boolean(process.env.CI),
    timeout: 60_000,
    expect: {timeout: 15_000},
    reporter: [['list'], ['json', {outputFile: 'test-results/results.json'}]],
    use: {
        // Each test pays for a trace, also those that pass: `--trace retain-on-failure` where one is looked for.
        trace: 'off',
        actionTimeout: 15_000,
        navigationTimeout: 30_000,
        viewport: {width: 1280, height: 900},
        locale: 'en-GB',
    },
    projects: [{
        name: 'chromium',
        testIgnore: ['webkit.spec.ts', 'firefox_delay.spec.ts'],
        use: {
            browserName: 'chromium',
            screenshot: 'only-on-failure',
            launchOptions: {
                executablePath: chromiumPath,
                args: [
                    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
                    '--disable-component-update', '--disable-sync',
                ],
            },
        },
    }, {
        name: 'firefox',
        grep: firefoxTests(),
        use: {
            // Stock Firefox over WebDriver BiDi.
            browserName: 'firefox',
            channel: 'moz-firefox',
            launchOptions: {
                executablePath: firefoxPath,
                firefoxUserPrefs: {
                    // Firefox delays WebSocket attempts to a server that did not answer before; firefox_delay.spec.ts lets it.
                    'network.websocket.delay-failed-reconnects': false,
                    // A process for each site costs a quarter of a page's time, and our pages have one site.
                    'fission.autostart': false,
                },
            },
        },
    }, {
        name: 'webkit',
        testMatch: inWebKit,
    }],
});
