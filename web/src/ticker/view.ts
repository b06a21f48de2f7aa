// The ticker's look: a tile for each symbol, the chart of the chosen one, the figures of delivery.

import type {GapEvent} from 'pulsewire';
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
    #newestMs = 0;

    constructor() {
        for (const symbol of symbols) this.#tile(symbol);
        this.#choose(this.#chosen);
    }

    add(tick: TickerPrice): void {
        const {price, change, sparkline, points} = this.#tile(tick.symbol);
        points.push({time: tick.sent_ms, value: tick.price});
        this.#newestMs = tick.sent_ms;
        while (points.length && points[0]!.time < tick.sent_ms - keptMs) points.shift();
        price.textContent = tick.price.toFixed(2);
        change.textContent = `${tick.change >= 0 ? '▲' : '▼'} ${Math.abs(tick.change).toFixed(2)} %`;
        change.dataset.direction = tick.change >= 0 ? 'up' : 'down';
        sparkline.add(tick.price);
        this.#chart.arrived(tick.sent_ms, tick.symbol === this.#chosen);
        pulse();
    }

    /** Prices from before those that are shown, old to new. */
    addPast(ticks: TickerPrice[]): void {
        for (const [symbol, {points, sparkline}] of this.#tiles) {
            const before = points[0]?.time ?? Infinity;
            const past = ticks.filter((tick) => tick.symbol === symbol && tick.sent_ms < before);
            points.unshift(...past.map((tick) => ({time: tick.sent_ms, value: tick.price})));
            sparkline.show(points.map(({value}) => value));
        }
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

    showRecovered(): void {
        this.#say('Connected again: everything sent in between was replayed, nothing missed.', false);
    }

    showGap(reason: GapEvent['reason']): void {
        this.#chart.gapAfter(this.#newestMs);
        this.#say(reason === 'epoch_changed'
            ? 'Some prices may have been missed while away: the server was restarted and no longer knows what it sent before.'
            : 'Some prices were missed while away: more were sent than the server keeps.', true);
    }

    #say(text: string, gap: boolean): void {
        const place = byId('recovered');
        place.textContent = text;
        place.dataset.gap = String(gap);
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
            make('span', {class: 'symbol', text: symbol}), change, price);
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
