// Checks what the SDK promises in the browser that shows this page, whichever it is, and posts the results to the site that
// served it (promises_site.ts). The site also does to the server and to the network what a page cannot do.
//
// The page is loaded again and again: for the checks that one page can do, after its own reload with something unsent, to be
// left, and, where the browser did not keep it, when it comes back.

import {connect, PulsewireError} from 'pulsewire';
import {handle, request} from 'pulsewire/requests';
import {browserStorage} from 'pulsewire/storage';
import {connect as connectWithFile} from 'pulsewire/wasm';

const {direct, behindFaults} = await (await fetch('/addresses')).json();
const run = sessionStorage.run ??= crypto.randomUUID().slice(0, 8);
const results = document.querySelector('#results');
const secondMs = 1000;

async function site(action) {
    const answer = await fetch(`/do/${action}`, {method: 'POST'});
    if (!answer.ok) throw new Error(`the site could not ${action}: ${await answer.text()}`);
}

function within(ms, promise, what) {
    return Promise.race([promise, new Promise((_, late) => setTimeout(() => late(new Error(`within ${ms} ms there was no ${what}`)), ms))]);
}

async function check(name, act) {
    const start = performance.now();
    let fault;
    try {
        await within(30 * secondMs, act(), 'end');
    } catch (error) {
        fault = `${error}${error?.code ? ` (${error.code})` : ''}`;
    }
    const ms = Math.round(performance.now() - start);
    results.append(`${fault ? 'FAULT' : 'ok'} ${name}: ${fault ?? `${ms} ms`}\n`);
    await fetch('/result', {method: 'POST', body: JSON.stringify({name, ms, fault})});
}

function equal(seen, expected) {
    if (JSON.stringify(seen) !== JSON.stringify(expected)) throw new Error(`seen: ${JSON.stringify(seen)}, expected: ${JSON.stringify(expected)}`);
}

const opened = (client, transport) => new Promise((resolve, reject) => {
    const look = (state) => {
        if (state.name === 'open' && (!transport || state.transport === transport)) resolve(state);
        if (state.name === 'closed') reject(new Error(state.reason.message));
    };
    client.on('state', look);
    look(client.state);
});

const subscribed = (channel) => new Promise((done) => channel.watch('subscribed', done));

/** All numbers that came, and a promise of so many of them. */
function collect(channel) {
    const numbers = [];
    let wake = () => {};
    channel.on('number', (number) => {
        numbers.push(number);
        wake();
    });
    return {
        numbers,
        async count(count) {
            while (numbers.length < count) await new Promise((heard) => { wake = heard; });
            return numbers;
        },
    };
}

const upTo = (count) => Array.from({length: count}, (_, index) => index + 1);

addEventListener('unhandledrejection', ({reason}) => void check('no promise is rejected unseen', async () => { throw reason; }));
addEventListener('error', ({message}) => void check('no error is thrown unseen', async () => { throw new Error(message); }));

// ------------------------------------------------------------------------------------------------------ one page

const overEach = (name, act) => ['websocket', 'sse'].map((transport) => [`${name}, over ${transport}`, () => act(transport)]);

