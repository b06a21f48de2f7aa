import {roundTrip} from './app.js';

const {server, transport, worker} = Object.fromEntries(new URLSearchParams(location.search));
if (worker) {
    const inWorker = new Worker(new URL('./in_worker.js', import.meta.url), {type: 'module'});
    inWorker.onmessage = ({data}) => (globalThis.result = data);
    inWorker.onerror = ({message}) => (globalThis.result = {failed: message});
    inWorker.postMessage({server, transport});
} else {
    roundTrip(server, transport).then((result) => (globalThis.result = result));
}
