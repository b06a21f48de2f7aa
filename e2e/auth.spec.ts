// Who somebody is and what they may do, seen from pages: tokens of a backend, a private room, the end of a token and of a
// session (docs/protocol.md 4.21–4.24, 11.6, 11.7).

import {cpSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {createHmac} from 'node:crypto';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import type {Page} from '@playwright/test';
import {request} from './support/http.ts';
import {PulsewireServer} from './support/server.ts';
import {test as plain, expect} from './support/test.ts';

const secret = 'a secret that the backend and the server share';
const apiKey = 'the-key-of-the-backend';

interface Token { user: string; allow?: Record<string, string[]>; seconds?: number }

/** As a backend makes one (docs/auth.md). */
function tokenFor({user, allow = {}, seconds = 600}: Token): string {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const now = Math.floor(Date.now() / 1000);
    const text = `${part({alg: 'HS256', typ: 'JWT'})}.${part({
        iss: 'backend', aud: 'e2e', sub: user, iat: now, exp: now + seconds, pulsewire: {allow, info: {name: user}},
    })}`;
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

const everything = {'room:**': ['subscribe', 'history', 'publish', 'presence', 'show']};

/** A server that asks who everybody is, with a page of its own; the page's backend answers POST /token. */
class House {
    readonly server: PulsewireServer;
    /** What the backend gives the page of this name; null: signed out. */
    readonly tokens = new Map<string, () => string | null>();
    /** The reasons for which each page asked. */
    readonly asked = new Map<string, string[]>();
    readonly #site: string;

    private constructor(server: PulsewireServer, site: string) {
        this.server = server;
        this.#site = site;
    }

    static async open(): Promise<House> {
        const site = mkdtempSync(join(tmpdir(), 'pulsewire-auth-'));
        cpSync(dirname(fileURLToPath(import.meta.resolve('pulsewire'))), join(site, 'sdk'), {recursive: true});
        writeFileSync(join(site, 'index.html'), '<!doctype html><title>A house</title><p id=log></p>');
        const server = await PulsewireServer.start({
            program: 'pulsewired',
            args: ['--web-root', site],
            config: {api_key: apiKey, issuers: [{issuer: 'backend', audience: 'e2e', secret}]},
        });
        return new House(server, site);
    }

    async close(): Promise<void> {
        await this.server.stop();
        this.server.discard();
        rmSync(this.#site, {recursive: true, force: true});
    }

    /** Lets the page connect; `window.client` is its client, `window.heard` what it heard in the room. */
    async enter(page: Page, name: string, transport: 'websocket' | 'sse' = 'websocket'): Promise<void> {
        this.asked.set(name, []);
        await page.route('**/token?*', async (route) => {
            const url = new URL(route.request().url());
            this.asked.get(name)!.push(url.searchParams.get('reason')!);
            const token = this.tokens.get(name)?.() ?? null;
            await route.fulfill({status: 200, body: token ?? ''});
        });
        await page.goto(this.server.origin);
        await page.evaluate(async ({transport, sdk}) => {
            const {connect} = await import(sdk);
            const client = connect('/', {
                transport,
                token: async ({reason, signal}: {reason: string; signal: AbortSignal}) => {
                    const response = await fetch(`/token?reason=${reason}`, {method: 'POST', signal});
                    return await response.text() || null;
                },
            });
            const heard: unknown[] = [], states: string[] = [];
            client.on('state', (state: {name: string; reason?: {name: string}}) =>
                states.push(state.reason ? `${state.name} ${state.reason.name}` : state.name));
            const room = client.channel('room:1');
            room.on('*', (payload: unknown, message: {user?: string}) => heard.push([message.user, payload]));
            room.watch('refused', (error: {code: string}) => heard.push(['refused', error.code]));
            Object.assign(window, {client, room, heard, states});
        }, {transport, sdk: '/sdk/index.js'});
    }
}

const heard = (page: Page): Promise<unknown> => page.evaluate('window.heard');
const states = (page: Page): Promise<string[]> => page.evaluate('window.states');
const user = (page: Page): Promise<unknown> => page.evaluate('window.client.user ?? null');
const say = (page: Page, text: string): Promise<unknown> =>
    page.evaluate((said) => (window as unknown as {room: {publish(type: string, payload: string): Promise<unknown>}})
        .room.publish('said', said).then(() => 'published', (error: {code: string}) => error.code), text);

const test = plain.extend<{house: House}>({
    house: async ({}, use) => {
        const house = await House.open();
        await use(house);
        await house.close();
    },
});

for (const transport of ['websocket', 'sse'] as const) {
    test(`a private room of two, over ${transport}, and a third who is kept out by every door`, async ({house, visit}) => {
        const [ann, bob, eve] = await Promise.all([visit('about:blank'), visit('about:blank'), visit('about:blank')]);
        house.tokens.set('ann', () => tokenFor({user: 'ann', allow: everything}));
        house.tokens.set('bob', () => tokenFor({user: 'bob@example.com', allow: {'room:1': ['subscribe', 'publish']}}));
        const hers = tokenFor({user: 'eve', allow: {'room:{user}': ['subscribe', 'history', 'publish']}});
        house.tokens.set('eve', () => hers);
        await house.enter(ann, 'ann', transport);
        await house.enter(bob, 'bob', transport);
        await house.enter(eve, 'eve', transport);
        await expect.poll(() => user(bob)).toBe('bob=40example.com');
        await expect.poll(() => heard(eve)).toEqual([['refused', 'forbidden']]);
        expect(await say(eve, 'let me in')).toBe('forbidden');
        expect(await say(ann, 'hello')).toBe('published');
        await expect.poll(() => heard(bob)).toEqual([['ann', 'hello']]);
        expect(await say(bob, 'hi')).toBe('published');
        await expect.poll(() => heard(ann)).toEqual([['ann', 'hello'], ['bob=40example.com', 'hi']]);
        expect(await heard(eve), 'nothing more').toEqual([['refused', 'forbidden']]);

        // The other doors, as a program of hers would try them.
        const knock = async (method: string, path: string, headers: Record<string, string>): Promise<number> =>
            (await request(house.server.origin + path, {method, headers, ...(method === 'POST' ? {body: '{"payload":1}'} : {})})).status;
        const bearer = {authorization: `Bearer ${hers}`};
        expect(await knock('GET', '/api/channels/room:1/messages', bearer)).toBe(403);
        expect(await knock('GET', '/api/channels/room:1/presence', bearer)).toBe(403);
        expect(await knock('POST', '/api/channels/room:1/messages', bearer)).toBe(403);
        expect(await knock('POST', '/api/channels/room:1/messages', {})).toBe(401);
        expect(await knock('GET', '/events?channel=room:1', {})).toBe(401);
        const [status, ended] = await eve.evaluate(async (token) => {
            const response = await fetch('/events?channel=room:1', {headers: {authorization: `Bearer ${token}`}});
            return [response.status, await response.text()] as const;
        }, hers);
        expect(status).toBe(200);
        expect(ended, 'the stream ends with nothing in it').not.toContain('hello');
        const raw = await eve.evaluate((token) => new Promise((end) => {
            const texts: string[] = [];
            const socket = new WebSocket(`ws://${location.host}/ws/plain/room:1`, ['pulsewire.plain', `pulsewire.token.${token}`]);
            socket.onmessage = ({data}) => texts.push(data as string);
            socket.onclose = ({code}) => end([code, texts.join()]);
        }), hers);
        expect(raw).toEqual([4502, expect.stringContaining('error forbidden')]);
    });
}

test('a token is renewed in band: the connection stays, and the room is not left for a moment', async ({house, visit}) => {
    const page = await visit('about:blank');
    house.tokens.set('ann', () => tokenFor({user: 'ann', allow: everything, seconds: 8}));
    await house.enter(page, 'ann');
    await expect.poll(() => user(page)).toBe('ann');
    await expect.poll(() => house.asked.get('ann'), {timeout: 20_000}).toEqual(['connect', 'expiring', 'expiring']);
    expect(await say(page, 'still here')).toBe('published');
    expect((await states(page)).filter((state) => state.startsWith('open')), 'opened once').toHaveLength(1);
});

test('somebody who is thrown out while reading is out at once, and hears nothing more', async ({house, visit}) => {
    const [ann, bob] = await Promise.all([visit('about:blank'), visit('about:blank')]);
    let employed = true;
    house.tokens.set('ann', () => employed ? tokenFor({user: 'ann', allow: everything}) : null);
    house.tokens.set('bob', () => tokenFor({user: 'bob', allow: everything}));
    await house.enter(ann, 'ann');
    await house.enter(bob, 'bob');
    expect(await say(bob, 'before')).toBe('published');
    await expect.poll(() => heard(ann)).toEqual([['bob', 'before']]);
    employed = false;
    const revoked = await request(`${house.server.origin}/api/revocations`, {
        method: 'POST', headers: {authorization: `Bearer ${apiKey}`}, body: '{"user":"ann"}',
    });
    expect(revoked.status).toBe(204);
    await expect.poll(async () => (await states(ann)).at(-1)).toBe('closed unauthorized');
    expect(await say(bob, 'after')).toBe('published');
    await expect.poll(() => heard(bob)).toEqual([['bob', 'before'], ['bob', 'after']]);
    expect(await heard(ann)).toEqual([['bob', 'before']]);
    expect(house.asked.get('ann'), 'it asked whether there is another token').toEqual(['connect', 'revoked']);
});

test('sign out, and in as somebody else in the same tab: nothing of the first is left', async ({house, visit}) => {
    const page = await visit('about:blank');
    let name: string | null = 'ann';
    house.tokens.set('tab', () => name === null ? null : tokenFor({user: name, allow: everything}));
    await house.enter(page, 'tab');
    await expect.poll(() => user(page)).toBe('ann');
    expect(await say(page, 'as ann')).toBe('published');
    await page.evaluate('window.client.signOut()');
    await expect.poll(async () => (await states(page)).at(-1)).toBe('closed signed_out');
    name = 'bob';
    await page.evaluate('window.client.signIn()');
    await expect.poll(() => user(page)).toBe('bob');
    expect(await say(page, 'as bob')).toBe('published');
    await expect.poll(() => heard(page)).toEqual([['ann', 'as ann'], ['bob', 'as bob']]);
});
