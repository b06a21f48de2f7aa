// Pages that load although their server is down, as with a service worker: what is served comes from the built files.

import {existsSync, readFileSync, statSync} from 'node:fs';
import {extname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import type {BrowserContext, Page} from '@playwright/test';
import {webRoot} from './server.ts';

const types: Record<string, string> = {'.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.map': 'application/json'};

/** Every page of this context loads the gallery's files from disk; its connections go to the server as ever. */
export async function keepPages(page: Page): Promise<void> {
    await allowConnections(page.context());
    await page.context().route((url) => file(url) !== undefined, async (route) => {
        const path = file(new URL(route.request().url()))!;
        await route.fulfill({body: readFileSync(path), contentType: types[extname(path)] ?? 'application/octet-stream'});
    });
}

function file({pathname}: URL): string | undefined {
    const path = join(webRoot, pathname.endsWith('/') ? `${pathname}index.html` : pathname);
    return existsSync(path) && statSync(path).isFile() ? path : undefined;
}

/** A page of this origin with nothing on it, from which `/sdk/index.js` and `/sdk/storage.js` can be imported. */
export async function serveSdk(context: BrowserContext): Promise<void> {
    const files: Record<string, string> = {
        '/sdk/index.js': fileURLToPath(import.meta.resolve('pulsewire')),
        '/sdk/storage.js': fileURLToPath(import.meta.resolve('pulsewire/storage')),
        // A file of the package that index.js loads when no connection opens.
        '/sdk/why.js': fileURLToPath(new URL('./why.js', import.meta.resolve('pulsewire'))),
    };
    await allowConnections(context);
    await context.route((url) => url.pathname.startsWith('/sdk/'), async (route) => {
        const path = files[new URL(route.request().url()).pathname];
        await route.fulfill(path
            ? {body: readFileSync(path), contentType: 'text/javascript'}
            : {body: '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>SDK</title>', contentType: 'text/html'});
    });
}

// To Chromium a page that was not fetched from this machine comes from the internet, and may not connect to it.
async function allowConnections(context: BrowserContext): Promise<void> {
    await context.grantPermissions(['local-network-access']);
}
