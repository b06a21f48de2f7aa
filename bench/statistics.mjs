// Sums over rounds, and whether they say anything.

// A run that failed has no figure, and JSON has null for what could not be divided.
export const isFigure = (value) => Number.isFinite(value);

export function median(values) {
    const sorted = values.toSorted((a, b) => a - b);
    const middle = sorted.length >> 1;
    return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// {median, least, most} of a list; undefined for an empty one.
export function summary(values) {
    if (values.length === 0) return undefined;
    return {median: median(values), least: Math.min(...values), most: Math.max(...values)};
}

// Ours divided by theirs, in the rounds that have both. Servers that were measured side by side share what else
// happened on the machine, so this holds where the figures themselves wander.
export function ratios(ours, theirs) {
    return ours.flatMap((value, round) => (isFigure(value) && isFigure(theirs[round]) && theirs[round] > 0 ? [value / theirs[round]] : []));
}

// What rounds say about a goal: 'reached' or 'missed' when all agree, otherwise how the median would have it.
export function verdict(values, {least, most}) {
    const good = values.filter((value) => (least === undefined || value >= least) && (most === undefined || value <= most)).length;
    if (good === values.length) return 'reached';
    if (good === 0) return 'missed';
    const middle = median(values);
    const reached = (least === undefined || middle >= least) && (most === undefined || middle <= most);
    return reached ? 'unclear, rather reached' : 'unclear, rather missed';
}

// The share of the two cores' time that others took: {foreign, stolen}, from two readings of /proc/stat's lines of
// these cores and the CPU seconds of those that were measured.
export function noise(before, after, cores, measuredSeconds, ticksPerSecond = 100) {
    let busy = 0;
    let stolen = 0;
    let all = 0;
    for (const core of cores) {
        const change = after[core].map((value, i) => value - before[core][i]);
        const [user, nice, system, idle, wait, irq, softirq, steal] = change;
        busy += user + nice + system + irq + softirq;
        stolen += steal;
        all += user + nice + system + idle + wait + irq + softirq + steal;
    }
    if (all === 0) return {foreign: 0, stolen: 0};
    return {foreign: Math.max(0, busy - measuredSeconds * ticksPerSecond) / all, stolen: stolen / all};
}

// CPU seconds out of /proc/PID/stat: the process's own, and of those of its children that have ended.
export function processSeconds(text, ticksPerSecond = 100) {
    // The name in parentheses may hold anything. What follows it begins with field 3.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const seconds = (field) => (Number(fields[field - 3]) + Number(fields[field - 2])) / ticksPerSecond;
    return {own: seconds(14), children: seconds(16)};
}

// The lines of /proc/stat by core: {0: [user, nice, …]}.
export function readCores(text) {
    const cores = {};
    for (const [, core, times] of text.matchAll(/^cpu(\d+) (.*)$/gm)) cores[core] = times.split(' ').map(Number);
    return cores;
}
