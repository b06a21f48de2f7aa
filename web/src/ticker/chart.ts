// One line over the last half minute, as SVG: crisp on every screen, coloured by the theme through CSS. Time glides and the
// scale follows gently; for readers who prefer reduced motion both move only when a price arrives.

import {makeSvg, prefersReducedMotion} from '../shared/dom.ts';

export interface Point {
    time: number;
    value: number;
}

const windowMs = 30_000;
const quietMs = 3000;  // a price that is older than this is not drawn as today's
const frameMs = 1000 / 30;
const margin = {top: 16, right: 64, bottom: 28, left: 0};
const labelEveryMs = 10_000;
const describeEveryMs = 5000;
const gapsMax = 10;
const gapLabelPx = 26;

export class Chart {
    readonly #svg = makeSvg('svg', {class: 'chart__svg', role: 'img'});
    readonly #grid = makeSvg('g', {class: 'chart__grid'});
    readonly #labels = makeSvg('g', {class: 'chart__labels'});
    readonly #gapMarks = makeSvg('g', {class: 'chart__gaps'});
    readonly #area = makeSvg('path', {class: 'chart__area'});
    readonly #line = makeSvg('path', {class: 'chart__line'});
    readonly #dot = makeSvg('circle', {class: 'chart__dot', r: 4});
    readonly #flag = makeSvg('rect', {class: 'chart__flag', width: 56, height: 22, rx: 6});
    readonly #flagText = makeSvg('text', {class: 'chart__flag-text', 'text-anchor': 'middle', dy: '0.35em'});
    #symbol = '';
    #points: readonly Point[] = [];
    #gaps: number[] = [];
    #width = 0;
    #height = 0;
    #low = 0;
    #high = 0;
    #skewMs: number | undefined;  // this page's clock less the server's, delay included
    #nextFrame = 0;
    #describedAt = 0;

