// What the page looks like: the verdict, the faults that a visitor can make, the time line and the story.

import type {Client} from 'pulsewire';
import type {VictimState} from '../messages.ts';
import {byId, keepNewest, make} from '../shared/dom.ts';
import {pulse} from '../shared/wire.ts';
import {lostWords, messages} from '../shared/words.ts';
import type {Ledger, Verdict} from './ledger.ts';
import {TabReports} from './tab_reports.ts';
import {Timeline} from './timeline.ts';

const stallMs = 5_000;
const offlineMs = 10_000;
const linesMax = 60;
const tabSilentMs = 10_000;
const key = 'pulsewire-lose-story';

type Kind = 'fault' | 'good' | 'bad' | 'note';
type Line = [time: number, kind: Kind, text: string];

/** What a visitor can do to the writer and the reader. */
export interface Faults {
    cut(): void;
    stall(ms: number, over: () => void): void;
    offline(ms: number, over: () => void): void;
    kill(): Promise<unknown>;
}

const number = (count: number): string => count.toLocaleString('en');

export function showVerdict({written, arrived, lost, doubled, onTheWay}: Verdict): void {
    const figures = {lost, written, doubled, arrived, 'on-the-way': onTheWay};
    for (const [id, count] of Object.entries(figures)) byId(id).textContent = number(count);
    byId('verdict').dataset.bad = String(lost + doubled > 0);
}

export class LoseView {
    /** Whether the visitor lets the writer write. */
    writing = false;
    readonly #ledger: Ledger;
    readonly #timeline = new Timeline();
    readonly #reports: TabReports;
    readonly #tabs = new Map<string, {verdict: Verdict; at: number}>();
    readonly #log = byId('log');
    #lines: Line[] = [];
    #stopped = false;
    #ready = false;
    #forgotten = false;
    #reviving: (() => void) | undefined;

