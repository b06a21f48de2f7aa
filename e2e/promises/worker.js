// A module worker with a client of its own: publishes, hears itself, and tells the page what it heard.

import {connect} from '/sdk/index.js';

onmessage = async ({data: {url, channel}}) => {
    const client = connect(url);
    client.channel(channel).on('number', (number) => {
        postMessage(number);
        client.close();
    });
    await client.channel(channel).publish('number', 42);
};
