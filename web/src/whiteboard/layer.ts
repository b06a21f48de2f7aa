// A canvas with lines, as sharp as the screen and in the colours of the theme.

import {byId} from '../shared/dom.ts';

export interface Line {
    pen: number;
    width: number;
    points: number[];
}

const widths = [0.003, 0.007, 0.016];  // shares of the board's width

export class Layer {
    readonly #canvas: HTMLCanvasElement;
    /** What is on the canvas, and with which size and colours. */
    #drawn: readonly Line[] = [];
    #look = '';

    constructor(canvas: HTMLCanvasElement) {
        this.#canvas = canvas;
    }

    /** Draws these lines and nothing else. Where lines were added above the others, those stay as they are. */
    draw(lines: readonly Line[]): void {
        const canvas = this.#canvas;
        const size = [canvas.clientWidth, canvas.clientHeight].map((px) => Math.round(px * devicePixelRatio)) as [number, number];
        const colours = this.#colours();
        const look = [...size, ...colours].join();
        const {length} = this.#drawn;
        const grown = look === this.#look && length > 0 && lines[length - 1] === this.#drawn[length - 1] && lines[0] === this.#drawn[0];
        if (!grown) [canvas.width, canvas.height] = size;
        const context = canvas.getContext('2d')!;
        context.lineCap = context.lineJoin = 'round';
        for (const {pen, width, points} of grown ? lines.slice(length) : lines) {
            if (points.length === 0) continue;
            context.strokeStyle = colours[pen % colours.length]!;
            context.lineWidth = widths[width % widths.length]! * size[0];
            context.stroke(path(points, size));
        }
        this.#drawn = lines;
        this.#look = look;
    }

    // The tools know their colours in both themes.
    #colours(): string[] {
        return [...byId('pens').querySelectorAll('.tool')].map((tool) => getComputedStyle(tool).color);
    }
}

// Through the middles between the points, so that a line has no corners; a single point is a dot.
function path(points: number[], [width, height]: [number, number]): Path2D {
    const line = new Path2D();
    const at = (i: number): [number, number] => [points[i]! * width, points[i + 1]! * height];
    line.moveTo(...at(0));
    for (let i = 2; i < points.length - 2; i += 2) {
        const [x, y] = at(i);
        const [nextX, nextY] = at(i + 2);
        line.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
    }
    line.lineTo(...at(points.length - 2));
    return line;
}
