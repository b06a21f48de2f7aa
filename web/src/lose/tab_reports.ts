// What the tabs of one run tell each other, within the browser: the writer its newest number, slow tabs their verdicts.

import type {Verdict} from './ledger.ts';

type Report = {from: string; verdict: Verdict} | {written: number};

export class TabReports {
    readonly #channel: BroadcastChannel;
    readonly #id = crypto.getRandomValues(new Uint32Array(1)).join();

    constructor(run: string) {
        this.#channel = new BroadcastChannel(`pulsewire-lose-${run}`);
    }

    tell(verdict: Verdict): void {
        this.#post({from: this.#id, verdict});
    }

    tellWritten(written: number): void {
        this.#post({written});
    }

    onVerdict(heard: (tab: string, verdict: Verdict) => void): void {
        this.#channel.addEventListener('message', ({data}: MessageEvent<Report>) => { if ('verdict' in data) heard(data.from, data.verdict); });
    }

    onWritten(heard: (last: number) => void): void {
        this.#channel.addEventListener('message', ({data}: MessageEvent<Report>) => { if ('written' in data) heard(data.written); });
    }

    #post(report: Report): void {
        this.#channel.postMessage(report);
    }
}
