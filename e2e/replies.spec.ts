// A reply of 5,000 tokens (docs/ai.md), read through all that happens to a reader while it is written: what was written and what was
// read are compared byte for byte.

import {expect, test, type Page} from './support/test.ts';
import {withSdk} from './support/sdk_files.ts';

const tokensCount = 5_000;
const channel = 'chat:long';

test.use({serverOptions: {config: {namespaces: {chat: {state_bytes_max: 4 << 20, history_count_max: 10}}}}});

/** A backend with a model that writes as far as it is told, and then goes on until it is stopped. */
async function becomeBackend(page: Page): Promise<void> {
    await page.evaluate(async (name) => {
        const [main, stream] = ['/sdk/index.js', '/sdk/stream.js'];
        const {connect} = await import(main) as typeof import('pulsewire');
        const {stream: begin} = await import(stream) as typeof import('pulsewire/stream');
        const reply = begin(connect('/').channel(name), {id: 'r'});
        const backend = {
            text: '', tokens: 0,
            async write(upTo: number) {
                for (; backend.tokens < upTo && !reply.stopped.aborted; backend.tokens++) {
                    const token = ` ${backend.tokens}${['', 'ü', '→', '😀', '\n'][backend.tokens % 5]}`;
                    backend.text += token;
                    await reply.write(token);
                }
            },
            stopped: new Promise<void>((stopped) => reply.stopped.addEventListener('abort', () => stopped())),
            end: () => reply.end(),
        };
        Object.assign(window, {backend});
    }, channel);
}

interface Backend {text: string; tokens: number; write(upTo: number): Promise<void>; stopped: Promise<void>; end(): Promise<void>}
const written = (page: Page, upTo: number): Promise<void> => page.evaluate((tokens) => (window as unknown as {backend: Backend}).backend.write(tokens), upTo);
const writtenText = (page: Page): Promise<string> => page.evaluate(() => (window as unknown as {backend: Backend}).backend.text);

/** Reads the reply with for await, into `window.read`, and the transports that its client used into `window.transports`. */
async function beginReading(page: Page): Promise<void> {
    await page.evaluate(async (name) => {
        const [main, stream] = ['/sdk/index.js', '/sdk/stream.js'];
        const {connect} = await import(main) as typeof import('pulsewire');
        const {streams} = await import(stream) as typeof import('pulsewire/stream');
        const client = connect('/', {backoffMaxMs: 500});
        const transports: string[] = [];
        client.on('open', ({transport}) => transports.push(transport));
        const replies = streams(client.channel(name));
        const read = {text: '', pieces: 0, ended: false, fault: ''};
        Object.assign(window, {read, replies, transports});
        void (async () => {
            for await (const piece of replies.read('r')) {
                read.text += piece;
                read.pieces++;
            }
            read.ended = true;
        })().catch((error) => { read.fault = String(error); });
    }, channel);
}

interface Reader {
    read: {text: string; pieces: number; ended: boolean; fault: string};
    replies: {get(id: string): {text: string; state: string} | undefined; stop(id: string): Promise<void>};
    transports: string[];
}
const seen = (page: Page): Promise<Reader['read']> => page.evaluate(() => (window as unknown as Reader).read);
const transports = (page: Page): Promise<string[]> => page.evaluate(() => (window as unknown as Reader).transports);

async function expectAll(page: Page, backend: Page): Promise<void> {
    const text = await writtenText(backend);
    await expect.poll(async () => (await seen(page)).text.length, {timeout: 20_000}).toBe(text.length);
    expect((await seen(page)).text === text, 'what was read is what was written').toBe(true);
}

test('a reply of 5,000 tokens is the same text after a reload, a cut, another transport, in a second tab, and stopped there', async ({server, network, visit}) => {
    const backend = await visit(`${server.origin}/`, {before: withSdk});
    await becomeBackend(backend);
    const tab = await visit(`${network.origin}/`, {before: withSdk, network: 'faulty'});
    await beginReading(tab);
    await written(backend, 1_000);
    await expectAll(tab, backend);

    // Reloaded while the model writes on.
    await Promise.all([written(backend, 2_000), tab.reload().then(() => beginReading(tab))]);
    await expectAll(tab, backend);

    // Without a network, and then with one again.
    const before = (await seen(tab)).text;
    network.blackhole();
    network.cut();
    await written(backend, 3_000);
    expect((await seen(tab)).text).toBe(before);
    network.heal();
    await expectAll(tab, backend);

    // Where no WebSocket gets through any more it goes on over SSE.
    expect((await transports(tab)).at(-1)).toBe('websocket');
    network.hinderWebSockets('forbidden');
    network.reset();
    await written(backend, 4_000);
    await expectAll(tab, backend);
    expect((await transports(tab)).at(-1)).toBe('sse');

    // A second tab has it from its first letter, and stops it.
    await written(backend, tokensCount);
    const second = await visit(`${server.origin}/`, {before: withSdk});
    await beginReading(second);
    await expectAll(second, backend);
    expect((await seen(second)).pieces, 'the text so far comes in one piece').toBeLessThan(5);
    const going = written(backend, Infinity);
    await second.evaluate(() => (window as unknown as Reader).replies.stop('r'));
    await going;
    await backend.evaluate(() => (window as unknown as {backend: Backend}).backend.end());
    for (const page of [tab, second]) {
        await expectAll(page, backend);
        await expect.poll(async () => (await seen(page)).ended).toBe(true);
        expect(await page.evaluate(() => (window as unknown as Reader).replies.get('r')!.state)).toBe('cancelled');
    }
    const {tokens} = await backend.evaluate(() => ({tokens: (window as unknown as {backend: Backend}).backend.tokens}));
    expect(tokens).toBeGreaterThanOrEqual(tokensCount);
});