    constructor(place: HTMLElement) {
        this.#svg.append(this.#grid, this.#gapMarks, this.#area, this.#line, this.#labels, this.#dot, this.#flag, this.#flagText);
        place.append(this.#svg);
        new ResizeObserver(([entry]) => {
            this.#width = entry!.contentRect.width;
            this.#height = entry!.contentRect.height;
            this.#svg.setAttribute('viewBox', `0 0 ${this.#width} ${this.#height}`);
            this.#draw();
        }).observe(place);
        const frame = (now: number): void => {
            requestAnimationFrame(frame);
            if (now < this.#nextFrame || prefersReducedMotion()) return;
            this.#nextFrame = now + frameMs - 4;
            this.#draw();
        };
        requestAnimationFrame(frame);
    }

    show(symbol: string, points: readonly Point[]): void {
        this.#symbol = symbol;
        this.#points = points;
        this.#low = this.#high = 0;
        this.#describedAt = 0;
        this.#svg.setAttribute('aria-label', `${symbol}: no price yet`);
        this.#draw();
    }

    /** A price came; `own` when it is of the symbol on show. */
    arrived(sentMs: number, own: boolean): void {
        const skewMs = Date.now() - sentMs;
        this.#skewMs = Math.min(this.#skewMs ?? skewMs, skewMs);
        if (own && prefersReducedMotion()) this.#draw();
    }

    /** Prices after this moment were missed: the line breaks there. */
    gapAfter(time: number): void {
        this.#gaps = [...this.#gaps.slice(-gapsMax + 1), time];
    }

    #draw(): void {
        const last = this.#points.at(-1);
        if (!last || this.#width === 0) return;
        const now = Math.max(last.time, Date.now() - (this.#skewMs ?? 0));
        const shown = this.#points.filter((point) => point.time > now - windowMs - 5000);
        if (shown.length === 0) shown.push(last);
        this.#follow(shown);

        const right = this.#width - margin.right;
        const bottom = this.#height - margin.bottom;
        const x = (time: number): number => margin.left + (1 - (now - time) / windowMs) * (right - margin.left);
        const y = (value: number): number => bottom - ((value - this.#low) / (this.#high - this.#low)) * (bottom - margin.top);

        const pieces = this.#pieces(shown);
        const lines = pieces.map((piece) => `M${piece.map((point) => `${x(point.time).toFixed(1)} ${y(point.value).toFixed(1)}`).join('L')}`);
        const end = now - last.time < quietMs ? right : x(last.time);
        lines[lines.length - 1] += `L${end.toFixed(1)} ${y(last.value).toFixed(1)}`;
        this.#line.setAttribute('d', lines.join(''));
        this.#area.setAttribute('d', lines.map((line, i) => `${line}V${bottom}H${x(pieces[i]![0]!.time).toFixed(1)}Z`).join(''));
        this.#gapMarks.replaceChildren(...pieces.slice(1).flatMap((piece, i) => {
            const from = Math.max(margin.left, x(pieces[i]!.at(-1)!.time));
            const width = x(piece[0]!.time) - from;
            const band = makeSvg('rect', {x: from.toFixed(1), y: margin.top, width: Math.max(width, 2).toFixed(1), height: bottom - margin.top});
            return width < gapLabelPx ? [band] : [band, text(from + width / 2, margin.top + 14, 'middle', 'gap')];
        }));
        place(this.#dot, {cx: end, cy: y(last.value)});
        place(this.#flag, {x: right + 6, y: y(last.value) - 11});
        place(this.#flagText, {x: right + 34, y: y(last.value)});
        this.#flagText.textContent = last.value.toFixed(2);
        this.#drawScale(x, y, now, right, bottom, y(last.value));
        this.#describe(shown, last);
    }

    // The points between two gaps, at least those of the newest piece.
    #pieces(points: readonly Point[]): Point[][] {
        const pieces: Point[][] = [];
        points.forEach((point, i) => {
            const broken = i === 0 || this.#gaps.some((gap) => points[i - 1]!.time <= gap && gap < point.time);
            if (broken) pieces.push([point]);
            else pieces.at(-1)!.push(point);
        });
        return pieces;
    }

    // The scale goes a part of the way to where it should be, so it never jumps.
    #follow(shown: readonly Point[]): void {
        const values = shown.map((point) => point.value);
        const low = Math.min(...values);
        const high = Math.max(...values);
        const space = Math.max((high - low) * 0.12, high * 0.0005);
        const part = this.#high === 0 || prefersReducedMotion() ? 1 : 0.12;
        this.#low += (low - space - this.#low) * part;
        this.#high += (high + space - this.#high) * part;
    }

    #drawScale(x: (time: number) => number, y: (value: number) => number, now: number, right: number, bottom: number, flagY: number): void {
        const step = niceStep((this.#high - this.#low) / 5);
        const lines: SVGElement[] = [];
        const labels: SVGElement[] = [];
        for (let value = Math.ceil(this.#low / step) * step; value <= this.#high; value += step) {
            lines.push(makeSvg('line', {x1: margin.left, x2: right, y1: round(y(value)), y2: round(y(value))}));
            if (Math.abs(y(value) - flagY) < 18) continue;  // the flag stands there
            labels.push(text(right + 34, y(value), 'middle', value.toFixed(step < 0.01 ? 3 : 2)));
        }
        for (let ago = 0; ago <= windowMs; ago += labelEveryMs) {
            const label = ago === 0 ? 'now' : `−${ago / 1000} s`;
            labels.push(text(ago === windowMs ? 12 : x(now - ago), bottom + 18, ago === 0 ? 'end' : ago === windowMs ? 'start' : 'middle', label));
        }
        this.#grid.replaceChildren(...lines);
        this.#labels.replaceChildren(...labels);
    }

    #describe(shown: readonly Point[], last: Point): void {
        if (Date.now() - this.#describedAt < describeEveryMs) return;
        this.#describedAt = Date.now();
        this.#svg.setAttribute('aria-label',
            `${this.#symbol} over the last half minute: from ${shown[0]!.value.toFixed(2)} to ${last.value.toFixed(2)}`);
    }
}

const round = (px: number): number => Math.round(px) + 0.5;

function place(element: SVGElement, attributes: Record<string, number>): void {
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value.toFixed(1));
}

function text(x: number, y: number, anchor: string, content: string): SVGTextElement {
    const element = makeSvg('text', {x: x.toFixed(1), y: y.toFixed(1), dy: '0.35em', 'text-anchor': anchor});
    element.textContent = content;
    return element;
}

// 1, 2 or 5 times a power of ten.
function niceStep(rough: number): number {
    const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1e-6)));
    const part = rough / power;
    return power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
}
