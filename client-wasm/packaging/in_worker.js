import {roundTrip} from './app.js';

globalThis.onmessage = async ({data: {server, transport}}) => globalThis.postMessage(await roundTrip(server, transport));
