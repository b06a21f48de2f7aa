// The fixtures of every spec: a server of its own, a faulty network before it, visitors with browser contexts of their own.

import {basename} from 'node:path';
import {test as base, expect, type BrowserContextOptions, type Page} from '@playwright/test';
import {Cluster} from './cluster.ts';
import {whyImpossible, whyMissing, type Engine} from './engines.ts';
import {FaultProxy} from './fault_proxy.ts';
import {startOtherSite, type OtherSite} from './other_site.ts';
import {PulsewireServer, type ServerOptions} from './server.ts';

export {expect};
export type {Page};

export interface VisitOptions extends BrowserContextOptions {
    /** Whether connections of this page are going to fail, so that the browser's complaints about that are no problem. */
    network?: 'sound' | 'faulty';
    /** Complaints of the page itself that are meant to come. */
    expected?: RegExp;
    /** Runs in the page before its own scripts. */
    before?: (page: Page) => Promise<unknown>;
}

/** Opens the address in a browser context of its own: another person at another machine. */
export type Visit = (url: string, options?: VisitOptions) => Promise<Page>;

interface Fixtures {
    /** The engine that this test runs in. The test is skipped where the engine is missing or its driver cannot do it. */
    engine: Engine;
    serverOptions: ServerOptions;
    server: PulsewireServer;
    /** The network between a page and the server, sound until told otherwise. */
    network: FaultProxy;
    /** Somebody else's page, of another origin. */
    otherSite: OtherSite;
    /** Starts servers that share a broker; they end after the pages. */
    startCluster: (nodes: number, options?: ServerOptions) => Promise<Cluster>;
    visit: Visit;
}

export const test = base.extend<Fixtures>({
    serverOptions: [{}, {option: true}],

    engine: [async ({}, use, testInfo) => {
        const engine = testInfo.project.name as Engine;
        const reason = whyMissing(engine) ?? whyImpossible(engine, basename(testInfo.file), testInfo.title);
        testInfo.skip(reason !== undefined, reason);
        await use(engine);
    }, {auto: true}],

    server: async ({serverOptions}, use, testInfo) => {
        const server = await PulsewireServer.start(serverOptions);
        try {
            await use(server);
        } finally {
            const exit = server.running ? await server.stop() : undefined;
            server.discard();
            if (testInfo.status !== testInfo.expectedStatus || (exit && exit.code !== 0)) {
                await testInfo.attach('server.log', {body: server.log, contentType: 'text/plain'});
            }
            if (exit) expect(exit.code, `the server ended with ${exit.signal ?? exit.code} instead of 0; it wrote:\n${server.log}`).toBe(0);
        }
    },

    network: async ({server}, use) => {
        const network = await FaultProxy.start(server.port);
        await use(network);
        await network.stop();
    },

    otherSite: async ({}, use) => {
        const site = await startOtherSite();
        await use(site);
        await site.stop();
    },

    startCluster: async ({}, use) => {
        const started: Cluster[] = [];
        await use(async (nodes, options) => {
            const cluster = await Cluster.start(nodes, options);
            started.push(cluster);
            return cluster;
        });
        for (const cluster of started) await cluster.stop();
    },

    // Depends on the servers so that the pages are gone before they stop.
    visit: async ({server: _, startCluster: __, browser}, use) => {
        const visits: {page: Page; problems: string[]}[] = [];
        await use(async (url, {network = 'sound', expected, before, ...contextOptions} = {}) => {
            const context = await browser.newContext(contextOptions);
            const page = await context.newPage();
            visits.push({page, problems: watch(page, network, expected)});
            await before?.(page);
            await page.goto(url);
            return page;
        });
        for (const {page} of visits) await page.context().close();
        for (const {page, problems} of visits) expect(problems, `problems in ${page.url()}`).toEqual([]);
    },
});

// In the words of Chromium and of Firefox.
const complaintsAboutTheNetwork = new RegExp([
    'net::ERR_', 'WebSocket connection to .* failed', 'Failed to load resource', "EventSource's response", 'blocked by CORS policy',
    'Firefox can.t establish a connection', 'was interrupted while the page was loading', 'Cross-Origin Request Blocked',
    // The SDK's own, where the network was healed between the attempt that failed and the question why it did.
    'connecting: PulsewireError: The server answers at .* but no WebSocket gets through',
    // The SDK's own, once, where a page does not watch the state of a client that never got in.
    'PulsewireError: \\S+ cannot be reached: ',
].join('|'));

// Whatever a visitor should never see: errors in the console, exceptions, dialogs, violations of the content policy.
function watch(page: Page, network: 'sound' | 'faulty', expected?: RegExp): string[] {
    const problems: string[] = [];
    const note = (problem: string): void => { if (!expected?.test(problem)) problems.push(problem); };
    const noteUnlessFaulty = (problem: string): void => {
        if (network !== 'faulty' || !complaintsAboutTheNetwork.test(problem)) note(problem);
    };
    page.on('console', (message) => {
        if (message.type() !== 'error' && message.type() !== 'warning') return;
        noteUnlessFaulty(`${message.type()}: ${message.text()} (${message.location().url})`);
    });
    // Firefox's own complaints come this way, too.
    page.on('pageerror', (error) => noteUnlessFaulty(`exception: ${error.stack || error.message}`));
    page.on('dialog', (dialog) => {
        note(`dialog: ${dialog.message()}`);
        void dialog.dismiss();
    });
    return problems;
}
