// What happens to clients, told once for every world: run(world) returns its outcome, in which nothing is left that
// differs by chance, such as epochs, times and names of sessions.

/** What a client gets on a channel, in order. */
function listen(client, name, options) {
    const heard = [];
    const channel = client.channel(name, options);
    channel.on('*', (payload, message) => heard.push([message.offset ?? 0, payload]));
    channel.watch('gap', ({from, to, reason}) => heard.push(['gap', from, to, reason]));
    return {channel, heard};
}

const codeOf = (promise) => promise.then(() => 'done', ({code, message, pointer}) => [code, message, ...(pointer ? [pointer] : [])]);
const subscribed = (channel) => () => channel.state === 'subscribed';
const open = (client) => () => client.state.name === 'open';

/** Waits for what may need time to pass. */
async function settled(world, promise) {
    let waits = true;
    promise.then(() => (waits = false), () => (waits = false));
    await world.until(() => !waits);
    return promise;
}

/** A client that listens to the channel already. */
async function listener(world, name, options, clientOptions) {
    const client = await world.connect(clientOptions);
    const {channel, heard} = listen(client, name, options);
    await world.until(subscribed(channel));
    return {client, channel, heard};
}

/** Ada, with these options of a client, publishes while she is offline, and Bob listens. */
async function publishedOffline(world, clientOptions) {
    const ada = await listener(world, 'chat:1', {}, clientOptions), bob = await listener(world, 'chat:1');
    world.offline(ada.client);
    const published = [1, 2, 3].map((n) => ada.channel.publish('n', n));
    await world.pass(300);
    world.online(ada.client);
    const positions = await settled(world, Promise.all(published));
    await world.until(() => ada.heard.length === 3 && bob.heard.length === 3);
    return [positions.map(({offset}) => offset), ada.heard, bob.heard];
}

/** What a page without the SDK gets from /events, in order. */
async function reader(world, query) {
    const stream = await world.events(`/events?${query}`);
    const heard = [];
    let begun = 0;
    for (const type of ['message', 'n', 'pulsewire.message.open']) {
        stream.addEventListener(type, ({data}) => {
            const {channel, offset, payload} = JSON.parse(data);
            heard.push([type, channel, offset, payload]);
        });
    }
    for (const type of ['pulsewire.gap', 'pulsewire.close']) {
        stream.addEventListener(type, ({data}) => {
            const {channel, reason, code} = JSON.parse(data);
            heard.push([type, channel ?? '', reason ?? code]);
        });
    }
    stream.addEventListener('pulsewire.open', () => begun++);
    return {stream, heard, begun: (times = 1) => () => begun >= times};
}

