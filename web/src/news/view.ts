// The look of the news: a list, newest first, and a table of scores in which a goal lights up.

import type {NewsItem, ScoreBoard, ScoreMatch} from '../messages.ts';
import {byId, make} from '../shared/dom.ts';
import {timeText} from '../shared/time.ts';
import {pulse} from '../shared/wire.ts';

const newsMax = 30;

export class NewsView {
    readonly #status = byId('status');
    readonly #goals = new Map<string, number>();

    showState(state: 'open' | 'waiting', text: string): void {
        this.#status.dataset.state = state;
        this.#status.dataset.transport = 'sse';
        this.#status.querySelector('.status__text')!.textContent = text;
    }

    addNews({number, topic, title}: NewsItem, time: number): void {
        pulse();
        const list = byId('news');
        list.prepend(make('li', {class: 'news__item', 'data-number': number, 'data-topic': topic},
            make('p', {class: 'news__topic'}, make('span', {class: 'badge', text: topic}), make('time', {text: timeText(time)})),
            make('p', {class: 'news__title', text: title})));
        while (list.childElementCount > newsMax) list.lastElementChild!.remove();
    }

    /** Something that a reader should know about the list. */
    note(text: string): void {
        byId('news-note').textContent = text;
    }

    showScores({minute, matches}: ScoreBoard): void {
        byId('minute').textContent = minute === 0 ? 'About to begin' : `Minute ${minute}`;
        byId('scores').replaceChildren(...matches.map((match) => make('tr', {'data-goal': this.#isNew(match)},
            make('th', {scope: 'row', text: match.home}), make('td', {class: 'score', text: `${match.home_goals} : ${match.away_goals}`}), make('td', {text: match.away}))));
    }

    #isNew({home, home_goals, away_goals}: ScoreMatch): boolean {
        const [before, goals] = [this.#goals.get(home), home_goals + away_goals];
        this.#goals.set(home, goals);
        return before !== undefined && goals > before;
    }
}
