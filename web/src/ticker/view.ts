// The ticker's look: a tile for each symbol, the chart of the chosen one, the figures of delivery.

import type {TickerPrice} from '../messages.ts';
import {byId, make} from '../shared/dom.ts';
import {Sparkline} from '../shared/sparkline.ts';
import {pulse} from '../shared/wire.ts';
import {Chart, type Point} from './chart.ts';
import type {Delivery} from './delivery.ts';

const symbols = ['PULS', 'WIRE', 'BEAM', 'ECHO', 'FLUX', 'NOVA'];
const keptMs = 40_000;

interface Tile {
    button: HTMLButtonElement;
    price: HTMLElement;
    change: HTMLElement;
    sparkline: Sparkline;
    points: Point[];
}

export class TickerView {
    readonly #tiles = new Map<string, Tile>();
    readonly #chart = new Chart(byId('chart'));
    #chosen = symbols[0]!;

    constructor() {
        for (const symbol of symbols) this.#tile(symbol);
        this.#choose(this.#chosen);
    }

    add(tick: TickerPrice): void {
        const {price, change, sparkline, points} = this.#tile(tick.symbol);
        points.push({time: tick.sent_ms, value: tick.price});
        while (points.length && points[0]!.time < tick.sent_ms - keptMs) points.shift();
        price.textContent = tick.price.toFixed(2);
        change.textContent = `${tick.change >= 0 ? '▲' : '▼'} ${Math.abs(tick.change).toFixed(2)} %`;
        change.dataset.direction = tick.change >= 0 ? 'up' : 'down';
        sparkline.add(tick.price);
        this.#chart.arrived(tick.sent_ms, tick.symbol === this.#chosen);
        pulse();
    }

    showDelivery(delivery: Delivery): void {
        byId('latency-now').textContent = msText(delivery.latencyNow);
        byId('latency-median').textContent = msText(delivery.quantile(0.5));
        byId('latency-p95').textContent = msText(delivery.quantile(0.95));
        byId('rate').textContent = delivery.perSecond.toFixed(1);
        byId('received').textContent = delivery.received.toLocaleString('en');
        const missed = byId('missed');
        missed.textContent = delivery.missed.toLocaleString('en');
        missed.dataset.bad = String(delivery.missed > 0);
    }

    showRecovered(recovered: boolean | undefined, reason: string | undefined): void {
        if (recovered === undefined) return;
        byId('recovered').textContent = recovered
            ? 'Connected again: everything sent in between was replayed, nothing missed.'
            : reason === 'epoch_changed'
                ? 'Connected again: the server was restarted and counts anew; what it sent just before is not known.'
                : 'Connected again: more was sent in between than the server keeps.';
    }

    showTransport(transport: 'websocket' | 'sse'): void {
        for (const input of this.#transports()) input.checked = input.value === transport;
    }

    onTransport(change: (transport: 'websocket' | 'sse') => void): void {
        for (const input of this.#transports()) {
            input.addEventListener('change', () => change(input.value as 'websocket' | 'sse'));
        }
    }

    #transports(): NodeListOf<HTMLInputElement> {
        return byId('transport').querySelectorAll<HTMLInputElement>('input');
    }

    #choose(symbol: string): void {
        this.#chosen = symbol;
        for (const [name, {button}] of this.#tiles) button.setAttribute('aria-pressed', String(name === symbol));
        byId('chart-title').textContent = symbol;
        this.#chart.show(symbol, this.#tile(symbol).points);
    }

    #tile(symbol: string): Tile {
        const known = this.#tiles.get(symbol);
        if (known) return known;
        const price = make('span', {class: 'price', text: '–'});
        const change = make('span', {class: 'change', text: ' '});
        const sparkline = new Sparkline(40);
        const button = make('button', {class: 'tile', type: 'button', 'aria-pressed': 'false', 'data-testid': `tile-${symbol}`},
            make('span', {class: 'symbol', text: symbol}), price, change);
        button.append(sparkline.element);
        button.addEventListener('click', () => this.#choose(symbol));
        byId('tiles').append(button);
        const tile = {button, price, change, sparkline, points: []};
        this.#tiles.set(symbol, tile);
        return tile;
    }
}

function msText(ms: number | undefined): string {
    if (ms === undefined) return '–';
    return Math.abs(ms) < 1 ? '< 1 ms' : `${Math.round(ms).toLocaleString('en')} ms`;
}
