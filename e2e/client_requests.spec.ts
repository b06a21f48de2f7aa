// Two pages of a channel ask each other (docs/protocol.md 4.18, 4.19): a dashboard a lamp.

import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {expect, test, type Page} from './support/test.ts';

const scripts = Object.fromEntries(['pulsewire', 'pulsewire/requests'].map((entry) =>
    [`/asking/${entry.replace('/', '-')}.js`, readFileSync(fileURLToPath(import.meta.resolve(entry)), 'utf8')]));

test.use({serverOptions: {config: {namespaces: {device: {client_requests: true}}}}});

/** Runs `script` in a page that has `connect`, `handle` and `request`. */
const opened = (visit: (url: string, options: object) => Promise<Page>, origin: string): Promise<Page> => visit(`${origin}/`, {
    network: 'faulty',
    before: async (page: Page) => {
        for (const [path, body] of Object.entries(scripts)) await page.route(`**${path}`, (route) => route.fulfill({contentType: 'text/javascript', body}));
    },
});

for (const transport of ['websocket', 'sse'] as const) {
    test(`a dashboard asks a lamp over ${transport}, which answers, refuses, withdraws and goes away`, async ({server, visit}) => {
        const lamp = await opened(visit, server.origin);
        await lamp.evaluate(async (over) => {
            const [main, requests] = ['/asking/pulsewire.js', '/asking/pulsewire-requests.js'];
            const {connect, PulsewireError} = await import(main) as typeof import('pulsewire');
            const {handle} = await import(requests) as typeof import('pulsewire/requests');
            const channel = connect('/', {transport: over}).channel('device:42', {presence: {name: 'lamp'}});
            handle<{on: boolean}>(channel, 'lamp.set', ({on}, {session}) => {
                if (!on) throw new PulsewireError('rejected', 'it stays on');
                document.title = `on by ${session}`;
                return {on};
            });
            handle(channel, 'lamp.wait', (_, {signal}) => new Promise((done) => {
                document.title = 'waiting';
                signal.addEventListener('abort', () => {
                    document.title = 'withdrawn';
                    done(null);
                });
            }));
        }, transport);
        const dashboard = await opened(visit, server.origin);
        const asked = await dashboard.evaluate(async (over) => {
            const [main, requests] = ['/asking/pulsewire.js', '/asking/pulsewire-requests.js'];
            const {connect} = await import(main) as typeof import('pulsewire');
            const {request} = await import(requests) as typeof import('pulsewire/requests');
            const client = connect('/', {transport: over});
            const channel = client.channel('device:42', {presence: true});
            const lampOf = () => channel.members.find(({info}) => (info as {name?: string} | null)?.name === 'lamp');
            await new Promise<void>((found) => {
                channel.watch('presence', () => { if (lampOf()) found(); });
            });
            const {session} = lampOf()!;
            const outcome = (promise: Promise<unknown>) => promise.catch(({code, message}) => `${code}: ${message}`);
            const ask = (type: string, payload: unknown, options?: object) => outcome(request(channel, session, type, payload, options));
            Object.assign(globalThis, {ask});
            return {
                own: client.session,
                answers: [await ask('lamp.set', {on: true}), await ask('lamp.set', {on: false}), await ask('lamp.paint', 'red'), await outcome(request(channel, client.session, 'lamp.set'))],
            };
        }, transport);
        expect(asked.answers).toEqual([
            {on: true}, 'rejected: it stays on', 'no_handler: no handler for requests of type lamp.paint', expect.stringMatching(/^not_present: /),
        ]);
        await expect(lamp).toHaveTitle(`on by ${asked.own}`);

        const withdrawn = dashboard.evaluate(async () => {
            const stop = new AbortController();
            const outcome = (globalThis as unknown as {ask(type: string, payload: unknown, options: object): Promise<unknown>}).ask('lamp.wait', null, {signal: stop.signal});
            Object.assign(globalThis, {stop});
            return outcome;
        });
        await expect(lamp).toHaveTitle('waiting');
        await dashboard.evaluate(() => (globalThis as unknown as {stop: AbortController}).stop.abort());
        expect(await withdrawn).toMatch(/^aborted/);
        await expect(lamp).toHaveTitle('withdrawn');

        const late = dashboard.evaluate(() => (globalThis as unknown as {ask(type: string, payload: unknown): Promise<unknown>}).ask('lamp.wait', null));
        await expect(lamp).toHaveTitle('waiting');
        await lamp.close();
        expect(await late).toMatch(/^disconnected/);
    });
}
