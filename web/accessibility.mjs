// Looks at every page of a running server with axe-core: each theme, wide and narrow, also while the connection is lost.
//
//   node accessibility.mjs [http://localhost:8080]

import {chromium} from 'playwright-core';
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {pages} from './src/pages.mjs';

const base = process.argv[2] ?? 'http://localhost:8080';
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const browser = await chromium.launch({executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu']});
const counts = {passed: 0, failed: 0};

// Without a server behind it, a page must say so as accessibly as everything else: its connections are refused here.
const connections = {
    open: async () => {},
    waiting: async (page) => {
        await page.routeWebSocket(/./, (socket) => socket.close());
        await page.route(/\/(sse|events)\b/, (route) => route.abort());
    },
};

for (const {name, path} of pages) {
    for (const [state, prepare] of Object.entries(connections)) {
        for (const colorScheme of ['light', 'dark']) {
            for (const width of [1280, 360]) {
                // axe is put into the page from outside, which the page's own policy rightly forbids.
                const context = await browser.newContext({viewport: {width, height: 800}, colorScheme, bypassCSP: true});
                const page = await context.newPage();
                await prepare(page);
                await page.goto(new URL(path, base).href);
                await page.locator(`[data-testid=status][data-state=${state}]`).waitFor();
                await page.evaluate(() => { for (const details of document.querySelectorAll('details')) details.open = true; });
                await page.evaluate(axe);
                const {violations} = await page.evaluate('axe.run()');
                const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
                const problems = violations.map(({id, help, nodes}) => `${id}: ${help}: ${nodes[0].target.join(' ')}`);
                if (wide) problems.push('the page is wider than the window');
                counts[problems.length ? 'failed' : 'passed'] += 1;
                for (const problem of problems) console.log(`${name}, ${state}, ${colorScheme}, ${width} px: ${problem}`);
                await context.close();
            }
        }
    }
}
await browser.close();
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed ? 1 : 0;
