// The look of the dashboard: a tile for each figure, with its last minute.

import type {ServerSample} from '../messages.ts';
import {byId, make} from '../shared/dom.ts';
import {Sparkline} from '../shared/sparkline.ts';

interface Figure {
    title: string;
    of: keyof ServerSample;
    text(value: number): string;
    /** What the figure is, for those who ask. */
    note: string;
}

const count = (value: number): string => Math.round(value).toLocaleString('en');
const bytes = (value: number): string => {
    const power = value < 1000 ? 0 : value < 1e6 ? 1 : 2;
    return `${(value / 1000 ** power).toFixed(power === 0 || value >= 100 * 1000 ** power ? 0 : 1)} ${['B', 'kB', 'MB'][power]}`;
};

const figures: Figure[] = [
    {title: 'Connections', of: 'connections', text: count, note: 'of every kind, open now'},
    {title: 'Subscriptions', of: 'subscriptions', text: count, note: 'of all connections together'},
    {title: 'Published', of: 'published', text: (value) => `${count(value)} /s`, note: 'messages that were put in order'},
    {title: 'Delivered', of: 'delivered', text: (value) => `${count(value)} /s`, note: 'messages handed to subscribers'},
    {title: 'Sent', of: 'sent_bytes', text: (value) => `${bytes(value)}/s`, note: 'to all connections'},
    {title: 'Lag of the loops', of: 'lag_ms', text: (value) => `≤ ${value < 1 ? value.toFixed(1) : count(value)} ms`, note: 'how long what is due waits for its turn'},
    {title: 'Processor', of: 'processor', text: (value) => `${value.toFixed(1)} %`, note: 'of one core'},
    {title: 'Memory', of: 'memory_bytes', text: bytes, note: 'of the process'},
];

export class DashboardView {
    readonly samplesMax = 60;
    #samples: ServerSample[] = [];
    readonly #tiles = figures.map((figure) => {
        const value = make('dd', {class: 'figure__value', 'data-testid': `figure-${figure.of}`, text: '–'});
        const line = new Sparkline(this.samplesMax);
        byId('figures').append(make('div', {class: 'figure'}, make('dt', {text: figure.title}), value,
            make('dd', {class: 'figure__line'}, line.element), make('dd', {class: 'figure__note', text: figure.note})));
        return {figure, value, line};
    });

    add(sample: ServerSample, at: number): void {
        this.#samples = [...this.#samples.slice(1 - this.samplesMax), sample];
        for (const {figure, value, line} of this.#tiles) {
            value.textContent = figure.text(sample[figure.of]);
            line.show(this.#samples.map((each) => each[figure.of]));
        }
        byId('sampled').textContent = `As of ${new Date(at).toLocaleTimeString('en-GB')}.`;
    }

    showAvailable(available: boolean): void {
        byId('unavailable').hidden = available;
    }

    onLoad(make: () => Promise<void>): void {
        const button = byId('load');
        button.addEventListener('click', async () => {
            if (button.getAttribute('aria-disabled') === 'true') return;
            button.setAttribute('aria-disabled', 'true');
            await make();
            button.removeAttribute('aria-disabled');
        });
    }
}
