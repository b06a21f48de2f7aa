// A tab that reads the same numbers and hardly ever has time: for two seconds it computes, for a tenth it reads. What waits
// for it waits in the browser and in the server.

import {connect, type ConnectOptions} from 'pulsewire';
import {byId} from '../shared/dom.ts';
import {showStatus} from '../shared/status.ts';
import {NumberList} from './ledger.ts';
import {TabReports} from './tab_reports.ts';
import {showVerdict} from './view.ts';

const busyMs = 2000;
const readingMs = 100;

export function watchSlowly(url: URL, options: ConnectOptions, run: string): void {
    document.title = `Slow tab · ${document.title}`;
    byId('main').dataset.slow = 'true';
    byId('lead').textContent = 'This tab reads the same numbers, and hardly ever has time: it computes for two seconds, then reads for a tenth. It is late, and misses nothing.';
    const written = new NumberList();
    const arrived = new NumberList();
    let [first, newest, doubled] = [0, 0, 0];

    const client = connect(url, options);
    showStatus(client);
    client.channel<{'lose.number': {n: number}}>(`lose:${run}`, {latest: 0}).on('lose.number', ({n}) => {
        first ||= n;
        if (!arrived.add(n)) doubled += 1;
    });
    // What was written since this tab's first number, by the word of the tab that writes.
    const reports = new TabReports(run);
    reports.onWritten((last) => { newest = last; });

    const work = (): void => {
        for (let n = written.last || first; first && n <= Math.max(newest, arrived.last); n += 1) written.add(n);
        const lost = written.countMissingIn(arrived, arrived.last);
        const onTheWay = written.countMissingIn(arrived, Infinity) - lost;
        const verdict = {written: written.count, arrived: arrived.count, lost, doubled, onTheWay};
        showVerdict(verdict);
        reports.tell(verdict);
        const until = performance.now() + busyMs;
        while (performance.now() < until) Math.sqrt(until);  // far too busy to read
        setTimeout(work, readingMs);
    };
    setTimeout(work, readingMs);
}
