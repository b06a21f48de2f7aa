// In a page: a server, two clients, an outage; the result is for the test.
import {testServer} from 'pulsewire/test';

async function run() {
    const server = await testServer({virtualTime: true});
    const [ada, bob] = [server.connect(), server.connect({transport: 'sse'})];
    const heard = [];
    bob.channel('chat:1').on('*', (payload) => heard.push(payload));
    await server.settled();
    server.offline(bob);
    for (let n = 1; n <= 3; n++) ada.channel('chat:1').publish('n', `grüße ${n}`).catch(() => {});
    await server.advance(60_000);
    server.online(bob);
    await server.settled();
    const states = [ada.state.name, bob.state.name, bob.state.transport];
    server.close();
    return {heard, states};
}

run().then((result) => (globalThis.result = result), (error) => (globalThis.result = {error: String(error?.stack)}));
