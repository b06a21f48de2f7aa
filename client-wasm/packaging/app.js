// A round trip through everything: subscribe, publish with acknowledgement, receive, ask, close.
import {connect} from 'pulsewire';

export async function roundTrip(server, transport) {
    const client = connect(server, {transport});
    const ended = new Promise((resolve) => client.on('closed', ({reason}) => resolve(reason)));
    const channel = client.channel(`packaging:${crypto.randomUUID()}`);
    const arrived = new Promise((resolve) => channel.on('greeting', (payload, message) => resolve({payload, offset: message.offset})));
    try {
        const position = await channel.publish('greeting', {text: 'grüße 🎉'});
        const {payload, offset} = await arrived;
        const error = await client.request('nobody.home').catch(({code}) => code);
        const used = client.state.transport;
        await askForToken(server);
        client.close();
        const {name} = await ended;
        return {text: payload.text, same: offset === position.offset, error, transport: used, end: name};
    } catch (error) {
        client.close();
        return {failed: error.code ?? String(error), message: error.message, reason: (await ended).name};
    }
}

/** What asks for tokens may be a file of its own: it is there, and says that nobody is signed in. */
async function askForToken(server) {
    const client = connect(server, {token: () => null});
    const {reason} = await new Promise((resolve) => client.on('state', (state) => 'reason' in state && resolve(state)));
    client.close();
    if (reason.message !== 'There is no token: nobody is signed in') throw new Error(reason.message);
}
