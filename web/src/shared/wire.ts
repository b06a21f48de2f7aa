// The line under the header is the wire: a pulse runs along it when a message from the server arrives. Decoration only,
// but honest: nothing else starts it.

import {byId, prefersReducedMotion} from './dom.ts';

const pulsesMax = 4;
const intervalMs = 350;
let last = 0;

export function pulse(): void {
    const now = performance.now();
    if (now - last < intervalMs || document.hidden || prefersReducedMotion()) return;
    const wire = byId('wire');
    if (wire.childElementCount >= pulsesMax) return;
    last = now;
    const spark = document.createElement('span');
    wire.append(spark);
    const way = [{transform: 'translateX(-160px)'}, {transform: `translateX(${wire.clientWidth}px)`}];
    spark.animate(way, {duration: 1400, easing: 'cubic-bezier(.35, 0, .4, 1)'}).finished.then(() => spark.remove(), () => spark.remove());
}
