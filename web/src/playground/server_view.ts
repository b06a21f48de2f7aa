// The server's panel and the course of things below it.

import {byId, keepNewest, make} from '../shared/dom.ts';

const linesMax = 400;
const heartbeat = /"op":"p[io]ng"/;

/** What a visitor can do to the server. */
export interface Acts {
    publish(number: number): void;
    handOver(): void;
    restart(keepLog: boolean): void;
    delay(ms: number): void;
}

export interface Facts {
    readonly head: number;
    readonly epoch: string;
    readonly here: number;
    /** How many messages each client does not have yet. */
    readonly lacking: readonly {name: string; count: number}[];
}

export class ServerView {
    /** The newest line of the trace that is shown. */
    #last: string | undefined;
    #published = 0;

    constructor({publish, handOver, restart, delay}: Acts) {
        byId('backend').addEventListener('click', () => publish(++this.#published));
        byId('hand-over').addEventListener('click', handOver);
        byId('restart').addEventListener('click', () => restart(true));
        byId('forget').addEventListener('click', () => restart(false));
        const range = byId<HTMLInputElement>('delay');
        range.addEventListener('input', () => {
            byId('delay-text').textContent = `${range.value} ms`;
            delay(Number(range.value));
        });
    }

    show({head, epoch, here, lacking}: Facts): void {
        const behind = lacking.filter(({count}) => count > 0).map(({name, count}) => `${name} lacks ${count}`);
        setText('head', String(head));
        setText('epoch', epoch.slice(0, 6) || '–');
        setText('here', String(here));
        setText('verdict', behind.join(', ') || 'Both have all');
        byId('verdict').className = `badge badge--${behind.length ? 'bad' : 'good'}`;
    }

    showTrace(lines: string[]): void {
        const fresh = lines.slice(this.#last === undefined ? 0 : lines.lastIndexOf(this.#last) + 1).filter((line) => !heartbeat.test(line));
        this.#last = lines.at(-1);
        if (!fresh.length) return;
        const [list, scroll] = [byId('trace'), byId('trace-scroll')];
        const follows = scroll.scrollTop + scroll.clientHeight > scroll.scrollHeight - 40;
        list.append(...fresh.map(row));
        keepNewest(list, linesMax);
        if (follows) scroll.scrollTop = scroll.scrollHeight;
    }
}

const signs: Readonly<Record<string, string>> = {'○': 'opens', '→': 'sends', '←': 'gets', '×': 'ends', '!': 'fault'};

function row(line: string): HTMLElement {
    const [, ms, connection, sign, text] = /^(\d+) (\S+) (\S) (.*)$/s.exec(line)!;
    return make('li', {'data-kind': signs[sign!]},
        make('time', {text: `${(Number(ms) / 1000).toFixed(2)} s`}), make('span', {class: 'playground__number', text: connection === '-' ? '' : connection!}),
        make('span', {class: 'playground__sign', text: signs[sign!]!}), make('code', {text: text!}));
}

function setText(id: string, text: string): void {
    if (byId(id).textContent !== text) byId(id).textContent = text;
}
