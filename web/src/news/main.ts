// News and scores with nothing but the browser's own EventSource: no SDK, no WebSocket. The server numbers what it sends, and
// EventSource says by itself where it was when it comes back; so nothing is missed here either.

import type {NewsItem, ScoreBoard} from '../messages.ts';
import {endpoint} from '../shared/page.ts';
import {NewsView} from './view.ts';

const newestAtFirst = 20;
const againAfterMs = 5_000;

const view = new NewsView();
let last = 0;
let cursor = '';

function listen(): void {
    const from = cursor ? `last_event_id=${encodeURIComponent(cursor)}` : `latest=${newestAtFirst}`;
    const source = new EventSource(endpoint(`events?channel=news:all&channel=scores:all&${from}`));

    // The data is the whole message: {"type", "channel", "offset", "time", "payload"}.
    source.addEventListener('news.item', ({data, lastEventId}) => {
        const {payload, time} = JSON.parse(data) as {payload: NewsItem; time: number};
        cursor = lastEventId;
        view.addNews(payload, time);
        if (last > 0 && payload.number > last + 1) view.note(`${payload.number - last - 1} were missed.`);
        last = payload.number;
    });
    source.addEventListener('score.board', ({data}) => view.showScores((JSON.parse(data) as {payload: ScoreBoard}).payload));
    source.addEventListener('pulsewire.gap', () => {
        view.note('Some news did not wait for this page.');
        last = 0;
    });

    source.onopen = () => view.showState('open', 'Open over SSE');
    source.onerror = () => {
        view.showState('waiting', 'Connecting again…');
        // EventSource comes back by itself, except from an answer that is no stream, as of a proxy whose server is away.
        if (source.readyState === EventSource.CLOSED) setTimeout(listen, againAfterMs);
    };
}

listen();
