// The recipes of docs/auth-recipes.md, as far as the shape of their tokens: made as the provider or the framework makes them, and shown
// to `pulsewired --check-token` with the recipe's own configuration. No browser.

import {execFile, spawnSync} from 'node:child_process';
import {createHmac} from 'node:crypto';
import {mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {exportJWK, generateKeyPair, SignJWT} from 'jose';
import {pythonWithJwt} from './support/python.ts';
import {programPath} from './support/server.ts';
import {expect, test as base} from './support/test.ts';

const recipes = readFileSync(fileURLToPath(new URL('../docs/auth-recipes.md', import.meta.url)), 'utf8');
/** The block of code of this name. */
const recipe = (name: string): string => new RegExp(`^<!-- tested: ${name} -->\\n\`\`\`\\w+\\n(.*?)^\`\`\`$`, 'ms').exec(recipes)![1]!;

const secret = 'an e2e secret of thirty-two bytes or more';
const now = Math.floor(Date.now() / 1000);
const common = {iat: now, exp: now + 3600};

const test = base.extend<{folder: string}>({
    folder: async ({}, use) => {
        const folder = mkdtempSync(join(tmpdir(), 'pulsewire-recipes-'));
        writeFileSync(join(folder, 'token_secret'), secret);
        await use(folder);
        rmSync(folder, {recursive: true, force: true});
    },
});

/** What the server says about the token. */
async function said(folder: string, config: object, token: string): Promise<string> {
    const file = join(folder, 'pulsewire.json');
    writeFileSync(file, JSON.stringify(config));
    return new Promise((told) => {
        const child = execFile(programPath('pulsewired'), ['--config', file, '--check-token', '-'], {cwd: folder}, (_, stdout, stderr) => told(stdout + stderr));
        child.stdin!.end(token);
    });
}

/** The recipe's configuration, whose provider is on this machine. */
function configOf(name: string, jwks?: string): {issuers: Record<string, string>[]} {
    const config = JSON.parse(recipe(name)) as {issuers: Record<string, string>[]};
    if (jwks) config.issuers[0]!.jwks_url = jwks;
    return config;
}

/** Two keys as providers publish them, one of them for something else; signs as the other. */
async function provider(act: (jwks: string, sign: (claims: object, header?: object) => Promise<string>) => Promise<void>): Promise<void> {
    const [signing, encrypting] = await Promise.all([
        generateKeyPair('RS256', {extractable: true}), generateKeyPair('RSA-OAEP', {extractable: true}),
    ]);
    const keys = [
        {...await exportJWK(encrypting.publicKey), kid: 'enc-1', use: 'enc', alg: 'RSA-OAEP', x5t: 'AAAA', 'x5t#S256': 'AAAA', x5c: ['MIIC']},
        {...await exportJWK(signing.publicKey), kid: 'sig-1', use: 'sig', alg: 'RS256', x5t: 'AAAA', 'x5t#S256': 'AAAA', x5c: ['MIIC']},
    ];
    const site = createServer((_, response) => void response.writeHead(200, {'content-type': 'application/json'}).end(JSON.stringify({keys})));
    await new Promise<void>((listening) => site.listen(0, '127.0.0.1', listening));
    const sign = (claims: object, header: object = {}): Promise<string> =>
        new SignJWT({...claims}).setProtectedHeader({alg: 'RS256', typ: 'JWT', kid: 'sig-1', ...header}).sign(signing.privateKey);
    try {
        await act(`http://127.0.0.1:${(site.address() as AddressInfo).port}/jwks.json`, sign);
    } finally {
        site.close();
    }
}

test('a provider like Auth0: an access token for the API, also as RFC 9068 has it, and not the one for the login', async ({folder}) => {
    await provider(async (jwks, sign) => {
        const config = configOf('auth0', jwks);
        const claims = {
            iss: 'https://tenant.example.com/', sub: 'auth0|5f7c8ec7', aud: ['rt.example.com', 'https://tenant.example.com/userinfo'], ...common,
            azp: 'tC1bGq0n', scope: 'openid profile', gty: 'password', permissions: ['read:rooms'],
        };
        expect(await said(folder, config, await sign(claims))).toMatch(/is good\n.*auth0\|5f7c8ec7 \(on the wire auth0=7C5f7c8ec7\)/);
        expect(await said(folder, config, await sign({...claims, client_id: 'tC1bGq0n', jti: 'x1'}, {typ: 'at+jwt'}))).toContain('is good');
        const action = {...claims, pulsewire: {allow: {'org:o1:**': ['subscribe', 'publish']}, info: {name: 'Ann'}}};
        expect(await said(folder, config, await sign(action))).toMatch(/allowed +org:o1:\*\*: subscribe, publish\n +info +\{"name":"Ann"\}/);
        expect(await said(folder, config, await sign({...claims, aud: 'tC1bGq0n'})), 'an ID token').toContain('refused (audience)');
        expect(await said(folder, config, await sign({...claims, iss: 'https://tenant.example.com'})), 'without its slash').toContain('refused (issuer)');
    });
});

test('a provider like Keycloak: users by their names, for the audience that the mapper adds', async ({folder}) => {
    await provider(async (jwks, sign) => {
        const config = configOf('keycloak', jwks);
        const claims = {
            ...common, auth_time: now, jti: 'onrtac:6c1f2ad0-3f5d-4d77-8f52-6f4f9d1d0a43', iss: 'https://login.example.com/realms/app',
            aud: ['rt.example.com', 'account'], sub: '3f0e6a5e-8d2c-4a3b-9d51-0b0f4d9f7a10', typ: 'Bearer', azp: 'app', sid: 'c9b1', acr: '1',
            'allowed-origins': ['https://app.example.com'], realm_access: {roles: ['offline_access']},
            resource_access: {account: {roles: ['view-profile']}}, scope: 'openid profile', email_verified: true, preferred_username: 'ann@example.com',
            pulsewire: {allow: {'user:{user}': ['subscribe']}},
        };
        expect(await said(folder, config, await sign(claims))).toMatch(/is good\n +user +ann@example\.com \(on the wire ann=40example\.com\)/);
        expect(await said(folder, config, await sign({...claims, aud: 'account'})), 'without the mapper').toContain('refused (audience)');
    });
});

const good = /is good\n +user +7\n +issuer +https:\/\/app\.example\.com\n(?:.*\n)* +allowed +chat:\*\*: subscribe, publish\n/;

test('Next.js: the route handler, as it is', async ({folder}) => {
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(fileURLToPath(new URL('../node_modules/jose', import.meta.url)), join(folder, 'node_modules/jose'));
    writeFileSync(join(folder, 'auth.mjs'), 'export const auth = async () => globalThis.loggedIn;');
    writeFileSync(join(folder, 'route.mjs'), recipe('next').replace("'@/auth'", "'./auth.mjs'"));
    process.env.TOKEN_SECRET = secret;
    const {POST} = await import(pathToFileURL(join(folder, 'route.mjs')).href) as {POST(): Promise<Response>};
    expect((await POST()).status).toBe(401);
    Object.assign(globalThis, {loggedIn: {user: {id: 7}}});
    expect(await said(folder, configOf('backend'), await (await POST()).text())).toMatch(good);
});

test('Django: the view, as it is, with PyJWT', async ({folder}) => {
    const python = pythonWithJwt();
    test.skip(!python, 'there is no PyJWT here (script/bootstrap brings it)');
    const around = `
import sys, types
def module(name, **members):
    made = types.ModuleType(name)
    made.__dict__.update(members)
    sys.modules[name] = made
class HttpResponse:
    def __init__(self, content="", status=200, content_type=None):
        self.content, self.status = content, status
module("django"); module("django.http", HttpResponse=HttpResponse)
module("django.views"); module("django.views.decorators"); module("django.views.decorators.http", require_POST=lambda view: view)
${recipe('django')}
class Visitor:
    def __init__(self, known): self.is_authenticated, self.pk = known, 7
class Request:
    def __init__(self, known): self.user = Visitor(known)
print(token(Request(False)).status)
print(token(Request(True)).content, end="")
`;
    const {stdout, stderr} = spawnSync(python!, ['-c', around], {encoding: 'utf8', env: {TOKEN_SECRET: secret}});
    const [refused, token] = stdout.split('\n');
    expect(refused, stderr).toBe('401');
    expect(await said(folder, configOf('backend'), token!)).toMatch(good);
});

// Ruby and PHP are not here: their libraries' own way of writing, by hand, with the claims that the snippet has.
const part = (text: string): string => Buffer.from(text).toString('base64url');
const signed = (header: string, claims: string): string => {
    const text = `${part(header)}.${part(claims)}`;
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
};
const claims = {
    iss: 'https://app.example.com', aud: 'rt.example.com', sub: '7', ...common, pulsewire: {allow: {'chat:**': ['subscribe', 'publish']}},
};

for (const [name, ruby] of [['rails', true], ['laravel', false]] as const) {
    test(`${name}: a token of the shape that its library gives the claims of the snippet`, async ({folder}) => {
        const snippet = recipe(name);
        const spelled = ruby
            ? ['iss: "https://app.example.com"', 'aud: "rt.example.com"', 'iat: now', 'exp: now + 3600', 'pulsewire: {allow: {"chat:**" => ["subscribe", "publish"]}}', 'id.to_s', '"HS256"']
            : ["'iss' => 'https://app.example.com'", "'aud' => 'rt.example.com'", "'iat' => $now", "'exp' => $now + 3600",
                "'pulsewire' => ['allow' => ['chat:**' => ['subscribe', 'publish']]]", '(string) $request->user()->id', "'HS256'"];
        for (const claim of spelled) expect(snippet).toContain(claim);
        // ruby-jwt's header has nothing but the algorithm; PHP's json_encode writes '/' with an escape.
        const text = ruby ? JSON.stringify(claims) : JSON.stringify(claims).replaceAll('/', '\\/');
        const header = ruby ? '{"alg":"HS256"}' : '{"typ":"JWT","alg":"HS256"}';
        expect(await said(folder, configOf('backend'), signed(header, text))).toMatch(good);
        const number = text.replace('"sub":"7"', '"sub":7');
        expect(await said(folder, configOf('backend'), signed(header, number)), 'a user that is a number').toContain('refused');
    });
}
