// The table: nanoseconds per message and ratios to the bare handler. A ratio's two numbers are the ratio of the best
// rounds and the median of the rounds' ratios; where they are far apart the machine was busy.

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const row = (first, ...cells) => console.log(`  ${first.padEnd(20)}${cells.map((cell) => String(cell).padStart(10)).join('')}`);

/** Of one client in one case, against the bare handler. */
export function figuresOf(nanoseconds, base) {
    return {
        min: Math.min(...nanoseconds),
        median: median(nanoseconds),
        ratioOfMins: Math.min(...nanoseconds) / Math.min(...base),
        medianRatio: median(nanoseconds.map((each, i) => each / base[i])),
    };
}

export function report({results, start, storm, sockets}) {
    for (const {bytes, batch, subscriptions, spread, frameBytes, subjects} of results) {
        console.log(`\n${bytes} B of payload in ${frameBytes} B, ${batch} per frame, ${spread} of ${subscriptions} channels`);
        row('', 'min ns', 'median ns', 'min ×', 'median ×');
        const base = subjects['bare JSON.parse'];
        for (const [name, nanoseconds] of Object.entries(subjects).sort()) {
            const f = figuresOf(nanoseconds, base ?? nanoseconds);
            row(name, Math.round(f.min), Math.round(f.median), f.ratioOfMins.toFixed(3), f.medianRatio.toFixed(3));
        }
        const spreadOfBase = base ? median(base) / Math.min(...base) : 1;
        if (spreadOfBase > 1.5) console.log(`  The machine is busy: the bare handler's median is ${spreadOfBase.toFixed(2)} × its best round. Trust the ratios of the best rounds at most.`);
    }
    const {firstMs, instantiateMs, memoryBytes} = start;
    console.log(`\nThe module compiles and starts in ${median(instantiateMs).toFixed(2)} ms (the first time ${firstMs.toFixed(2)} ms) and has ${memoryBytes / 1024} KiB of memory.`);
    if (!storm) return;
    const {received, outOfOrder, seconds, handlingMs, idle, busy} = storm;
    console.log(`\nA storm over a real socket: ${received} messages in ${seconds} s, ${outOfOrder} lost or out of order.`);
    row('ms', 'count', 'p50', 'p99', 'max');
    for (const [name, {count, p50, p99, max}] of [['one message event', handlingMs], ['frames, idle', idle.frameGapsMs], ['frames, storm', busy.frameGapsMs], ['long tasks, storm', busy.longTasksMs]]) {
        row(name, count, p50, p99, max);
    }
    for (const {bytes, perFrame, perSecond} of sockets) {
        console.log(`\nOver real sockets, ${bytes} B of payload, read; medians of ${perSecond.pulsewire.length} rounds`);
        row('', 'msgs/s', 'per frame', 'ours ×');
        for (const [name, rates] of Object.entries(perSecond)) {
            row(name, Math.round(median(rates)), perFrame[name].toFixed(1), median(perSecond.pulsewire.map((each, i) => each / rates[i])).toFixed(2));
        }
    }
}
