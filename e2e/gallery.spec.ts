// The gallery: every card is alive, and what it tells a visitor to type works.

import {test, expect} from './support/test.ts';
import {publish} from './support/http.ts';
import {expectOpen, openChat, say} from './support/pages.ts';

test('each card shows what just happened in its demo', async ({server, visit}) => {
    const gallery = await visit(`${server.origin}/`);
    await expectOpen(gallery);
    await expect(gallery.getByTestId('live-classic')).toHaveText(/^Server time: \d\d:\d\d:\d\d \(Event \d+\)$/);
    await expect(gallery.getByTestId('live-ticker')).toHaveText(/PULS\s*\d+\.\d\d/);
    await expect(gallery.getByTestId('live-chat')).toContainText('Nobody here');

    const ada = await visit(`${server.origin}/chat/?name=Ada`);
    await openChat(ada);
    await say(ada, 'Good morning');
    await expect(gallery.getByTestId('live-chat')).toContainText('1 here');
    await expect(gallery.getByTestId('live-chat')).toContainText('Ada: Good morning');
    await publish(server.origin, 'notify:all', {title: 'From outside', body: '', level: 'info'}, {type: 'notify.message'});
    await expect(gallery.getByTestId('live-notifications')).toContainText('From outside');
});

test('each card leads to its demo, and the way back', async ({server, visit}) => {
    const page = await visit(`${server.origin}/`);
    for (const name of ['Classic', 'Chat', 'Ticker', 'Notifications']) {
        await page.getByRole('main').getByRole('link', {name, exact: true}).click();
        await expect(page).toHaveTitle(`${name} · Pulsewire`);
        await expectOpen(page);
        await expect(page.getByRole('navigation').getByRole('link', {name})).toHaveAttribute('aria-current', 'page');
        await page.getByRole('link', {name: 'Pulsewire, the gallery'}).click();
        await expect(page).toHaveTitle(/^Pulsewire:/);
    }
});

test('the lines for the browser’s console do what they say', async ({server, visit}) => {
    const page = await visit(`${server.origin}/`);
    const heard: string[] = [];
    page.on('console', (message) => heard.push(message.text()));
    for (const title of ['Listen with EventSource', 'Talk with WebSocket']) {
        const code = (await page.getByRole('region', {name: title}).textContent())!;
        await page.evaluate((source) => { (0, eval)(source); }, code);
    }
    await expect.poll(() => heard.some((text) => text.startsWith('{"type":"ticker.price","channel":"ticker:prices"'))).toBe(true);
    await expect.poll(() => heard).toContain('Server received: Hello');
});
