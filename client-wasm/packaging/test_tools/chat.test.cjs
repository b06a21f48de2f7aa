// In Jest: with virtual time, and with Jest's fake timers.
const {PulsewireError} = require('pulsewire');
const {testServer} = require('pulsewire/test');

let server;
afterEach(() => {
    server.close();
    jest.useRealTimers();
});

async function outage() {
    const client = server.connect();
    const heard = [];
    client.channel('chat:1').on('*', (payload) => heard.push(payload));
    await server.settled();
    server.offline();
    server.publish('chat:1', 'n', 'grüße');
    await server.advance(60_000);
    expect(client.state.name).toBe('waiting');
    server.online();
    await server.settled();
    expect(heard).toEqual(['grüße']);
    server.refuse('publish', 'forbidden');
    await expect(client.channel('chat:1').publish('n', 1)).rejects.toBeInstanceOf(PulsewireError);
}

test('in virtual time', async () => {
    server = await testServer({virtualTime: true});
    await outage();
});

test('with fake timers', async () => {
    jest.useFakeTimers({doNotFake: ['queueMicrotask', 'nextTick', 'setImmediate']});
    server = await testServer();
    await outage();
});

test('over SSE', async () => {
    server = await testServer({virtualTime: true});
    const client = server.connect({transport: 'sse'});
    const published = client.channel('chat:1').publish('n', 1);
    await server.settled();
    expect((await published).offset).toBe(1);
});
