// The recipes of this folder, in the real proxies: what docs/operating.md promises behind them, seen by the SDK, by a plain
// EventSource and by the HTTP API. A proxy that is not installed is skipped.

import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {after, before, describe, test} from 'node:test';
import {setTimeout as pause} from 'node:timers/promises';
import {connect} from 'pulsewire';

import {behind, cutsSilence, hasHttp2, installed, names, recipe, recipes, timeoutMs} from './proxy.mjs';
import {Visitor} from './visitor.mjs';

const patienceMs = 10_000;
const bounded = {timeout: 3 * patienceMs};
const stepMs = 5;
// Browsers open six over HTTP/1.1.
const streamsOverHttp2 = 8;
const connectionsMax = streamsOverHttp2 + 1;
const transports = ['websocket', 'sse'];
const backoff = {backoffMinMs: 20, backoffMaxMs: 200};
// Well below the proxies' timeout, as ping_ms and pong_ms are below that of the recipes.
const quickPings = {ping_ms: 500, pong_ms: 2_000};

async function until(what, holds) {
    for (const end = Date.now() + patienceMs; !(await holds()); await pause(stepMs)) {
        if (Date.now() > end) throw new Error(`not within ${patienceMs} ms: ${what()}`);
    }
}

// What a client saw of one channel from the time when all of them are subscribed: texts in their order, and how often it had no
// connection.
async function watchAll(clients, channel) {
    const seen = clients.map((client) => watch(client, channel));
    await until(() => clients.map(({state}) => state.name).join(), () => seen.every(({subscribed}) => subscribed));
    return seen;
}

function watch(client, channel) {
    const seen = {texts: [], subscribed: false, waited: 0, gaps: 0};
    client.on('waiting', () => { seen.waited += 1; });
    const watched = client.channel(channel);
    watched.watch('gap', () => { seen.gaps += 1; });
    watched.watch('subscribed', ({recovered}) => {
        seen.subscribed = true;
        if (recovered === false) seen.gaps += 1;
    });
    watched.on('message', (text) => seen.texts.push(text));
    return seen;
}

