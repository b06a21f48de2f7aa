// A price's last minute in a few pixels: SVG, so it is crisp on every screen and takes its colour from the theme.

import {makeSvg} from './dom.ts';

const width = 120;
const height = 32;

export class Sparkline {
    readonly element: SVGSVGElement;
    readonly #line = makeSvg('path', {class: 'sparkline__line'});
    #values: number[] = [];
    readonly #max: number;

    constructor(max = 60) {
        this.#max = max;
        this.element = makeSvg('svg', {
            class: 'sparkline', viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true',
        }, this.#line);
    }

    add(value: number): void {
        this.show([...this.#values, value]);
    }

    show(values: number[]): void {
        this.#values = values.slice(-this.#max);
        if (values.length === 0) return;
        const low = Math.min(...this.#values);
        const span = Math.max(...this.#values) - low || 1;
        const step = width / (this.#max - 1);
        const start = width - (this.#values.length - 1) * step;
        const points = this.#values.map((v, i) =>
            `${(start + i * step).toFixed(1)} ${(height - 2 - ((v - low) / span) * (height - 4)).toFixed(1)}`);
        this.#line.setAttribute('d', `M${points.join('L')}`);
    }
}
