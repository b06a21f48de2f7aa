// The files of the SDK below /sdk/ of any page, for tests that use it in a page of the server's own origin, whose policy permits no other.

import {readFileSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import type {Page} from '@playwright/test';

const dist = dirname(fileURLToPath(import.meta.resolve('pulsewire')));

export const withSdk = (page: Page): Promise<unknown> => page.route('**/sdk/*.js', (route) =>
    route.fulfill({contentType: 'text/javascript', body: readFileSync(join(dist, basename(new URL(route.request().url()).pathname)), 'utf8')}));