function behaviour(name) {
    let place;
    const clients = [];
    const visitors = [];
    const visit = (options) => {
        const visitor = new Visitor(place, options);
        visitors.push(visitor);
        return visitor;
    };
    const join = (visitor, transport, path = '') => {
        const client = connect(visitor.origin + path, {transport, ...backoff, ...visitor.environment});
        clients.push(client);
        return client;
    };
    const leave = () => {
        for (const client of clients.splice(0)) client.close();
        for (const visitor of visitors.splice(0)) visitor.leave();
    };
    before(async () => { place = await behind(name, {...quickPings, connections_per_address_max: connectionsMax}); });
    after(async () => {
        leave();
        await place?.stop();
    });

    for (const transport of transports) {
        test(`${transport} through TLS: each message arrives before the next one is sent, also a large one`, bounded, async () => {
            const client = join(visit(), transport);
            const [{texts}] = await watchAll([client], transport);
            for (const text of ['one', 'two', 'x'.repeat(60_000), 'four']) {
                await client.channel(transport).publish('message', text);
                await until(() => `${texts.length} messages, ${client.state.name}`, () => texts.at(-1) === text);
            }
            assert.equal(client.state.transport, transport);
            assert.equal(texts.length, 4);
            leave();
        });
    }

    test('an EventSource gets each event at once; the API and the metrics want their key', bounded, async () => {
        const visitor = visit();
        const events = visitor.events('/events?channel=plain');
        assert.equal((await events.next()).value.type, 'pulsewire.open');
        for (const payload of [1, 2, 3]) {
            assert.equal((await visitor.publish('plain', payload)).status, 200);
            for (;;) {
                const {value} = await events.next();
                if (value.type.startsWith('pulsewire.')) continue;
                assert.equal(JSON.parse(value.data).payload, payload);
                break;
            }
        }
        assert.equal((await visitor.publish('plain', 4, {secret: 'another'})).status, 401);
        assert.equal((await visitor.request('/metrics')).statusCode, 401);
        leave();
    });

    if (hasHttp2(name)) {
        test('over HTTP/2 one connection has as many event streams as it likes, and a WebSocket where the proxy offers it', bounded, async () => {
            const visitor = visit({address: '127.0.0.3'});
            const session = await visitor.http2();
            const open = (fields, first) => new Promise((opened, failed) => {
                const stream = session.request({origin: visitor.origin, ...fields}, {endStream: fields[':method'] !== 'CONNECT'});
                const heard = {text: '', stream};
                stream.setEncoding('latin1').on('data', (text) => { heard.text += text; }).on('error', failed);
                stream.on('response', ({':status': status}) => (status === 200 ? opened(heard) : failed(new Error(`${fields[':path']}: ${status}`))));
            });
            const eventStreams = Array.from({length: streamsOverHttp2}, () => open({':path': '/events?channel=h2', accept: 'text/event-stream'}));
            const sockets = session.remoteSettings.enableConnectProtocol
                ? [open({':method': 'CONNECT', ':protocol': 'websocket', ':path': '/ws/plain/h2', 'sec-websocket-version': '13'})] : [];
            const all = await Promise.all([...eventStreams, ...sockets]);
            await until(() => all[0].text, () => all.slice(0, streamsOverHttp2).every(({text}) => text.includes('pulsewire.open')));
            assert.equal((await visitor.publish('h2', 'to all of them')).status, 200);
            await until(() => all.map(({text}) => text).join(), () => all.every(({text}) => text.includes('to all of them')));
            assert.equal(sockets.length, name === 'haproxy' ? 1 : 0);
            leave();
        });
    }

    test('the address of a client is its own, whatever it says of itself', bounded, async () => {
        const [ann, bob] = ['127.0.0.11', '127.0.0.12'].map((address) => visit({address, fields: {'x-forwarded-for': '203.0.113.9'}}));
        assert.equal((await ann.publish('a', 1, {secret: 'guessed'})).status, 401);
        const refusal = place.audit().findLast(({event, reason}) => event === 'refused' && reason === 'key');
        assert.equal(refusal.address, '127.0.0.11');

        const all = Array.from({length: connectionsMax}, () => join(ann, 'websocket'));
        await until(() => all.map(({state}) => state.name).join(), () => all.every(({state}) => state.name === 'open'));
        const more = join(ann, 'websocket');
        const other = join(bob, 'websocket');
        more.on('state', () => {});  // or the console would show why it waits
        await until(() => `${other.state.name}, ${more.state.name}`, () => other.state.name === 'open' && more.state.name === 'waiting');
        assert.equal(place.audit().findLast(({reason}) => reason === 'connections').address, '127.0.0.11');
        leave();
    });

    test('an idle connection outlives the timeouts of the proxy', bounded, async () => {
        const clients = transports.map((transport) => join(visit(), transport));
        const idle = await watchAll(clients, 'idle');
        await pause(1.5 * timeoutMs);
        await clients[0].channel('idle').publish('message', 'still there');
        await until(() => JSON.stringify(idle), () => idle.every(({texts}) => texts.length === 1));
        assert.deepEqual(idle.map(({waited}) => waited), [0, 0]);
        leave();
    });

    test('a reload of the proxy under load loses nothing, and nothing comes twice', bounded, async () => {
        const readers = await watchAll(transports.map((transport) => join(visit({address: '127.0.0.21'}), transport)), 'load');
        const writer = join(visit({address: '127.0.0.22'}), 'websocket').channel('load');
        const backend = visit({address: '127.0.0.23'});
        let [acknowledged, writing] = [[], true];
        const page = async () => {
            for (let i = 0; writing; i += 1) {
                await writer.publish('message', `page-${i}`);
                acknowledged.push(`page-${i}`);
            }
        };
        // Publishes again with the same key as long as it has no answer.
        const program = async () => {
            for (let i = 0; writing; i += 1) {
                const text = `program-${i}`;
                await until(() => text, async () => (await backend.publish('load', text, {key: text}).catch(() => ({}))).status === 200);
                acknowledged.push(text);
            }
        };
        const load = Promise.all([page(), program()]);
        for (let reload = 0; reload < 3; reload += 1) {
            const goal = acknowledged.length + 60;
            await until(() => `${acknowledged.length} of ${goal}`, () => acknowledged.length >= goal);
            await place.reload();
        }
        const goal = acknowledged.length + 60;
        await until(() => `${acknowledged.length} of ${goal}`, () => acknowledged.length >= goal);
        writing = false;
        await load;
        for (const {texts} of readers) await until(() => `${texts.length} of ${acknowledged.length}`, () => texts.length >= acknowledged.length);
        for (const {texts, gaps} of readers) {
            assert.equal(gaps, 0);
            assert.deepEqual(texts, readers[0].texts);
            assert.deepEqual([...texts].sort(), [...acknowledged].sort());
        }
        console.log(`    ${name}: ${acknowledged.length} acknowledged; reconnects ${readers.map(({waited}) => waited).join(' and ')}`);
        leave();
    });
}

// A server whose pings are rarer than the proxy's timeout shows that this one is at work above.
function belowPath(name) {
    test('below a path, with base_path; and who pings too rarely is cut, and misses nothing', bounded, async () => {
        const place = await behind(name, {base_path: '/realtime'});
        try {
            const visitor = new Visitor(place);
            const clients = transports.map((transport) => connect(`${visitor.origin}/realtime`, {transport, ...backoff, ...visitor.environment}));
            try {
                const seen = await watchAll(clients, 'path');
                const cut = seen.filter((_, i) => cutsSilence(name, transports[i]));
                await until(() => JSON.stringify(seen), () => cut.every(({waited}) => waited > 0));
                assert.equal((await visitor.publish('path', 'hello', {prefix: '/realtime'})).status, 200);
                await until(() => JSON.stringify(seen), () => seen.every(({texts}) => texts.length === 1));
                assert.deepEqual(seen.map(({gaps}) => gaps), [0, 0]);
                const outside = await visitor.publish('path', 'hello');
                assert.ok(!outside.text.includes('offset'), `${outside.status} ${outside.text}`);
            } finally {
                for (const client of clients) client.close();
                visitor.leave();
            }
        } finally {
            await place.stop();
        }
    });
}

describe('behind', {concurrency: true}, () => {
    for (const name of names) {
        if (!installed(name)) {
            test(name, {skip: `${name} is not installed (script/bootstrap installs it)`}, () => {});
            continue;
        }
        describe(name, {concurrency: 1}, () => behaviour(name));
        describe(`${name}, below a path`, () => belowPath(name));
    }
});

test('docs/operating.md shows these files as they are', () => {
    const page = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8');
    for (const file of recipes) {
        assert.ok(page.includes(`\n${recipe(file)}\`\`\`\n`), `${file} is shown otherwise`);
    }
});
