// Who somebody is and what they may do, seen from pages, in each engine: tokens of a backend, a private room, the end of a token and of
// a session, a key that changes (docs/protocol.md 4.21–4.24, 11.6, 11.7).

import {cpSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {createHmac} from 'node:crypto';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import type {WebDriver} from 'selenium-webdriver';
import {whyMissing, type Engine} from './support/engines.ts';
import {publish, request} from './support/http.ts';
import {inPage, inWebDriver, Person, type EnterOptions, type Run} from './support/people.ts';
import {PulsewireServer} from './support/server.ts';
import {test as plain, expect} from './support/test.ts';
import {WebKit} from './support/webkit.ts';

const apiKey = 'the-key-of-the-backend';

interface Token { user: string; allow?: Record<string, string[]>; seconds?: number }

/** A server that asks who everybody is, with a page of its own. Each test has rooms and users of its own. */
class House {
    readonly server: PulsewireServer;
    readonly #folder: string;
    #secret: string;

    private constructor(server: PulsewireServer, folder: string, secret: string) {
        this.server = server;
        this.#folder = folder;
        this.#secret = secret;
    }

    static async open(): Promise<House> {
        const folder = mkdtempSync(join(tmpdir(), 'pulsewire-auth-'));
        cpSync(dirname(fileURLToPath(import.meta.resolve('pulsewire'))), join(folder, 'site/sdk'), {recursive: true});
        writeFileSync(join(folder, 'site/index.html'), '<!doctype html><title>A house</title><link rel="icon" href="data:,">');
        const secret = 'the first secret of the backend and the server';
        writeFileSync(join(folder, 'secrets'), secret);
        const server = await PulsewireServer.start({
            program: 'pulsewired',
            args: ['--web-root', join(folder, 'site')],
            config: {api_key: apiKey, issuers: [{issuer: 'backend', audience: 'e2e', secret_file: join(folder, 'secrets')}]},
        });
        return new House(server, folder, secret);
    }

    async close(): Promise<void> {
        await this.server.stop();
        this.server.discard();
        rmSync(this.#folder, {recursive: true, force: true});
    }

    /** As a backend makes one (docs/auth.md). */
    tokenFor({user, allow = {}, seconds = 600}: Token): string {
        const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
        const now = Math.floor(Date.now() / 1000);
        const text = `${part({alg: 'HS256', typ: 'JWT'})}.${part({
            iss: 'backend', aud: 'e2e', sub: user, iat: now, exp: now + seconds, pulsewire: {allow, info: {name: user}},
        })}`;
        return `${text}.${createHmac('sha256', this.#secret).update(text).digest('base64url')}`;
    }

    /** The backend signs with another secret from now on, and the server forgets the one before. */
    async changeSecret(secret: string): Promise<void> {
        const old = this.tokenFor({user: 'nobody'});
        this.#secret = secret;
        writeFileSync(join(this.#folder, 'secrets'), secret);
        process.kill(this.server.pid, 'SIGHUP');
        const door = `${this.server.origin}/api/channels/nowhere/messages`;
        await expect.poll(async () => (await request(door, {headers: {authorization: `Bearer ${old}`}})).status).toBe(401);
    }

    async revoke(user: string): Promise<void> {
        const {status} = await request(`${this.server.origin}/api/revocations`, {
            method: 'POST', headers: {authorization: `Bearer ${apiKey}`}, body: JSON.stringify({user}),
        });
        expect(status).toBe(204);
    }
}

interface Fixtures {
    /** Somebody comes, by way of a network with faults. */
    enter(name: string, options: EnterOptions): Promise<Person>;
}

const test = plain.extend<Fixtures, {house: House; webkit: WebDriver | undefined}>({
    house: [async ({}, use) => {
        const house = await House.open();
        await use(house);
        await house.close();
    }, {scope: 'worker'}],
    server: async ({house}, use) => use(house.server),
    // Where Playwright cannot drive the engine it starts none.
    browser: [async ({playwright, browserName, channel, launchOptions}, use, {project}) => {
        if (project.name as Engine === 'webkit') return use(undefined as never);
        const browser = await playwright[browserName].launch({...launchOptions, ...(channel ? {channel} : {})});
        await use(browser);
        await browser.close();
    }, {scope: 'worker'}],
    webkit: [async ({}, use, {project}) => {
        if (project.name as Engine !== 'webkit' || whyMissing('webkit')) return use(undefined);
        const webkit = await WebKit.start();
        const browser = await webkit.browse();
        await browser.manage().setTimeouts({script: 15_000});
        await use(browser);
        await browser.quit();
        await webkit.stop();
    }, {scope: 'worker'}],
    enter: async ({network, visit, webkit}, use) => {
        let shared: Promise<Run> | undefined;
        const runOf = async (): Promise<Run> => {
            if (!webkit) return inPage(await visit(network.origin, {network: 'faulty'}));
            return (shared ??= webkit.get(network.origin).then(() => inWebDriver(webkit)));
        };
        await use(async (name, options) => Person.enter(await runOf(), name, options));
        await webkit?.get('about:blank');
    },
});

const everything = (room: string): Record<string, string[]> => ({[room]: ['subscribe', 'history', 'publish', 'presence', 'show']});

for (const transport of ['websocket', 'sse'] as const) {
    test(`a private room of two, over ${transport}, and a third who is kept out by every door`, async ({house, enter}) => {
        const room = `room:${transport}`;
        const hers = house.tokenFor({user: 'eve', allow: {'room:{user}': ['subscribe', 'history', 'publish']}});
        const [ann, bob, eve] = await Promise.all([
            enter('ann', {room, transport, tokens: [house.tokenFor({user: 'ann', allow: everything(room)})]}),
            enter('bob', {room, transport, tokens: [house.tokenFor({user: 'bob@example.com', allow: {[room]: ['subscribe', 'publish']}})]}),
            enter('eve', {room, transport, tokens: [hers]}),
        ]);
        await expect.poll(ann.user).toBe('ann');
        await expect.poll(bob.user).toBe('bob=40example.com');
        for (const member of [ann, bob]) await expect.poll(member.isSubscribed).toBe(true);
        await expect.poll(eve.heard).toEqual([['refused', 'forbidden']]);
        expect(await eve.say('let me in')).toBe('forbidden');
        expect(await eve.readHistory()).toBe('forbidden');
        expect(await bob.readHistory(), 'bob was not given it').toBe('forbidden');
        expect(await ann.readHistory()).toBe('read');
        expect(await ann.say('hello')).toBe('published');
        await expect.poll(bob.heard).toEqual([['ann', 'hello']]);
        expect(await bob.say('hi')).toBe('published');
        await expect.poll(ann.heard).toEqual([['ann', 'hello'], ['bob=40example.com', 'hi']]);
        expect(await eve.heard(), 'nothing more').toEqual([['refused', 'forbidden']]);

        // The other doors, as a program of hers would try them.
        const knock = async (method: string, path: string, headers: Record<string, string>): Promise<number> =>
            (await request(house.server.origin + path, {method, headers, ...(method === 'POST' ? {body: '{"payload":1}'} : {})})).status;
        const bearer = {authorization: `Bearer ${hers}`};
        expect(await knock('GET', `/api/channels/${room}/messages`, bearer)).toBe(403);
        expect(await knock('GET', `/api/channels/${room}/presence`, bearer)).toBe(403);
        expect(await knock('POST', `/api/channels/${room}/messages`, bearer)).toBe(403);
        expect(await knock('POST', `/api/channels/${room}/messages`, {})).toBe(401);
        expect(await knock('GET', `/events?channel=${room}`, {})).toBe(401);
        const {status, ended} = await eve.run(async ({room, token}) => {
            const response = await fetch(`/events?channel=${room}`, {headers: {authorization: `Bearer ${token}`}});
            return {status: response.status, ended: await response.text()};
        }, {room, token: hers});
        expect(status).toBe(403);
        expect(ended).not.toContain('hello');
        const raw = await eve.run(({room, token}) => new Promise((end) => {
            const texts: string[] = [];
            const socket = new WebSocket(`ws://${location.host}/ws/plain/${room}`, ['pulsewire.plain', `pulsewire.token.${token}`]);
            socket.onmessage = ({data}) => texts.push(data as string);
            socket.onclose = ({code}) => end([code, texts.join()]);
        }), {room, token: hers});
        expect(raw).toEqual([4502, expect.stringContaining('error forbidden')]);
    });
}

test('a token is renewed in band: the connection stays, and the room is not left for a moment', async ({house, enter}) => {
    const tokens = [3, 6, 600].map((seconds) => house.tokenFor({user: 'rita', allow: everything('room:renewed'), seconds}));
    const rita = await enter('rita', {room: 'room:renewed', tokens: [...tokens]});
    await expect.poll(rita.user).toBe('rita');
    await expect.poll(rita.asked, {timeout: 20_000}).toEqual(['connect', 'expiring', 'expiring']);
    expect(await rita.say('still here')).toBe('published');
    expect((await rita.states()).filter((state) => state.startsWith('open')), 'opened once').toHaveLength(1);
    expect(await rita.shown()).toEqual(tokens);
});

test('a token that expires while the laptop sleeps is not shown again, and what was said meanwhile is there', async ({house, enter, network}) => {
    const room = 'room:asleep';
    const [old, fresh] = [3, 600].map((seconds) => house.tokenFor({user: 'sue', allow: everything(room), seconds}));
    const sue = await enter('sue', {room, tokens: [old!, fresh!]});
    await expect.poll(sue.isSubscribed).toBe(true);
    expect(await sue.say('good night')).toBe('published');
    // No timer of the page runs and nothing reaches it, until its token is over; the server sees the connection end.
    const asleep = sue.run((ms) => { for (const start = performance.now(); performance.now() - start < ms;); }, 3_500);
    network.cut();
    network.heal();
    await publish(house.server.origin, room, 'while she slept', {type: 'said'}, {authorization: `Bearer ${apiKey}`});
    await asleep;
    await expect.poll(sue.heard).toEqual([['sue', 'good night'], [null, 'while she slept']]);
    expect(await sue.say('good morning')).toBe('published');
    // WebKit wakes up to renew it before it hears that the connection is gone.
    const [first, ...then] = await sue.shown();
    expect([first, ...new Set(then)]).toEqual([old, fresh]);
});

test('somebody who is thrown out while reading is out at once, and hears nothing more', async ({house, enter}) => {
    const room = 'room:fired';
    const [max, kim] = await Promise.all([
        enter('max', {room, tokens: [house.tokenFor({user: 'max', allow: everything(room)})]}),
        enter('kim', {room, tokens: [house.tokenFor({user: 'kim', allow: everything(room)})]}),
    ]);
    for (const reader of [max, kim]) await expect.poll(reader.isSubscribed).toBe(true);
    expect(await kim.say('before')).toBe('published');
    await expect.poll(max.heard).toEqual([['kim', 'before']]);
    await max.answerWith(null);
    await house.revoke('max');
    await expect.poll(max.state).toBe('closed unauthorized');
    expect(await kim.say('after')).toBe('published');
    await expect.poll(kim.heard).toEqual([['kim', 'before'], ['kim', 'after']]);
    expect(await max.heard()).toEqual([['kim', 'before']]);
    expect(await max.asked(), 'it asked whether there is another token').toEqual(['connect', 'revoked']);
});

test('sign out, and in as somebody else in the same tab: nothing of the first is left', async ({house, enter}) => {
    const room = 'room:shared';
    const [first, second] = ['lea', 'tom'].map((user) => house.tokenFor({user, allow: everything(room)}));
    const tab = await enter('tab', {room, tokens: [first!]});
    await expect.poll(tab.user).toBe('lea');
    expect(await tab.say('as lea')).toBe('published');
    await tab.answerWith(null);
    await tab.signOut();
    await expect.poll(tab.state).toBe('closed signed_out');
    await tab.answerWith(second!);
    await tab.signIn();
    await expect.poll(tab.user).toBe('tom');
    expect(await tab.say('as tom')).toBe('published');
    await expect.poll(tab.heard).toEqual([['lea', 'as lea'], ['tom', 'as tom']]);
    expect(await tab.shown()).toEqual([first, second]);
});

test('a tab that is left open while the key changes stays, and comes back with a token of the new one', async ({house, enter, network}) => {
    const room = 'room:rotated';
    const old = house.tokenFor({user: 'ida', allow: everything(room)});
    const ida = await enter('ida', {room, tokens: [old]});
    await expect.poll(ida.user).toBe('ida');
    await house.changeSecret('the second secret of the backend and the server');
    expect(await ida.say('under the old key')).toBe('published');
    const fresh = house.tokenFor({user: 'ida', allow: everything(room)});
    await ida.answerWith(fresh);
    network.cut();
    network.heal();
    await expect.poll(ida.asked).toEqual(['connect', 'refused']);
    await expect.poll(ida.state).toBe('open');
    expect(await ida.say('under the new one')).toBe('published');
    await expect.poll(ida.heard).toEqual([['ida', 'under the old key'], ['ida', 'under the new one']]);
    expect(await ida.shown()).toEqual([old, old, fresh]);
});
