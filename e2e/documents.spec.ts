// The documents as pages: they can be read on every screen, their links lead somewhere, and every page has an icon.

import {test, expect} from './support/test.ts';
import {violationsOf} from './support/axe.ts';
import {request} from './support/http.ts';

const documents = ['/docs/', '/docs/sdk/', '/docs/frameworks/', '/docs/test-server/', '/docs/cpp/', '/docs/auth/', '/docs/auth-recipes/', '/docs/operating/', '/docs/cluster/', '/docs/feeds/', '/docs/security/', '/docs/performance/', '/docs/compare/', '/docs/migrating/', '/docs/protocol/', '/source/'];
const demos = ['/', '/classic/', '/chat/', '/ticker/', '/notifications/'];

for (const path of documents) {
    test(`${path} is readable and accessible, wide and light, narrow and dark`, async ({server, visit}) => {
        const page = await visit(server.origin + path, {bypassCSP: true});
        for (const [colorScheme, width] of [['light', 1280], ['dark', 390]] as const) {
            await page.emulateMedia({colorScheme});
            await page.setViewportSize({width, height: 800});
            expect(await page.evaluate(() => document.documentElement.scrollWidth), `${width} px`).toBe(width);
            expect(await violationsOf(page), `${colorScheme}, ${width} px`).toEqual([]);
        }
    });
}

test('every link of the documents leads to a page and to a place on it, and every picture is there', async ({server, visit}) => {
    const page = await visit(`${server.origin}${documents[0]}`);
    const ids = new Map<string, Set<string>>();
    const links: {from: string; to: string}[] = [];
    for (const path of documents) {
        await page.goto(server.origin + path);
        ids.set(path, new Set(await page.locator('[id]').evaluateAll((elements) => elements.map(({id}) => id))));
        const hrefs = await page.getByRole('link').evaluateAll((anchors) => anchors.map((anchor) => (anchor as HTMLAnchorElement).href));
        links.push(...hrefs.map((to) => ({from: path, to})));
        for (const picture of await page.locator('main img').all()) {
            await picture.scrollIntoViewIfNeeded();
            await expect.poll(() => picture.evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBeGreaterThan(0);
        }
    }
    const own = links.map(({from, to}) => ({from, url: new URL(to)})).filter(({url}) => url.origin === server.origin);
    expect(own.length).toBeGreaterThan(documents.length * documents.length);
    for (const path of new Set(own.map(({url}) => url.pathname))) {
        expect((await request(server.origin + path)).status, path).toBe(200);
    }
    const astray = own.filter(({url}) => url.hash && ids.has(url.pathname) && !ids.get(url.pathname)!.has(decodeURIComponent(url.hash.slice(1))));
    expect(astray.map(({from, url}) => `${from}: ${url.pathname}${url.hash}`)).toEqual([]);
});

test('from the gallery one finds the documents, the numbers and the source', async ({server, visit}) => {
    const page = await visit(`${server.origin}/`);
    for (const [name, heading] of [['Documentation', 'Pulsewire'], ['Numbers', 'Performance'], ['Source', 'Source of the demos']] as const) {
        await page.getByRole('main').getByRole('link', {name, exact: true}).click();
        await expect(page.getByRole('heading', {level: 1})).toHaveText(heading);
        await page.goto(`${server.origin}/`);
    }
    await page.getByRole('navigation').getByRole('link', {name: 'Docs'}).click();
    await expect(page).toHaveTitle('Documentation · Pulsewire');
});

test('every page has an icon', async ({server, visit}) => {
    const page = await visit(server.origin);
    for (const path of [...demos, ...documents]) {
        await page.goto(server.origin + path);
        const icon = await page.locator('link[rel=icon]').getAttribute('href');
        const answer = await request(new URL(icon!, page.url()).href);
        expect(answer.status, path).toBe(200);
        expect(answer.headers['content-type']).toBe('image/svg+xml');
    }
});
