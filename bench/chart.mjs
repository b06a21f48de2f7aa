// script/bench chart: puts what script/bench measured, build/bench/*.json, into docs/performance.md and docs/images/.
//
//   node bench/chart.mjs [SCENARIO…]
//
// A section of the text between `<!-- measured: NAME -->` and `<!-- end measured -->` is written anew when there is a
// build/bench/NAME.json in which Pulsewire did not fail and no server is missing that the section has. With names, only
// those are, also with fewer servers.

import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';

import {cellsOf, columns, number} from './judge.mjs';
import {scenarios} from './scenarios.mjs';
import {isFigure} from './statistics.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const textFile = `${root}docs/performance.md`;

// ----------------------------------------------------------------------------------------------------------- the chart

const width = 900;
const height = 400;
// `right` has room for the longest name in any system's letters.
const panel = {top: 56, bottom: 52, left: 64, right: 104, gap: 40};
// Light, then dark. Pulsewire stands out, the limit steps back.
const inks = {
    pulsewire: ['#0b57d0', '#8ab4f8'],
    limit: ['#5f6368', '#9aa0a6'],
    uwebsockets: ['#b3261e', '#f28b82'],
    nats: ['#137333', '#81c995'],
    nchan: ['#8430ce', '#c58af9'],
    ws: ['#b06000', '#fdd663'],
    'socket.io': ['#007b83', '#78d9ec'],
    centrifugo: ['#c2185b', '#ff8bcb'],
};
export const names = {pulsewire: 'Pulsewire', limit: 'limit', uwebsockets: 'uWebSockets', nats: 'NATS', nchan: 'Nchan', ws: 'ws', 'socket.io': 'Socket.IO', centrifugo: 'Centrifugo'};

const logScale = (from, to, a, b) => (value) => a + ((Math.log10(value) - Math.log10(from)) / (Math.log10(to) - Math.log10(from))) * (b - a);
const round = (value) => Math.round(value * 10) / 10;

function ticks(from, to) {
    const found = [];
    for (let power = Math.floor(Math.log10(from)); power <= Math.log10(to); ++power) {
        for (const step of [1, 3]) {
            const value = step * 10 ** power;
            if (value >= from && value <= to) found.push(value);
        }
    }
    return found;
}

const plain = (value) => (value >= 1e6 ? `${value / 1e6} M` : value >= 1e3 ? `${value / 1e3} k` : `${value}`);

// Labels at the ends of lines, pushed apart so that none hides another.
function placeLabels(ends) {
    const sorted = ends.toSorted((a, b) => a.y - b.y);
    for (let i = 1; i < sorted.length; ++i) {
        const near = sorted.slice(0, i).filter((other) => Math.abs(other.x - sorted[i].x) < 70);
        for (const other of near) if (sorted[i].y - other.y < 14) sorted[i].y = other.y + 14;
    }
    return sorted;
}

function drawPanel({title, unit, curves, figure, left, right, range}) {
    const bottom = height - panel.bottom;
    const offered = curves.flatMap(({points}) => points.map((point) => point.offered));
    const x = logScale(Math.min(...offered), Math.max(...offered), left, right);
    const y = logScale(range[0], range[1], bottom, panel.top);
    const out = [`<text class="title" x="${left}" y="${panel.top - 26}">${title}</text>`, `<text x="${left}" y="${panel.top - 10}">${unit}</text>`];
    for (const value of ticks(...range)) {
        out.push(`<line class="grid" x1="${left}" x2="${right}" y1="${round(y(value))}" y2="${round(y(value))}"/>`);
        out.push(`<text text-anchor="end" x="${left - 8}" y="${round(y(value)) + 4}">${plain(value)}</text>`);
    }
    for (const value of [...new Set(offered)].toSorted((a, b) => a - b).filter((_, i) => i % 2 === 0)) {
        out.push(`<text text-anchor="middle" x="${round(x(value))}" y="${bottom + 20}">${plain(value)}</text>`);
    }
    out.push(`<text text-anchor="middle" x="${(left + right) / 2}" y="${bottom + 40}">deliveries offered per second</text>`);
    const ends = [];
    for (const {server, points} of curves) {
        const place = points.filter((point) => point[figure] > 0)
            .map((point) => [round(x(point.offered)), round(y(Math.min(Math.max(point[figure], range[0]), range[1])))]);
        if (place.length === 0) continue;
        out.push(`<polyline class="line ${server.replace('.', '')}" points="${place.map((point) => point.join(',')).join(' ')}"/>`);
        const [endX, endY] = place.at(-1);
        ends.push({server, x: endX, y: endY});
    }
    for (const {server, x: endX, y: endY} of placeLabels(ends)) {
        out.push(`<text class="label ${server.replace('.', '')}" x="${endX + 6}" y="${round(endY + 4)}">${names[server]}</text>`);
    }
    return out.join('\n');
}

