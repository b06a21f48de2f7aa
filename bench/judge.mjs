// What the rounds of a scenario say: tables of medians and ratios, goals, doubts.

import {ratios, summary, verdict} from './statistics.mjs';

// Beyond these, others than those measured decide about the figures.
const foreignMax = 0.1;
const stolenMax = 0.02;
const spreadMax = 0.3;

export function number(value) {
    if (value === undefined) return '–';
    if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
    if (value >= 1e4) return `${(value / 1e3).toFixed(0)} k`;
    if (value >= 100) return value.toFixed(0);
    return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

const range = (s) => (s ? `${number(s.least)}–${number(s.most)}` : '–');
const known = (values) => values.filter((value) => value !== undefined);
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

// Sentences about what makes the figures doubtful. `tables`: what judge() returned.
export function doubts(results, tables) {
    const noises = Object.values(results).flat().flatMap((result) => result.noise ?? []);
    const found = [];
    const foreign = summary(noises.map((one) => one.foreign));
    const stolen = summary(noises.map((one) => one.stolen));
    if (foreign?.median > foreignMax) {
        found.push(`other programs took ${percent(foreign.median)} of both cores (median): latencies say nothing, ratios and figures per second of CPU little`);
    }
    if (stolen?.median > stolenMax) found.push(`the host took ${percent(stolen.median)} of both cores away`);
    for (const {title, rows} of tables) {
        const ours = rows.find((row) => row.server === 'pulsewire').figure;
        const spread = ours && (ours.most - ours.least) / ours.median;
        if (spread > spreadMax) found.push(`Pulsewire’s own rounds differ by ${percent(spread)} in “${title}”`);
    }
    return found;
}
