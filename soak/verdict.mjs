// What a soak proves: figures of each attack, what counts as a fault, and what is only told.

import {median} from '../bench/statistics.mjs';

const roundTripMs = 20;
const timesQuiet = 10;
// Beyond one of these, times say more about the machine than about the server.
const foreignShareMax = 0.15;
const lagMsMax = 10;
// From the first round of all attacks to the last one memory may grow by so much: the allocator's and the kernel's play.
const growthShare = 1.1;
const growthBytes = 16 << 20;
const fillSeconds = 20;

const megabytes = (bytes) => `${Math.round(bytes / 1_048_576)} MB`;

// {median, p99, most} in ms, and their number. Nothing measured is no number of milliseconds.
export function roundTrips(values) {
    if (values.length === 0) return {count: 0, median: NaN, p99: NaN, most: NaN};
    const sorted = values.toSorted((a, b) => a - b);
    return {count: sorted.length, median: median(sorted), p99: sorted[Math.ceil(sorted.length * 0.99) - 1], most: sorted.at(-1)};
}

// What healthy clients may wait for an answer at p99.
export const boundMs = (quiet) => Math.max(roundTripMs, timesQuiet * quiet.median);

// Why times are not judged; empty when they are. `foreign`: the share of all cores that others used. `lagMs`: p99 of how
// late the measuring process itself was. `load`: the load average before the start, by core.
export function disturbance({foreign, lagMs, load}) {
    const reasons = [];
    if (load > 1) reasons.push(`load average of ${load.toFixed(1)} for each core before the start`);
    if (foreign > foreignShareMax) reasons.push(`other programs took ${Math.round(foreign * 100)} % of the cores`);
    if (lagMs > lagMsMax) reasons.push(`the probe itself was up to ${Math.round(lagMs)} ms late`);
    return reasons.join('; ');
}

// The counters that grew, without those that only say that there was traffic.
const traffic = /received_total|sent_bytes|received_bytes|delivered_total|publications_total|_seconds|_count|_sum|process_|shard_/;
export function moved(before, after) {
    return Object.fromEntries(Object.entries(after)
        .filter(([name]) => /_total(\{|$)/.test(name) && !traffic.test(name))
        .map(([name, value]) => [name, value - (before[name] ?? 0)])
        .filter(([, change]) => change > 0));
}

// The faults and remarks of one attack. `row`: as made by the run; `boundBytes`: the server's memory.
export function judgeRow(row, {boundBytes, quiet}) {
    const faults = [];
    const remarks = [];
    const timed = row.disturbed ? remarks : faults;
    if (row.end !== undefined) return {faults: [`the server ended with ${row.end} (at most ${megabytes(row.peakBytes)} resident): ${row.lastWords}`], remarks};
    if (row.peakBytes >= boundBytes) faults.push(`${megabytes(row.peakBytes)} resident, and ${megabytes(boundBytes)} is the bound`);
    const {crowd, trips, probe} = row;
    if (crowd === undefined) return {faults: [...faults, 'the healthy crowd did not report'], remarks};
    if (crowd.lost.length !== 0) faults.push(`${crowd.lost.length} times something was lost, twice or out of order: ${crowd.lost[0]}`);
    if (crowd.connected < crowd.clients) faults.push(`${crowd.clients - crowd.connected} of ${crowd.clients} healthy clients not connected afterwards`);
    if (crowd.unacknowledged) faults.push(`${crowd.unacknowledged} healthy publishers get no acknowledgement any more`);
    if (crowd.unlisted) faults.push(`${crowd.unlisted} healthy members are not in the list any more`);
    if (crowd.toldGaps) remarks.push(`${crowd.toldGaps} gaps were told`);
    if (crowd.republished) remarks.push(`${crowd.republished} publishes had to be repeated`);
    if (crowd.cuts) timed.push(`${crowd.cuts} healthy connections were cut or refused (${Object.entries(crowd.cutCodes).map(([code, times]) => `${times} × ${code}`).join(', ')})`);
    if (probe.cuts) timed.push(`${probe.cuts} connections of the probe were cut or refused`);
    if (probe.refused) faults.push(`${probe.refused} healthy commands were refused`);
    for (const [how, times] of Object.entries(probe.unanswered)) {
        const late = how === 'timeout' || how === 'silence';
        (late ? timed : faults).push(`${times} × ${how} for a question of one healthy client to another, beside ${probe.answered} answers`);
    }
    if (!(trips.p99 <= boundMs(quiet))) timed.push(`p99 of a healthy round trip is ${trips.p99.toFixed(1)} ms, and ${boundMs(quiet).toFixed(1)} ms is the bound`);
    for (const [name, times] of Object.entries(row.moved)) if (/exceptions_total|accept_errors_total/.test(name)) faults.push(`${name} grew by ${times}`);
    return {faults, remarks};
}

// Where memory grows from round to round, although each does the same: the first attack after which more is resident than after
// any of the first round, for each life of the server. The first round fills what the bounds allow.
export function growth(rows) {
    return [...new Set(rows.map((row) => row.generation))].flatMap((generation) => {
        const living = rows.filter((row) => row.generation === generation && row.end === undefined);
        const first = living.filter((row) => row.round === living[0].round);
        const most = Math.max(...first.map((row) => row.settledBytes));
        const beyond = living.slice(first.length).find((row) => row.settledBytes > most * growthShare + growthBytes);
        return beyond ? [{attack: beyond.attack, round: beyond.round, text: `${megabytes(beyond.settledBytes)} stay resident, and ${megabytes(most)} did after the first round`}] : [];
    });
}

// Whether a first round of such turns fills the tables, so that growth after it means something.
export const fills = (turnSeconds) => turnSeconds >= fillSeconds;

// How long each attack takes and how often all take their turn: each at least twice, because the first round fills what the
// bounds allow and only the others can show that it is no more than that.
export function plan(minutes, attacks, {turnSeconds = 30, roundsMax = 4} = {}) {
    const seconds = minutes * 60;
    const rounds = Math.min(roundsMax, Math.max(2, Math.floor(seconds / (attacks * turnSeconds))));
    return {rounds, seconds: seconds / (rounds * attacks)};
}
