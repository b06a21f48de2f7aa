// What docs/streams.md shows of @durable-streams/client; script/check_streams.mjs runs it.

import {DurableStream, IdempotentProducer, stream} from '@durable-streams/client';

export async function conversation(address, show) {
    // begin
    const url = `${address}/streams/replies/2`;
    const reply = await DurableStream.create({url, contentType: 'text/plain'});

    const reading = await stream({url, offset: '-1', live: 'sse'});
    reading.subscribeText(({text, offset}) => show(text, offset)); // offset: where to go on after a reload

    const writer = new IdempotentProducer(reply, 'model-7', {autoClaim: true});
    for (const word of ['To be, ', 'or not ', 'to be']) writer.append(word);
    await writer.flush();
    await reply.close();
    // end
    await reading.closed;
}