export const scenarios = {
    async 'what two clients publish arrives at both in one order'(world) {
        const ada = await listener(world, 'chat:1'), bob = await listener(world, 'chat:1');
        for (const n of [1, 2, 3]) {
            await ada.channel.publish('n', {ada: n});
            await bob.channel.publish('n', {bob: n});
        }
        await world.until(() => ada.heard.length === 6 && bob.heard.length === 6);
        return [ada.heard, bob.heard];
    },
    async 'without an echo the publisher alone does not get its message'(world) {
        const ada = await listener(world, 'chat:1'), bob = await listener(world, 'chat:1');
        await ada.channel.publish('n', 1, {echo: false});
        await ada.channel.publish('n', 2);
        await world.until(() => ada.heard.length && bob.heard.length === 2);
        return [ada.heard, bob.heard];
    },
    async 'a late subscriber begins with the latest'(world) {
        for (const n of [1, 2, 3, 4]) await world.publish('chat:1', 'n', n);
        const late = await listener(world, 'chat:1', {latest: 2});
        await world.until(() => late.heard.length === 2);
        return late.heard;
    },
    async 'history is read in pages, in both directions'(world) {
        for (let n = 1; n <= 7; n++) await world.publish('chat:1', 'n', n);
        const {channel} = await listener(world, 'chat:1');
        const pages = [await channel.history({limit: 3}), await channel.history({limit: 3, before: 5}), await channel.history({limit: 3, after: 5}), await channel.history({limit: 3, after: 7})];
        return pages.map(({messages, more, missed, position}) => [messages.map(({payload, offset}) => [offset, payload]), more, missed, position.offset]);
    },
    async 'a namespace keeps as many as it says'(world) {
        for (let n = 1; n <= 5; n++) await world.publish('short:1', 'n', n);
        const {channel} = await listener(world, 'short:1');
        const {messages, missed} = await channel.history({limit: 20, after: 1});
        return [messages.map(({payload}) => payload), missed];
    },
    async 'a transient message has no place and is not kept'(world) {
        const {channel, heard} = await listener(world, 'chat:1');
        const position = await channel.publish('typing', 'Ada', {transient: true});
        await channel.publish('n', 1);
        await world.until(() => heard.length === 2);
        return [position === undefined, heard, (await channel.history({limit: 20})).messages.length];
    },
    async 'after a cut the client has everything'(world) {
        const {client, channel, heard} = await listener(world, 'chat:1');
        const told = [];
        channel.watch('subscribed', ({recovered, position}) => told.push([recovered, position.offset]));
        await world.publish('chat:1', 'n', 1);
        await world.until(() => heard.length === 1);
        world.cut(client);
        await world.publish('chat:1', 'n', 2);
        await world.until(() => heard.length === 2);
        return [heard, told];
    },
    async 'after an outage the client has everything'(world) {
        const {client, heard} = await listener(world, 'chat:1');
        world.offline(client);
        for (let n = 1; n <= 20; n++) await world.publish('chat:1', 'n', n);
        await world.pass(300);
        world.online(client);
        await world.until(() => heard.length === 20);
        return heard;
    },
    async 'whoever missed too many is told so'(world) {
        const {client, heard} = await listener(world, 'chat:1');
        await world.publish('chat:1', 'n', 0);
        await world.until(() => heard.length === 1);
        world.offline(client);
        for (let n = 1; n <= 21; n++) await world.publish('chat:1', 'n', n);
        world.online(client);
        await world.until(() => heard.length === 2);
        await world.publish('chat:1', 'n', 22);
        await world.until(() => heard.length === 3);
        return heard;
    },
    async 'whoever comes too late for the history is told so'(world) {
        const {client, heard} = await listener(world, 'short:1');
        world.offline(client);
        for (let n = 1; n <= 5; n++) await world.publish('short:1', 'n', n);
        world.online(client);
        await world.until(() => heard.length === 1);
        return heard;
    },
    async 'a restart that keeps the log loses nothing'(world) {
        const {heard} = await listener(world, 'chat:1');
        await world.publish('chat:1', 'n', 1);
        await world.until(() => heard.length === 1);
        await world.restart();
        await world.publish('chat:1', 'n', 2);
        await world.until(() => heard.length === 2);
        return heard;
    },
    async 'a restart without the log is told as a gap'(world) {
        const {heard} = await listener(world, 'chat:1');
        await world.publish('chat:1', 'n', 1);
        await world.until(() => heard.length === 1);
        await world.restart({keepLog: false});
        await world.until(() => heard.length === 2);
        await world.publish('chat:1', 'n', 2);
        await world.until(() => heard.length === 3);
        return heard;
    },
    async 'what a namespace keeps in memory alone ends with the process'(world) {
        const {heard} = await listener(world, 'volatile:1');
        await world.publish('volatile:1', 'n', 1);
        await world.until(() => heard.length === 1);
        await world.restart();
        await world.until(() => heard.length === 2);
        return heard;
    },
    async 'what is published during an outage arrives once, in order'(world) {
        return publishedOffline(world);
    },
    async 'a publish whose acknowledgement is lost has one effect'(world) {
        const {client, channel, heard} = await listener(world, 'chat:1');
        world.stall('down', client);
        const published = channel.publish('n', 1);
        await world.until(async () => (await (await world.fetch('/api/channels/chat:1/messages?limit=1')).json()).offset === 1);
        world.cut(client);
        world.online(client);
        const {offset} = await settled(world, published);
        await world.until(() => heard.length === 1);
        return [offset, heard, (await channel.history({limit: 20})).messages.length];
    },
    async 'presence tells who comes and goes'(world) {
        const ada = await listener(world, 'chat:1', {presence: {name: 'Ada'}});
        const told = [];
        ada.channel.watch('presence', ({members, joined, left}) => told.push([members.length, joined?.info, left?.info]));
        const bob = await listener(world, 'chat:1', {presence: {name: 'Bob'}});
        await world.until(() => ada.channel.members.length === 2);
        bob.client.close();
        await world.until(() => ada.channel.members.length === 1);
        return [told, ada.channel.members.map(({info}) => info)];
    },
    async 'who is back quickly has never left'(world) {
        const ada = await listener(world, 'chat:1', {presence: true}), bob = await listener(world, 'chat:1', {presence: {name: 'Bob'}});
        await world.until(() => ada.channel.members.length === 1);
        const told = [];
        ada.channel.watch('presence', ({joined, left}) => told.push([joined?.info, left?.info]));
        world.cut(bob.client);
        await world.until(open(bob.client));
        await world.pass(1000);
        return [told, ada.channel.members.length];
    },
    async 'who has vanished leaves after the heartbeat'(world) {
        const ada = await listener(world, 'chat:1', {presence: true}), bob = await listener(world, 'chat:1', {presence: {name: 'Bob'}});
        await world.until(() => ada.channel.members.length === 1);
        world.offline(bob.client);
        await world.pass(500);
        const before = ada.channel.members.length;
        await world.until(() => ada.channel.members.length === 0);
        return [before, open(ada.client)()];
    },
    async 'a request nobody handles is refused'(world) {
        const client = await world.connect();
        return codeOf(client.request('nobody.home', {}));
    },
    async 'clients ask each other'(world, {request, handle}) {
        const ada = await listener(world, 'ask:1', {presence: true}), bob = await listener(world, 'ask:1', {presence: {name: 'Bob'}});
        handle(bob.channel, 'double', (n) => n * 2);
        await world.until(() => ada.channel.members.length === 1);
        const [{session}] = ada.channel.members;
        const answers = [await request(ada.channel, session, 'double', 21), await codeOf(request(ada.channel, session, 'triple', 1)), await codeOf(request(ada.channel, 'nobody-there', 'double', 1))];
        return answers;
    },
    async 'where clients may not ask, it is forbidden'(world, {request}) {
        const {channel} = await listener(world, 'chat:1');
        return codeOf(request(channel, 'somebody-else', 'double', 1));
    },
    async 'where clients may not publish, it is forbidden, and the backend may'(world) {
        const {channel, heard} = await listener(world, 'news:1');
        const refused = await codeOf(channel.publish('n', 1));
        await world.publish('news:1', 'n', 2);
        await world.until(() => heard.length === 1);
        return [refused, heard];
    },
    async 'a payload has to fit its schema'(world) {
        const {channel} = await listener(world, 'declared:1');
        return [
            await codeOf(channel.publish('chat.message', {text: 1})), await codeOf(channel.publish('chat.message', {})),
            await codeOf(channel.publish('chat.message', {text: 'much too long'})), await codeOf(channel.publish('other', {})),
            await codeOf(channel.publish('chat.message', {text: 'right'})), await codeOf(world.publish('declared:1', 'chat.message', {text: 2})),
        ];
    },
    async 'a message that is too large is refused alone'(world) {
        const {channel, heard} = await listener(world, 'chat:1');
        const outcomes = [await codeOf(channel.publish('n', ' '.repeat(5000))), await codeOf(channel.publish('n', 1))];
        await world.until(() => heard.length === 1);
        return [outcomes, heard];
    },
    async 'a connection has so many channels and no more'(world) {
        const client = await world.connect();
        const refused = [];
        for (let n = 1; n <= 7; n++) client.channel(`chat:${n}`).watch('refused', ({code}) => refused.push([n, code]));
        for (let n = 1; n <= 7; n++) client.channel(`chat:${n}`).on('n', () => {});
        await world.until(() => refused.length === 2);
        return refused;
    },
    async 'where no presence is kept, it is forbidden'(world) {
        const client = await world.connect();
        const refused = [];
        const channel = client.channel('quiet:1', {presence: true});
        channel.watch('refused', ({code, message}) => refused.push([code, message]));
        channel.on('n', () => {});
        await world.until(() => refused.length === 1);
        return refused;
    },
    async 'a planned end loses nothing'(world) {
        const {client, heard} = await listener(world, 'chat:1');
        const codes = [];
        client.on('waiting', ({reason}) => codes.push(reason.code));
        await world.publish('chat:1', 'n', 1);
        await world.drain();
        await world.publish('chat:1', 'n', 2);
        await world.until(() => heard.length === 2);
        return [heard, codes[0]];
    },
    async 'what is stalled upwards arrives later'(world) {
        const {client, channel, heard} = await listener(world, 'chat:1');
        const flow = world.stall('up', client);
        const published = [1, 2, 3].map((n) => channel.publish('n', n));
        await world.pass(300);
        const before = (await (await world.fetch('/api/channels/chat:1/messages?limit=1')).json()).offset;
        flow();
        await settled(world, Promise.all(published));
        await world.until(() => heard.length === 3);
        return [before, heard];
    },
    async 'over SSE the client has everything, too'(world) {
        const {client, channel, heard} = await listener(world, 'chat:1', {}, {transport: 'sse'});
        await channel.publish('n', 1);
        world.cut(client);
        await world.publish('chat:1', 'n', 2);
        await world.until(() => heard.length === 2);
        return [heard, client.state.transport];
    },
    async 'after unsubscribe nothing arrives, and since goes on from there'(world) {
        const {client, channel, heard} = await listener(world, 'chat:1');
        await world.publish('chat:1', 'n', 1);
        await world.until(() => heard.length === 1);
        const since = channel.position;
        channel.unsubscribe();
        await world.publish('chat:1', 'n', 2);
        const other = listen(await world.connect(), 'chat:1', {since});
        await world.until(() => other.heard.length === 1);
        return [heard, other.heard, open(client)()];
    },
    async 'bytes arrive as bytes over both transports, and are kept'(world) {
        const ada = await listener(world, 'chat:1'), bob = await listener(world, 'chat:1', {}, {transport: 'sse'});
        const all = Uint8Array.from({length: 256}, (_, i) => i);
        const positions = [await ada.channel.publish('n', all), await bob.channel.publish('n', new Uint8Array()), await ada.channel.publish('n', 'no bytes')];
        await world.until(() => ada.heard.length === 3 && bob.heard.length === 3);
        const plain = ([offset, payload]) => [offset, payload instanceof Uint8Array, [...payload]];
        const {messages} = await bob.channel.history({limit: 20});
        return [positions.map(({offset}) => offset), ada.heard.map(plain), bob.heard.map(plain), messages.map(({offset, payload}) => plain([offset, payload]))];
    },
    async 'bytes that are too large are refused alone'(world) {
        const {channel, heard} = await listener(world, 'chat:1');
        const outcomes = [await codeOf(channel.publish('n', new Uint8Array(5000))), await codeOf(channel.publish('n', new Uint8Array(3900)))];
        await world.until(() => heard.length === 1);
        return [outcomes, heard.map(([offset, {length}]) => [offset, length])];
    },
    async 'clients ask each other with bytes'(world, {request, handle}) {
        const ada = await listener(world, 'ask:1', {presence: true}), bob = await listener(world, 'ask:1', {presence: {name: 'Bob'}});
        handle(bob.channel, 'reverse', (bytes) => bytes.slice().reverse());
        await world.until(() => ada.channel.members.length === 1);
        const [{session}] = ada.channel.members;
        const answer = await request(ada.channel, session, 'reverse', Uint8Array.of(1, 2, 3));
        return [answer instanceof Uint8Array, [...answer]];
    },
    async 'the HTTP API takes bytes as they are, and reads them as base64'(world) {
        const {heard} = await listener(world, 'chat:1');
        const post = await world.fetch('/api/channels/chat:1/messages?type=n', {
            method: 'POST', headers: {'Content-Type': 'application/octet-stream'}, body: Uint8Array.of(0, 255, 10),
        });
        await world.until(() => heard.length === 1);
        const {messages} = await (await world.fetch('/api/channels/chat:1/messages?limit=1')).json();
        return [post.status, heard.map(([offset, payload]) => [offset, [...payload]]), messages.map(({payload, binary, type}) => [payload, binary, type])];
    },
    async 'what is published during an outage arrives once over SSE, too'(world) {
        return publishedOffline(world, {transport: 'sse'});
    },
    async 'presence over SSE tells who comes and goes'(world) {
        const ada = await listener(world, 'chat:1', {presence: {name: 'Ada'}}, {transport: 'sse'}), bob = await listener(world, 'chat:1', {presence: {name: 'Bob'}});
        await world.until(() => ada.channel.members.length === 2 && bob.channel.members.length === 2);
        ada.client.close();
        await world.until(() => bob.channel.members.length === 1);
        return bob.channel.members.map(({info}) => info);
    },
    async 'text of all the world arrives as it was'(world) {
        const {channel, heard} = await listener(world, 'chat:ä'.replace('ä', 'ae'));
        const text = 'grüße 🎉 \u2028 "\\ \u0000 漢字';
        await channel.publish('n', {text, deep: [[{text}]], number: 1.5e-7});
        await world.until(() => heard.length === 1);
        return heard;
    },
    async 'a plain reader gets each message as an event of its type'(world) {
        await world.publish('chat:1', 'n', 1);
        const {heard, begun} = await reader(world, 'channel=chat:2&channel=chat:1');
        await world.until(begun());
        for (const [channel, type] of [['chat:1', 'n'], ['chat:2', 'message'], ['chat:3', 'n'], ['chat:1', 'open']]) await world.publish(channel, type, {type});
        await world.until(() => heard.length === 3);
        return heard;
    },
    async 'a plain reader begins with the latest'(world) {
        for (const n of [1, 2, 3, 4]) await world.publish('chat:1', 'n', n);
        const {heard} = await reader(world, 'channel=chat:1&latest=2');
        await world.until(() => heard.length === 2);
        return heard;
    },
    async 'after a cut a plain reader goes on where it was, in each channel'(world) {
        const {stream, heard, begun} = await reader(world, 'channel=chat:1&channel=chat:2');
        await world.until(begun());
        await world.publish('chat:1', 'n', 1);
        await world.until(() => heard.length === 1);
        world.cut(stream);
        await world.publish('chat:2', 'n', 2);
        await world.publish('chat:1', 'n', 3);
        await world.until(begun(2));
        await world.until(() => heard.length === 3);
        return heard.sort(([, a], [, b]) => (a < b ? -1 : a > b ? 1 : 0));
    },
    async 'a plain reader is told of a lost log, and of what its history has no more'(world) {
        const {stream, heard, begun} = await reader(world, 'channel=short:1');
        await world.until(begun());
        world.offline(stream);
        for (let n = 1; n <= 5; n++) await world.publish('short:1', 'n', n);
        world.online(stream);
        await world.until(begun(2));
        await world.restart({keepLog: false});
        await world.until(begun(3));
        return heard;
    },
    async 'a planned end is told to a plain reader, which comes back and misses nothing'(world) {
        const {heard, begun} = await reader(world, 'channel=chat:1');
        await world.until(begun());
        await world.drain();
        await world.publish('chat:1', 'n', 1);
        await world.until(() => heard.length === 2);
        return heard;
    },
    async 'a stream that cannot be does not come back'(world) {
        const many = Array.from({length: 33}, (_, i) => `channel=chat:${i}`).join('&');
        const queries = ['', 'channel=', 'channel=no%20channel', many, 'channel=chat:1&latest=x', 'channel=chat:1&last_event_id=nonsense', 'channel=chat:1'];
        const streams = await Promise.all(queries.map((query) => reader(world, query)));
        await world.until(streams.at(-1).begun());
        await world.until(() => streams.slice(0, -1).every(({stream}) => stream.readyState === 2));
        return streams.map(({stream}) => stream.readyState);
    },
    async 'the HTTP API publishes and reads'(world) {
        const ask = async (path, init) => {
            const response = await world.fetch(path, init);
            const answer = await response.json();
            for (const message of answer.messages ?? []) delete message.time;
            delete answer.epoch;
            return [response.status, answer];
        };
        const post = (body, channel = 'chat:1') => ask(`/api/channels/${channel}/messages`, {method: 'POST', body});
        return [
            await post('{"payload":{"n":1}}'), await post('{"type":"n","payload":2,"key":"k"}'), await post('{"type":"n","payload":2,"key":"k"}'),
            await post('{"type":"n","payload":3,"key":"k"}'), await post('{"payload":'), await post('{"type":"n"}'), await post('{"payload":1}', 'no%20channel'),
            await ask('/api/channels/chat:1/messages?limit=1&backwards=true'), await ask('/api/channels/chat:1/messages?offset=1&limit=5'), await ask('/api/channels/chat:1/presence'),
        ];
    },
};

