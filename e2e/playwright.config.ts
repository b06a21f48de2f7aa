// Real Chromium against the real server. What is tested is what was built: build/release and web/dist of this tree, or
// the folders that E2E_PROGRAMS and E2E_WEB_ROOT name.
//
//   npm test -w e2e -- chat.spec.ts --headed

import {defineConfig} from '@playwright/test';

export default defineConfig({
    testDir: '.',
    testMatch: '*.spec.ts',
    outputDir: 'test-results/artifacts',
    // Every test has a server and browser contexts of its own.
    fullyParallel: true,
    workers: Number(process.env.E2E_WORKERS ?? 2),
    // A test that fails sometimes is a finding.
    retries: 0,
    forbidOnly: Boolean(process.env.CI),
    timeout: 60_000,
    expect: {timeout: 15_000},
    reporter: [['list'], ['json', {outputFile: 'test-results/results.json'}]],
    use: {
        // Screenshots of each step would cost more than the pages themselves; the trace's DOM snapshots tell as much.
        trace: {mode: 'retain-on-failure', screenshots: false, snapshots: true, sources: true},
        screenshot: 'only-on-failure',
        actionTimeout: 15_000,
        navigationTimeout: 30_000,
        viewport: {width: 1280, height: 900},
        locale: 'en-GB',
    },
    projects: [{
        name: 'chromium',
        use: {
            browserName: 'chromium',
            launchOptions: {
                executablePath: process.env.E2E_CHROMIUM ?? '/usr/bin/chromium',
                args: [
                    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
                    '--disable-component-update', '--disable-sync',
                ],
            },
        },
    }],
});