const inOnePage = [
    ...overEach('500 messages arrive in order, each once', async (transport) => {
        const [writer, reader] = [connect(direct, {transport}), connect(direct, {transport})];
        const channel = reader.channel(`order:${run}:${transport}`);
        const heard = collect(channel);
        await subscribed(channel);
        equal((await opened(writer)).transport, transport);
        const written = upTo(500).map((number) => writer.channel(channel.name).publish('number', number));
        equal(await heard.count(500), upTo(500));
        equal(new Set((await Promise.all(written)).map(({offset}) => offset)).size, 500);
        writer.close();
        reader.close();
    }),

    ...overEach('bytes arrive as bytes, with text between them', async (transport) => {
        const [writer, reader] = [connect(direct, {transport}), connect(direct, {transport})];
        const channel = reader.channel(`bytes:${run}:${transport}`);
        const heard = [];
        const all = new Promise((done) => channel.on('*', (payload) => { if (heard.push(payload) === 4) done(); }));
        await subscribed(channel);
        const every = Uint8Array.from({length: 40_000}, (_, index) => index);
        const to = writer.channel(channel.name);
        await Promise.all([to.publish('a', every), to.publish('b', 'ü\n'), to.publish('c', new Uint8Array()), to.publish('d', every.subarray(7, 300))]);
        await all;
        equal(heard.map((payload) => (payload instanceof Uint8Array ? [...payload] : payload)), [[...every], 'ü\n', [], [...every.subarray(7, 300)]]);
        const [newest] = (await reader.channel(channel.name).history({limit: 1})).messages;
        equal([...newest.payload], [...every.subarray(7, 300)]);
        writer.close();
        reader.close();
    }),

    ['where no WebSocket gets through it falls back to SSE', async () => {
        await site('hinder');
        const client = connect(behindFaults);
        equal((await opened(client)).transport, 'sse');
        const channel = client.channel(`fallback:${run}`);
        const heard = collect(channel);
        await channel.publish('number', 1);
        equal(await heard.count(1), [1]);
        client.close();
        await site('heal');
    }],

    ['history and presence', async () => {
        const client = connect(direct);
        const channel = client.channel(`presence:${run}`, {presence: {name: 'me'}});
        const present = new Promise((seen) => channel.watch('presence', seen));
        for (const number of upTo(5)) await channel.publish('number', number);
        equal((await channel.history({limit: 3})).messages.map(({payload}) => payload), [5, 4, 3]);
        equal((await present).members.map(({info, session}) => [info, session === client.session]), [[{name: 'me'}, true]]);
        client.close();
    }],

    ['for await takes messages until it breaks', async () => {
        const client = connect(direct);
        const channel = client.channel(`loop:${run}`);
        const ready = subscribed(channel);
        const taken = [];
        const loop = (async () => {
            for await (const {payload} of channel.messages()) {
                taken.push(payload);
                if (payload === 3) break;
            }
        })();
        await ready;
        for (const number of upTo(5)) await channel.publish('number', number);
        await loop;
        equal(taken, [1, 2, 3]);
        client.close();
    }],

    ...overEach('one page asks another', async (transport) => {
        const [lamp, dashboard] = [connect(direct, {transport}), connect(direct, {transport})];
        const own = lamp.channel(`device:${run}:${transport}`, {presence: {name: 'lamp'}});
        handle(own, 'lamp.set', ({on}) => ({on}));
        const channel = dashboard.channel(own.name, {presence: true});
        await new Promise((found) => channel.watch('presence', () => { if (channel.members.some(({session}) => session === lamp.session)) found(); }));
        equal(await request(channel, lamp.session, 'lamp.set', {on: true}), {on: true});
        lamp.close();
        dashboard.close();
    }),

    ...overEach('errors have their types', async (transport) => {
        const client = connect(direct, {transport});
        const codeOf = (promise) => promise.then(() => 'none', (error) => [error instanceof PulsewireError, error.code]);
        equal(await codeOf(client.request('nobody.handles.this', {})), [true, 'no_handler']);
        equal(await codeOf(client.channel('x').publish('m', new Map())), [true, 'invalid_argument']);
        client.close();
        equal(await codeOf(client.channel('x').publish('m', 1)), [true, 'closed']);
    }),

    ['pulsewire/wasm loads its file', async () => {
        const client = connectWithFile(direct);
        const heard = collect(client.channel(`wasm:${run}`));
        await client.channel(`wasm:${run}`).publish('number', 1);
        equal(await heard.count(1), [1]);
        client.close();
    }],

    ['a module worker has a client of its own', () => new Promise((resolve, reject) => {
        const worker = new Worker('/worker.js', {type: 'module'});
        worker.onerror = ({message}) => reject(new Error(message));
        worker.onmessage = ({data}) => {
            worker.terminate();
            if (data === 42) resolve();
            else reject(new Error(`it heard ${data}`));
        };
        worker.postMessage({url: direct, channel: `worker:${run}`});
    })],

    ...['Worker', 'SharedWorker'].map((kind) => [`pulsewire/worker runs as ${kind}`, () => new Promise((resolve, reject) => {
        const worker = new globalThis[kind]('/sdk/worker.js', {type: 'module'});
        const port = worker.port ?? worker;
        worker.onerror = ({message}) => reject(new Error(message || 'the worker did not start'));
        const channel = `${kind}:${run}`;
        port.onmessage = ({data}) => {
            if (data.op === 'subscribed') port.postMessage({op: 'publish', id: 1, channel, type: 'number', payload: 7});
            if (data.op === 'error') reject(new Error(data.error.message));
            if (data.op !== 'message') return;
            port.postMessage({op: 'close'});
            if (data.raw === '7') resolve();
            else reject(new Error(`it heard ${data.raw}`));
        };
        const lock = crypto.randomUUID();
        void navigator.locks.request(lock, () => {
            port.postMessage({op: 'connect', url: direct, lock});
            port.postMessage({op: 'subscribe', channel});
            return new Promise(() => {});
        });
    })]),

    ...overEach('downloads and navigations that lead nowhere leave the connection alone', async (transport) => {
        const client = connect(direct, {transport});
        const channel = client.channel(`stays:${run}:${transport}`);
        const heard = collect(channel);
        await subscribed(channel);
        const acts = [
            [`file-${transport}`, () => Object.assign(document.querySelector('#download'), {href: `/file-${transport}`}).click()],
            [`nothing-${transport}`, () => { location.href = `/nothing-${transport}`; }],
            [`never-${transport}`, () => {
                location.href = `/never-${transport}`;
                return new Promise((stopped) => setTimeout(() => stopped(stop()), 300));
            }],
            [undefined, () => document.body.append(document.createElement('iframe'))],
        ];
        for (const [index, [path, act]] of acts.entries()) {
            const ended = act();
            // A browser that ends connections does so when the head of the answer comes; it may end the question, too.
            while (path && !await site(`await-${path}`).then(() => true, () => false)) await new Promise((later) => setTimeout(later));
            await ended;
            await channel.publish('number', index + 1);
            await within(10 * secondMs, heard.count(index + 1), `message after act ${index + 1}`);
        }
        equal(heard.numbers, upTo(acts.length));
        client.close();
    }),

    ...overEach('the network is cut and healed: what came meanwhile is recovered, once and in order', async (transport) => {
        const [cut, sound] = [connect(behindFaults, {transport}), connect(direct, {transport})];
        const channel = cut.channel(`cut:${run}:${transport}`);
        const heard = collect(channel);
        await subscribed(channel);
        const write = (number) => sound.channel(channel.name).publish('number', number);
        await write(1);
        await site('cut');
        for (const number of [2, 3, 4]) await write(number);
        const own = channel.publish('number', 5);
        await site('heal');
        await own;
        await write(6);
        equal(await heard.count(6), upTo(6));
        cut.close();
        sound.close();
    }),

    ...overEach('the server is killed and comes back: the page too, and what was written meanwhile arrives once', async (transport) => {
        const client = connect(direct, {transport});
        const channel = client.channel(`killed:${run}:${transport}`);
        const heard = collect(channel);
        await subscribed(channel);
        await channel.publish('number', 1);
        const waits = new Promise((seen) => client.on('state', ({name}) => { if (name === 'waiting') seen(); }));
        await site('kill');
        await waits;
        const written = [channel.publish('number', 2), channel.publish('number', 3)];
        await site('start');
        await Promise.all(written);
        equal(await heard.count(3), upTo(3));
        client.close();
    }),

    ["a content policy without 'wasm-unsafe-eval' is named as the reason", async () => {
        const frame = document.createElement('iframe');
        const told = new Promise((heard) => addEventListener('message', ({data}) => { if (data.policy) heard(data.policy); }));
        frame.src = '/strict';
        document.body.append(frame);
        equal((await told).name, 'wasm_blocked');
    }],
];