/** The same with a server that verifies tokens. */
export const tokenScenarios = {
    async 'a user may what the namespace and the token say'(world) {
        const ann = await world.connect({token: () => world.token('ann', {'chat:**': ['publish']})});
        const outcomes = [];
        for (const channel of ['chat:1', 'open:1', 'own:ann', 'own:bob', 'other:1']) outcomes.push([channel, await codeOf(ann.channel(channel).publish('n', 1))]);
        return [ann.user, outcomes];
    },
    async 'nobody gets in without a token'(world) {
        const nobody = await world.connect();
        await world.until(() => nobody.state.name === 'closed');
        return nobody.state.reason.name;
    },
    async 'who may not subscribe is refused'(world) {
        const ann = await world.connect({token: () => world.token('ann|1', {'chat:1': ['subscribe']})});
        const refused = [];
        const outcomes = ['chat:1', 'chat:2', 'open:1'].map((name) => {
            const channel = ann.channel(name);
            channel.watch('refused', ({code, message}) => refused.push([name, code, message]));
            channel.on('n', () => {});
            return channel;
        });
        await world.until(() => refused.length === 1 && outcomes[0].state === 'subscribed' && outcomes[2].state === 'subscribed');
        return [refused, ann.user];
    },
    async 'a message says who has published it'(world) {
        const ann = await world.connect({token: () => world.token('ann', {'chat:**': ['publish', 'subscribe']})});
        const users = [];
        ann.channel('chat:1').on('n', (_, {user}) => users.push(user));
        await world.until(subscribed(ann.channel('chat:1')));
        await ann.channel('chat:1').publish('n', 1);
        await world.until(() => users.length === 1);
        return users;
    },
    async 'a plain reader has to show a token, and reads what that permits'(world) {
        const token = encodeURIComponent(world.token('ann', {'chat:1': ['subscribe']}));
        const queries = [`channel=chat:1&token=${token}`, `channel=chat:2&token=${token}`, 'channel=chat:1', 'channel=open:1', 'channel=chat:1&token=nonsense'];
        const readers = await Promise.all(queries.map((query) => reader(world, query)));
        await world.until(readers[0].begun());
        await world.until(() => readers.slice(1).every(({stream}) => stream.readyState === 2));
        await world.publish('chat:1', 'n', 1);
        await world.until(() => readers[0].heard.length === 1);
        return readers.map(({heard, stream}) => [heard, stream.readyState]);
    },
    async 'what is no token is refused for good'(world) {
        const ann = await world.connect({token: () => 'nonsense'});
        await world.until(() => ann.state.name === 'closed');
        return ann.state.reason.name;
    },
};

