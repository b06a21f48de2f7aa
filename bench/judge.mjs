// What the rounds of a scenario say: tables of medians and ratios, goals, doubts.

import {isFigure, ratios, summary, verdict} from './statistics.mjs';

// Beyond these shares of both cores, others than those measured decide about the figures. What they do depends on the
// kind of a figure: time on the clock passes for them too; of CPU time they cost only what goes with sharing caches and
// turns; memory does not know of them.
const disturbances = {
    clock: {foreignMax: 0.1, stolenMax: 0.02, says: 'latencies and figures per second say little, and so do their ratios'},
    cpu: {foreignMax: 0.3, stolenMax: 0.1, says: 'figures per second of CPU are those of a busy machine, their ratios hold better'},
};
const spreadMax = 0.3;

// 'cpu', 'memory' or 'clock', by a figure's key.
export function kindOf(figure) {
    if (figure.endsWith('_per_cpu_s')) return 'cpu';
    return figure.endsWith('_bytes') ? 'memory' : 'clock';
}

export function number(value) {
    if (!isFigure(value)) return '–';
    if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
    if (value >= 1e4) return `${(value / 1e3).toFixed(0)} k`;
    if (value >= 100) return value.toFixed(0);
    return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

const range = (s) => (s ? `${number(s.least)}–${number(s.most)}` : '–');
const known = (values) => values.filter(isFigure);
const percent = (share) => `${(100 * share).toFixed(0)} %`;

function goalText(goal, values) {
    const wanted = goal.least !== undefined ? `≥ ${number(goal.least)}` : `≤ ${number(goal.most)}`;
    return `${wanted}: ${values.length ? verdict(values, goal) : 'not measured'}`;
}

// `results`: by server, a result per round. `figure`: as in scenarios.mjs.
export function judge(results, figure) {
    const column = (name) => results[name].map((result) => result[figure.figure]);
    const ours = column('pulsewire');
    const rows = Object.keys(results).map((name) => {
        const theirs = column(name);
        const row = {server: name, figure: summary(known(theirs))};
        if (name === 'pulsewire') {
            if (figure.bounds) row.goal = goalText(figure.bounds, known(ours));
            return row;
        }
        const each = ratios(ours, theirs);
        row.ratio = summary(each);
        const goal = figure.goals?.[name];
        if (typeof goal === 'object') row.goal = goalText(goal, each);
        else if (goal !== undefined) row.goal = goalText(figure.better === 'more' ? {least: goal} : {most: goal}, each);
        return row;
    });
    return {figure: figure.figure, title: figure.title, better: figure.better, rows};
}

export const columns = ['', 'median', 'range', 'Pulsewire ÷ it', 'range', 'goal'];

export function cellsOf(row) {
    const ratio = row.ratio ? [number(row.ratio.median), range(row.ratio)] : ['', ''];
    return [row.server, number(row.figure?.median), range(row.figure), ...ratio, row.goal ?? ''];
}

export function print(lines, {leftColumns}) {
    const widths = lines[0].map((_, i) => Math.max(...lines.map((line) => line[i].length)));
    for (const line of lines) {
        const cells = line.map((cell, i) => (leftColumns.includes(i) ? cell.padEnd(widths[i]) : cell.padStart(widths[i])));
        console.log(`    ${cells.join('  ').trimEnd()}`);
    }
}

// What the rounds say at each rate. `results`: by server and rate, a result per round.
export function curvesOf(results) {
    return Object.entries(results).map(([server, byRate]) => ({
        server,
        points: Object.entries(byRate).map(([rate, each]) => {
            const of = (figure) => summary(known(each.map((result) => result[figure])))?.median;
            return {offered: Number(rate), delivered: of('deliveries_per_s'), p50_ms: of('p50_ms'), p99_ms: of('p99_ms')};
        }),
    }));
}

// Sentences about what makes the figures doubtful. `results`: of all servers and rounds; `figures`: the keys of what is
// told of them.
export function disturbed(results, figures) {
    const kinds = Object.keys(disturbances).filter((kind) => figures.some((figure) => kindOf(figure) === kind));
    const noises = results.flatMap((result) => result.noise ?? []);
    const found = [];
    const foreign = summary(noises.map((one) => one.foreign))?.median;
    const stolen = summary(noises.map((one) => one.stolen))?.median;
    const beyond = (limit, share) => kinds.filter((kind) => share > disturbances[kind][limit]).map((kind) => disturbances[kind].says).join('; ');
    const byOthers = beyond('foreignMax', foreign);
    const byHost = beyond('stolenMax', stolen);
    if (byOthers) found.push(`other programs took ${percent(foreign)} of both cores (median): ${byOthers}`);
    if (byHost) found.push(`the host took ${percent(stolen)} of both cores away (median): ${byHost}`);
    return found;
}

// The same, and where Pulsewire's own rounds differ. `results` by server; `tables`: what judge() returned.
export function doubts(results, tables) {
    const found = disturbed(Object.values(results).flat(), tables.map(({figure}) => figure));
    for (const {title, rows} of tables) {
        const ours = rows.find((row) => row.server === 'pulsewire').figure;
        const spread = ours && (ours.most - ours.least) / ours.median;
        if (spread > spreadMax) found.push(`Pulsewire’s own rounds differ by ${percent(spread)} in “${title}”`);
    }
    return found;
}
