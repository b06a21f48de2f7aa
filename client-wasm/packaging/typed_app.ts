import {connect, PulsewireError, type Client} from 'pulsewire';
import {browserStorage, customStorage, type Store} from 'pulsewire/storage';
import {connect as connectSlim, init} from 'pulsewire/wasm';
import type {WorkerCommand, WorkerEvent} from 'pulsewire/worker';

const client: Client = connect('https://rt.example.com', {transport: 'auto', backoffMaxMs: 5000});
const chat = client.channel<{'chat.message': {text: string}}>('chat:lobby', {latest: 5});
chat.on('chat.message', ({text}, {offset}) => [text.length, offset]);
// @ts-expect-error the payload has a text
chat.publish('chat.message', {txt: ''}).catch((error: unknown) => error instanceof PulsewireError && error.code === 'timeout');

await init(new URL('https://cdn.example.com/pulsewire.wasm'));
const slim: Client = connectSlim('/', {storage: browserStorage({name: 'ada', maxAgeMs: 60_000})});
slim.on('restored', ({payload, acknowledged}) => [payload, acknowledged]);
slim.on('storage', ({code}) => code === 'unavailable');
slim.channel('a', {resume: true});
export const own = (store: Store) => connect('/', {storage: customStorage(store, {repeatWithinMs: 1000})}).unsent.length;
slim.close();

const command: WorkerCommand = {op: 'subscribe', channel: 'a'};
const heard = (event: WorkerEvent) => (event.op === 'message' ? event.raw : command.op);
export {heard};
