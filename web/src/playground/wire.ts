// The line between a client and the server: how the connection is, and a spark for each message that leaves or arrives.

import {prefersReducedMotion} from '../shared/dom.ts';

const sparksMax = 6;
const sparkMs = 450;

export class Wire {
    readonly #element: HTMLElement;
    /** Where the client is: before the line, on the left or above, or behind it. */
    readonly #client: 'before' | 'behind';

    constructor(element: HTMLElement, client: 'before' | 'behind') {
        this.#element = element;
        this.#client = client;
    }

    show(state: string): void {
        this.#element.dataset.state = state;
    }

    showFault(fault: 'offline' | 'stalled' | undefined): void {
        if (fault) this.#element.dataset.fault = fault;
        else delete this.#element.dataset.fault;
    }

    /** A message leaves the client, if there is a way. */
    up(): void {
        if (this.#element.dataset.state === 'open' && !this.#element.dataset.fault) this.#run(this.#client === 'before');
    }

    /** A message has arrived at the client. */
    down(): void {
        this.#run(this.#client === 'behind');
    }

    #run(forwards: boolean): void {
        const {clientWidth, clientHeight, childElementCount} = this.#element;
        if (document.hidden || prefersReducedMotion() || childElementCount >= sparksMax) return;
        const spark = document.createElement('span');
        this.#element.append(spark);
        const along = clientWidth > clientHeight ? `translateX(${clientWidth - spark.offsetWidth}px)` : `translateY(${clientHeight - spark.offsetHeight}px)`;
        const way = [{transform: 'none'}, {transform: along}];
        const gone = (): void => spark.remove();
        spark.animate(forwards ? way : way.reverse(), {duration: sparkMs, easing: 'ease-in-out'}).finished.then(gone, gone);
    }
}