    constructor(ledger: Ledger, canDie: boolean) {
        this.#ledger = ledger;
        this.#goOn();
        const kill = byId<HTMLButtonElement>('kill');
        kill.hidden = !canDie;
        byId('kill-note').hidden = canDie;
        byId('writing').addEventListener('click', () => this.#toggleWriting());
        byId('start-over').addEventListener('click', () => this.startOver());
        byId('reload').addEventListener('click', () => location.reload());
        byId<HTMLAnchorElement>('slow').href = `?${new URLSearchParams({watch: ledger.run})}`;

        this.#reports = new TabReports(ledger.run);
        this.#reports.onVerdict((tab, verdict) => this.#tabs.set(tab, {verdict, at: Date.now()}));
        setInterval(() => this.#show(), 250);
        addEventListener('pagehide', () => this.#keep());
    }

    /** The reader is subscribed: from now on everything that is written has to arrive. */
    reading(): void {
        if (this.#ready) return;
        this.#ready = true;
        this.writing = !this.#stopped;
        this.say('note', 'The reader listens, and the writer begins.');
    }

    wrote(count: number): void {
        this.#timeline.count('written', count);
    }

    arrived(): void {
        this.#timeline.count('arrived', 1);
        pulse();
    }

    /** Tells of the connection's ends and returns. */
    follow(who: 'reader' | 'writer', client: Client): void {
        let lostAt: number | undefined;
        client.on('state', (state) => {
            if (state.name === 'waiting' && lostAt === undefined) {
                lostAt = performance.now();
                this.say('bad', `The ${who} is cut off: ${lostWords(state.reason).replace(/^The/, 'the')}.`);
            }
            if (state.name !== 'open' || lostAt === undefined) return;
            const seconds = ((performance.now() - lostAt) / 1000).toFixed(1);
            lostAt = undefined;
            const {onTheWay} = this.#ledger.verdict;
            this.say('good', `The ${who} is back after ${seconds} s. ${messages(onTheWay)} ${onTheWay === 1 ? 'is' : 'are'} on the way.`);
        });
    }

    onFault(faults: Faults): void {
        const press = (id: string, act: (button: HTMLElement) => void): void => {
            const button = byId(id);
            // aria-disabled instead of disabled: the keyboard's focus stays where it is.
            button.addEventListener('click', () => { if (button.getAttribute('aria-disabled') !== 'true') act(button); });
        };
        const lasting = (id: 'stall' | 'offline', ms: number, label: string, text: string, end: string): void => press(id, (button) => {
            this.say('fault', text);
            const over = this.#timeline.begin(label);
            button.setAttribute('aria-disabled', 'true');
            faults[id](ms, () => {
                over();
                button.removeAttribute('aria-disabled');
                this.say('note', end);
            });
        });
        press('cut', () => {
            this.say('fault', 'You cut both connections.');
            this.#timeline.begin('cut')();
            faults.cut();
        });
        lasting('stall', stallMs, 'stalled', 'For 5 seconds nothing of the writer passes, and nobody tells it.', 'The stall is over.');
        lasting('offline', offlineMs, 'offline', 'For 10 seconds the reader has no network.', 'The reader’s network is back.');
        press('kill', () => {
            faults.kill().catch((error: Error) => this.say('note', error.message));
        });
    }

    showVictim({pid, kills}: VictimState): void {
        if (pid === 0 && !this.#reviving) {
            this.#reviving = this.#timeline.begin('killed');
            this.say('fault', `The server was killed: no farewell, no time to write anything. That makes ${number(kills)}.`);
        }
        if (pid !== 0 && this.#reviving) {
            this.#reviving();
            this.#reviving = undefined;
            this.say('note', `The server is started again, as process ${pid}. It reads its log from the disk.`);
        }
    }

    say(kind: Kind, text: string): void {
        this.#add([Date.now(), kind, text]);
    }

    /** Forgets this run. Its messages stay in the server's log until they are too old. */
    startOver(): void {
        this.writing = false;
        this.#forgotten = true;
        this.#ledger.forget();
        location.replace(location.pathname);
    }

    #add(line: Line): void {
        const [at, kind, text] = line;
        this.#lines = [...this.#lines.slice(1 - linesMax), line];
        this.#log.append(make('li', {'data-kind': kind}, make('time', {text: new Date(at).toLocaleTimeString('en-GB')}), make('span', {text})));
        keepNewest(this.#log, linesMax);
        byId('scroll').scrollTop = this.#log.scrollHeight;
    }

    #toggleWriting(): void {
        this.#stopped = !this.#stopped;
        this.writing = this.#ready && !this.#stopped;
        byId('writing').textContent = this.#stopped ? 'Go on writing' : 'Stop writing';
        this.say('note', this.#stopped ? 'The writer rests: when nothing is on its way any more, the count is final.' : 'The writer goes on.');
        this.#show();
    }

    #show(): void {
        this.#reports.tellWritten(this.#ledger.written.last);
        showVerdict(this.#ledger.verdict);
        const alive = [...this.#tabs.values()].filter(({at}) => Date.now() - at < tabSilentMs);
        const text = alive.map(({verdict}) => `A slow tab: ${number(verdict.lost)} of ${number(verdict.written)} lost, ${number(verdict.doubled)} doubled, ${number(verdict.onTheWay)} on their way.`).join(' ');
        if (byId('slow-tabs').textContent !== text) byId('slow-tabs').textContent = text;
    }

    // The story goes on after a reload, which is a part of it.
    #goOn(): void {
        try {
            const {run, at, stopped, lines, timeline} = JSON.parse(sessionStorage.getItem(key) ?? '{}');
            if (run !== this.#ledger.run) return;
            this.#timeline.goOn(timeline);
            for (const line of lines) this.#add(line);
            this.#timeline.begin('reloaded', at)();
            this.say('fault', `The page was left, and was away for ${((Date.now() - at) / 1000).toFixed(1)} s.`);
            if (stopped) this.#toggleWriting();
        } catch {
            // Without storage the story begins with the page.
        }
    }

    #keep(): void {
        if (this.#forgotten) return;
        try {
            sessionStorage.setItem(key, JSON.stringify({
                run: this.#ledger.run, at: Date.now(), stopped: this.#stopped, lines: this.#lines, timeline: this.#timeline.kept,
            }));
        } catch {
            // As above.
        }
    }
}