/** More than the systems on the way hold. */
const flood = Array.from({length: 250}, (_, i) => i + 1);
const pad = ' '.repeat(60_000);

/** The same with a server that gives up slow clients early. */
export const slowScenarios = {
    async 'a client that reads nothing is cut, and recovers'(world) {
        const {client, heard} = await listener(world, 'large:1', {}, {commandTimeoutMs: 60_000});
        const reasons = [];
        client.on('waiting', ({reason}) => reasons.push(reason.name));
        const flow = world.stall('down', client);
        for (const n of flood) await world.publish('large:1', 'n', {n, pad});
        flow();
        await world.until(() => heard.length === flood.length);
        return [reasons, heard.every(([offset, {n}], i) => offset === i + 1 && n === i + 1)];
    },
    async 'a slow client gets the latest of each key, and is told what was left out'(world) {
        const {client, heard} = await listener(world, 'ticker:1', {}, {commandTimeoutMs: 60_000});
        const flow = world.stall('down', client);
        for (const n of flood) await world.publish('ticker:1', 'price', {n, pad});
        flow();
        await world.until(() => heard.at(-1)?.[1].n === flood.length);
        const gaps = heard.filter(([what]) => what === 'gap');
        return [gaps.length > 0, gaps.every(([, , , reason]) => reason === 'replaced'), heard.at(-1)[0], client.state.name];
    },
};
