// The same round trip by the package's own worker (docs/sdk.md, "Workers"); its port is given.

export function portedRoundTrip(port, server) {
    const events = [];
    let resolve;
    const done = new Promise((result) => (resolve = result));
    port.onmessage = ({data}) => {
        events.push(data);
        const {op} = data;
        if (op === 'subscribed') port.postMessage({op: 'publish', id: 1, channel: data.channel, type: 'greeting', payload: {text: 'grüße 🎉'}});
        const message = events.find((event) => event.op === 'message');
        const answer = events.find((event) => event.op === 'answer');
        if (message && answer) {
            const {session} = events.find((event) => event.op === 'state' && event.state.name === 'open');
            resolve({text: JSON.parse(message.raw).text, same: message.offset === answer.value.offset, session});
        }
        if (op === 'error' || op === 'refused') resolve({failed: data.error.code, message: data.error.message});
    };
    port.postMessage({op: 'connect', url: server});
    port.postMessage({op: 'subscribe', channel: `packaging:ported-${Math.random().toString(36).slice(2)}`});
    return done;
}
