// Presence is true, in whatever way a page ends (design promise P7; docs/protocol.md 4.6, 4.7).

import {test, expect, type Page} from './support/test.ts';
import {openChat} from './support/pages.ts';

const members = (page: Page) => page.getByTestId('members').locator('.member__name');

test('a page that crashes leaves the others\' lists, and one that is reloaded is listed once', async ({server, visit}) => {
    const ada = await visit(`${server.origin}/chat/?name=Ada`);
    const bob = await visit(`${server.origin}/chat/?name=Bob`, {network: 'faulty'});
    const eve = await visit(`${server.origin}/chat/?name=Eve`);
    for (const page of [ada, bob, eve]) await openChat(page);
    await expect(members(ada)).toHaveText(['Ada', 'Bob', 'Eve']);

    // The renderer is gone without a word, as when the system kills it.
    const crashed = bob.waitForEvent('crash');
    const devtools = await bob.context().newCDPSession(bob);
    devtools.send('Page.crash').catch(() => {});
    await crashed;
    await expect(members(ada)).toHaveText(['Ada', 'Eve']);

    // A reload is no departure: the others see nothing of it, at no moment.
    await ada.evaluate(() => {
        const list = document.querySelector('[data-testid=members]')!;
        const seen: string[] = [];
        Object.assign(globalThis, {seen});
        new MutationObserver(() => {
            seen.push(Array.from(list.querySelectorAll('.member__name'), ({textContent}) => textContent).join(' '));
        }).observe(list, {childList: true, subtree: true, characterData: true});
    });
    for (let i = 0; i < 3; i++) {
        await eve.reload();
        await openChat(eve);
        await expect(members(eve)).toHaveText(['Eve', 'Ada']);
    }
    // Somebody who comes after that is seen, so what the reloads would have shown has been.
    const dan = await visit(`${server.origin}/chat/?name=Dan`);
    await openChat(dan);
    await expect(members(ada)).toHaveText(['Ada', 'Dan', 'Eve']);
    expect(new Set(await ada.evaluate(() => (globalThis as unknown as {seen: string[]}).seen))).toEqual(new Set(['Ada Dan Eve']));
});