// -------------------------------------------------------------------------------------- reloaded with something unsent

const kept = (options = {}) => connect(behindFaults, {storage: browserStorage({name: `kept-${run}`}), ...options});

async function leaveSomethingUnsent() {
    await site('cut');
    const client = kept();
    client.channel(`kept:${run}`).publish('number', 1).catch(() => {});
    equal(client.unsent.map(({payload}) => payload), [1]);
    while (await keptOnDisk() === 0) await new Promise((later) => setTimeout(later));
}

function keptOnDisk() {
    return new Promise((counted) => {
        const opening = indexedDB.open(`kept-${run}`);
        // Before the storage has made it, so that it can.
        opening.onupgradeneeded = () => opening.transaction.abort();
        opening.onerror = () => counted(0);
        opening.onsuccess = () => {
            const count = opening.result.transaction('messages').objectStore('messages').count();
            count.onsuccess = () => {
                opening.result.close();
                counted(count.result);
            };
        };
    });
}

async function findItSent() {
    await site('heal');
    const client = kept();
    const message = await new Promise((restored) => client.on('restored', restored));
    equal([message.payload, (await message.acknowledged).offset], [1, 1]);
    client.close();
}

// ----------------------------------------------------------------------------------------------- away, and back again

// Without a storage, whose lock would keep the browser from keeping the page.
const wayBack = (options) => connect(direct).channel(`back:${run}`, options);

async function goAway() {
    const channel = wayBack();
    const heard = collect(channel);
    await subscribed(channel);
    await site(`publish-back:${run}-1`);
    await heard.count(1);
    addEventListener('pageshow', ({persisted}) => void comeBack(heard, persisted), {once: true});
}

async function comeBack(heard, persisted) {
    await check('back on the page, what came meanwhile is heard, once and in order', async () => {
        await site(`publish-back:${run}-4`);
        equal(await heard.count(4), upTo(4));
    });
    await fetch('/end', {method: 'POST', body: JSON.stringify({persisted})});
}

// -------------------------------------------------------------------------------------------------------- the course

// Leaving before the load event would replace the entry of the history that is to be come back to.
if (document.readyState !== 'complete') await new Promise((loaded) => addEventListener('load', loaded, {once: true}));

const phase = sessionStorage.phase ?? 'first';
if (phase === 'first') {
    for (const [name, act] of inOnePage) await check(name, act);
    await check('what is unsent is kept', leaveSomethingUnsent);
    sessionStorage.phase = 'reloaded';
    location.reload();
} else if (phase === 'reloaded') {
    await check('after a reload it is restored, sent and acknowledged', findItSent);
    // A page that held locks and workers would not be kept.
    sessionStorage.phase = 'leaving';
    location.reload();
} else if (phase === 'leaving') {
    sessionStorage.phase = 'back';
    await check('a page is left', goAway);
    location.href = '/away';
} else {
    await comeBack(collect(wayBack({latest: 300})), false);
}