export function chart({curves, rounds, seconds}) {
    const half = (width - panel.left - 2 * panel.right - panel.gap) / 2;
    const leftPanel = [panel.left, panel.left + half];
    const rightPanel = [leftPanel[1] + panel.right + panel.gap, width - panel.right];
    const inkRules = (shade) => Object.entries(inks).map(([server, shades]) =>
        `.line.${server.replace('.', '')}{stroke:${shades[shade]}} .label.${server.replace('.', '')}{fill:${shades[shade]}}`).join('\n');
    const latencies = curves.flatMap(({points}) => points.map((point) => point.p99_ms)).filter((value) => value > 0);
    const delivered = curves.flatMap(({points}) => points.map((point) => point.delivered)).filter((value) => value > 0);
    return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="what">
<title id="what">Deliveries per second and latency against offered load, 1,000 subscribers, one core; medians of ${rounds} rounds of ${seconds} s</title>
<style>
text{font:12px system-ui,sans-serif;fill:#3c4043}
.title{font-size:14px;font-weight:600;fill:#202124}
.label{font-weight:600}
.grid{stroke:#dadce0}
.paper{fill:#ffffff}
.line{fill:none;stroke-width:1.6}
.line.pulsewire{stroke-width:3}
.line.limit{stroke-dasharray:5 4}
${inkRules(0)}
@media (prefers-color-scheme:dark){
text{fill:#bdc1c6}
.title{fill:#e8eaed}
.grid{stroke:#3c4043}
.paper{fill:#16181c}
${inkRules(1)}
}
</style>
<rect class="paper" width="${width}" height="${height}" rx="8"/>
${drawPanel({title: 'What arrives', unit: 'deliveries per second', curves, figure: 'delivered', left: leftPanel[0], right: leftPanel[1], range: [Math.min(...delivered) * 0.8, Math.max(...delivered) * 1.2]})}
${drawPanel({title: 'How late', unit: 'latency that 99 % stay below, ms', curves, figure: 'p99_ms', left: rightPanel[0], right: rightPanel[1], range: [Math.min(...latencies) * 0.8, Math.max(...latencies) * 1.2]})}
</svg>
`;
}

// ---------------------------------------------------------------------------------------------------------- the tables

const markdown = (lines) => [lines[0], lines[0].map((_, i) => (i === 0 ? '---' : '---:')), ...lines.slice(1)]
    .map((line) => `| ${line.join(' | ')} |`).join('\n');

function provenance({name, rounds, seconds, machine}) {
    const length = scenarios[name]?.fixedTime ? '' : ` of ${seconds} s`;
    return `${machine.date.slice(0, 10)}, commit ${machine.commit}, medians of ${rounds} rounds${length}; ${machine.processor}, ${machine.cores} cores, Linux ${machine.kernel.split('-')[0]}, ${machine.compiler}.`;
}

export function section(run) {
    const out = [];
    for (const {title, better, rows} of run.tables ?? []) out.push(`${title[0].toUpperCase()}${title.slice(1)} (${better} is better):`, markdown([columns, ...rows.map(cellsOf)]));
    if (run.curves) {
        const rates = [...new Set(run.curves.flatMap(({points}) => points.map(({offered}) => offered)))].toSorted((a, b) => a - b);
        const cell = (point) => (point ? `${number(point.delivered)}, ${number(point.p99_ms)} ms` : '');
        out.push(markdown([['offered/s', ...rates.map(number)], ...run.curves.map(({server, points}) =>
            [server, ...rates.map((rate) => cell(points.find(({offered}) => offered === rate)))])]));
    }
    for (const doubt of run.doubts ?? []) out.push(`*Doubtful: ${doubt}.*`);
    out.push(`<small>${provenance(run)}</small>`);
    return out.join('\n\n');
}

// ---------------------------------------------------------------------------------------------------------- the text

const marked = /(<!-- measured: ([\w-]+) -->)((?:(?!<!-- measured: )[^])*?)(<!-- end measured -->)/g;
const serversIn = (body) => [...body.matchAll(/^\| ([\w.-]+) \|/gm)].map(([, first]) => first).filter((first) => !/^-+$/.test(first));

// The servers that a run has figures of: in each of its tables, or in its curves.
function serversOf({tables, curves}) {
    if (curves) return curves.filter(({points}) => points.some(({delivered}) => isFigure(delivered))).map(({server}) => server);
    const withFigure = (tables ?? []).map(({rows}) => rows.filter(({figure}) => figure).map(({server}) => server));
    return withFigure.length ? withFigure.reduce((all, some) => all.filter((server) => some.includes(server))) : [];
}

// Why a section stays as it is, or undefined.
function objection(run, body, asked) {
    if (run === undefined) return 'not measured here';
    if (run.unreadable) return `its measurement cannot be read (${run.unreadable})`;
    const servers = serversOf(run);
    if (!servers.includes('pulsewire')) return 'its measurement has no figures of Pulsewire';
    const failures = Object.values(run.results.pulsewire).flat().flatMap((result) => result.failures ?? []);
    if (failures.length) return `Pulsewire failed in its measurement (${failures[0]})`;
    const lost = [...new Set(serversIn(body).filter((server) => !servers.includes(server)))];
    return lost.length && !asked ? `its measurement lacks ${lost.join(', ')}; 'script/bench chart ${run.name}' writes it nonetheless` : undefined;
}

// `text` with the sections written anew for which there is a whole measurement, nothing else touched. `runOf(name)`: the
// run, {unreadable: why}, or undefined; `asked`: only these sections, also with fewer servers than they had. Throws
// where a section has no end, or one that was asked for is not there.
export function rewrite(text, runOf, asked = []) {
    const names = [...text.matchAll(marked)].map((match) => match[2]);
    const begun = [...text.matchAll(/<!-- measured: ([\w-]+) -->/g)].map((match) => match[1]);
    const open = begun.find((name, i) => name !== names[i]);
    if (open) throw new Error(`the section '${open}' has no <!-- end measured -->`);
    const absent = asked.find((name) => !names.includes(name));
    if (absent) throw new Error(`there is no section '${absent}'`);
    const written = [];
    const left = [];
    const result = text.replace(marked, (whole, begin, name, body, end) => {
        if (asked.length && !asked.includes(name)) return whole;
        const run = runOf(name);
        const why = objection(run, body, asked.includes(name));
        if (why) {
            left.push({name, why});
            return whole;
        }
        written.push(run);
        return `${begin}\n\n${section(run)}\n\n${end}`;
    });
    return {text: result, written, left};
}

function readRun(file) {
    if (!existsSync(file)) return undefined;
    try {
        return JSON.parse(readFileSync(file, 'utf8'));
    } catch (error) {
        return {unreadable: error.message};
    }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const {text, written, left} = rewrite(readFileSync(textFile, 'utf8'), (name) => readRun(`${root}build/bench/${name}.json`), process.argv.slice(2));
    const images = written.filter(({curves}) => curves).map((run) => [`${root}docs/images/${run.name}.svg`, chart(run)]);
    for (const [file, image] of images) writeFileSync(file, image);
    writeFileSync(textFile, text);
    for (const {name} of written) console.log(`${name}: written`);
    for (const {name, why} of left) console.log(`${name}: left as it is; ${why}`);
}
