// How long a page is blocked while a storm of messages arrives over a real socket and nobody reads the payloads.

import {connect} from '../../client-wasm/dist/index.js';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const round = (ms) => Math.round(ms * 100) / 100;

function rest(values) {
    const sorted = values.toSorted((a, b) => a - b);
    return {count: sorted.length, p50: round(sorted[sorted.length >> 1] ?? 0), p99: round(sorted[Math.floor(sorted.length * 0.99)] ?? 0), max: round(sorted.at(-1) ?? 0)};
}

/** Gaps between the page's frames while `work` runs, and its tasks of 50 ms and more. */
async function watched(work) {
    const gaps = [];
    const longTasks = [];
    let last = performance.now();
    let watching = true;
    const frame = () => {
        const now = performance.now();
        gaps.push(now - last);
        last = now;
        if (watching) requestAnimationFrame(frame);
    };
    const observer = new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({duration}) => duration)));
    observer.observe({type: 'longtask'});
    requestAnimationFrame(frame);
    await work();
    await sleep(50);
    watching = false;
    observer.disconnect();
    return {frameGapsMs: rest(gaps), longTasksMs: rest(longTasks)};
}

export async function measureStorm({url, channel: name, messages}) {
    const handling = [];
    class TimedSocket extends WebSocket {
        set onmessage(handler) {
            super.onmessage = handler && ((event) => {
                const begin = performance.now();
                handler(event);
                handling.push(performance.now() - begin);
            });
        }
    }
    const client = connect(url, {transport: 'websocket', WebSocket: TimedSocket});
    const channel = client.channel(name);
    let received = 0;
    let outOfOrder = 0;
    let last = 0;
    let over;
    const all = new Promise((resolve) => (over = resolve));
    channel.watch('message', ({offset}) => {
        if (offset !== last + 1) outOfOrder++;
        last = offset;
        if (++received === messages) over();
    });
    channel.watch('gap', () => outOfOrder++);
    while (channel.state !== 'subscribed') await sleep(5);
    const idle = await watched(() => sleep(1000));
    handling.length = 0;
    const begin = performance.now();
    const busy = await watched(async () => {
        await fetch('/storm', {method: 'POST', body: '{}'});
        await Promise.race([all, sleep(60_000)]);
    });
    const seconds = (performance.now() - begin) / 1000;
    client.close();
    return {received, outOfOrder, seconds: round(seconds), handlingMs: rest(handling), idle, busy};
}
