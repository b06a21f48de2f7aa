// Every page on a phone and on a desktop, light and dark: nothing sticks out, and there is something to look at.

import {test, expect, type Page} from './support/test.ts';
import {publish} from './support/http.ts';
import {expectOpen} from './support/pages.ts';

const pages = [
    ['gallery', '/'], ['classic', '/classic/'], ['chat', '/chat/?name=Ada'], ['ticker', '/ticker/'], ['notifications', '/notifications/'], ['lose', '/lose/'],
    ['ai', '/ai/?room=a'], ['document', '/document/?room=a'], ['whiteboard', '/whiteboard/?name=Ada'], ['device', '/device/'], ['drop', '/drop/'], ['game', '/game/?name=Ada'], ['dashboard', '/dashboard/'], ['news', '/news/'],
    ['playground', '/playground/'],
] as const;
const widths = [['phone', {width: 390, height: 844}], ['desktop', {width: 1280, height: 900}]] as const;

const word = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft';

async function fill(origin: string): Promise<void> {
    const long = `${word} `.repeat(2) + word;
    await publish(origin, 'chat:lobby', {user: 'Ada', text: 'Good morning'}, {type: 'chat.message'});
    await publish(origin, 'chat:lobby', {user: word.slice(0, 40), text: long}, {type: 'chat.message'});
    await publish(origin, 'notify:all', {title: word.slice(0, 80), body: long, level: 'warning'}, {type: 'notify.message'});
}

// How far content sticks out of the page to the right, and by which elements.
const overflow = (page: Page) => page.evaluate(() => {
    const {scrollWidth, clientWidth} = document.documentElement;
    const wide = [...document.querySelectorAll('body *')]
        .filter((element) => element.getBoundingClientRect().right > clientWidth + 1)
        .map((element) => `${element.tagName.toLowerCase()}#${element.id}.${element.getAttribute('class') ?? ''}`);
    return scrollWidth > clientWidth ? {scrollWidth, clientWidth, wide: wide.slice(0, 5)} : undefined;
});

const background = (page: Page) => page.evaluate(() => {
    const [red = 0, green = 0, blue = 0] = getComputedStyle(document.documentElement).backgroundColor.match(/[\d.]+/g)!.map(Number);
    return red + green + blue;
});

for (const [name, path] of pages) {
    for (const [device, viewport] of widths) {
        test(`${name} on a ${device}, light and dark`, async ({server, visit}, testInfo) => {
            await fill(server.origin);
            const page = await visit(server.origin + path, {viewport, colorScheme: 'light'});
            await expectOpen(page);
            if (name === 'chat') await expect(page.getByTestId('message-text')).toHaveCount(2);
            if (name === 'notifications') await expect(page.getByTestId('notices')).toContainText(word);
            if (name === 'ticker') await expect(page.getByTestId('latency-median')).toHaveText(/ms/);
            const brightness: number[] = [];
            for (const colorScheme of ['light', 'dark'] as const) {
                await page.emulateMedia({colorScheme});
                expect(await overflow(page), colorScheme).toBeUndefined();
                brightness.push(await background(page));
                const path = testInfo.outputPath(`${name}-${device}-${colorScheme}.png`);
                await page.screenshot({path});
                await testInfo.attach(`${device}, ${colorScheme}`, {path, contentType: 'image/png'});
            }
            expect(brightness[0]).toBeGreaterThan(brightness[1]! + 300);
            // Every button is large enough to be hit, and within the page.
            for (const button of await page.getByRole('button').all()) {
                const box = await button.boundingBox();
                if (!box) continue;
                expect(box.x, await button.innerText()).toBeGreaterThanOrEqual(0);
                expect(box.height, await button.innerText()).toBeGreaterThanOrEqual(24);
            }
        });
    }
}
