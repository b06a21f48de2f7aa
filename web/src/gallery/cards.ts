// The miniatures in the gallery's cards.

import type {ChatMessage, JobProgress, NotifyMessage, SquareWalk, SquareWords, TickerPrice} from '../messages.ts';
import {byId, make} from '../shared/dom.ts';
import {Sparkline} from '../shared/sparkline.ts';
import {pulse} from '../shared/wire.ts';

let received = 0;

export function arrived(): void {
    received += 1;
    byId('received').textContent = received.toLocaleString('en');
    pulse();
}

export function showClock(text: string): void {
    arrived();
    byId('classic').textContent = text;
}

// From the square: shown where a card has nothing of its own.
let overheard: SquareWords | undefined;
let errand: SquareWalk | undefined;

export function showSquareWords(words: SquareWords): void {
    arrived();
    overheard = words;
    showLobby();
}

export function showErrand(walk: SquareWalk): void {
    arrived();
    errand = walk;
    showActivity();
}

/** The simulated visitors are switched off. */
export function forgetSquare(): void {
    overheard = errand = undefined;
    showLobby();
    showActivity();
}

let here = 0;
let presenceKnown = false;
let lastWords: ChatMessage | undefined;

export function showPresence(count: number): void {
    presenceKnown = true;
    here = count;
    showLobby();
}

export function showLastWords(message: ChatMessage): void {
    arrived();
    lastWords = message;
    showLobby();
}

function showLobby(): void {
    if (!presenceKnown) return;
    const who = make('span', {class: here > 0 ? 'badge badge--good' : 'badge', text: here === 0 ? 'Nobody here' : `${here} here`});
    const said = lastWords ? `${lastWords.user}: ${lastWords.text}`
        : overheard ? `On the square, ${overheard.name}: ${overheard.text}` : 'The lobby is quiet. Say the first word.';
    byId('chat').replaceChildren(who, make('span', {class: 'card__said', text: said}));
}

const shownSymbol = 'PULS';
const sparkline = new Sparkline(40);
const price = make('span', {class: 'price'});
const change = make('span', {class: 'change'});

export function showPrice(tick: TickerPrice): void {
    arrived();
    if (tick.symbol !== shownSymbol) return;
    sparkline.add(tick.price);
    price.textContent = tick.price.toFixed(2);
    change.textContent = `${tick.change >= 0 ? '▲' : '▼'} ${Math.abs(tick.change).toFixed(2)} %`;
    change.dataset.direction = tick.change >= 0 ? 'up' : 'down';
    const place = byId('ticker');
    if (!place.contains(price)) place.replaceChildren(make('span', {class: 'symbol', text: shownSymbol}), price, change, sparkline.element);
}

const running = new Map<string, JobProgress>();
let activityKnown = false;
let lastNotification: NotifyMessage | undefined;

export function showNotification(notification: NotifyMessage): void {
    arrived();
    lastNotification = notification;
    showActivity();
}

export function showJob(job: JobProgress): void {
    arrived();
    if (job.state === 'running') running.set(job.id, job);
    else running.delete(job.id);
    showActivity();
}

const errandTitle = make('span', {class: 'card__said'});
const errandBar = make('progress', {max: 100, value: 0, 'aria-label': 'An errand on the square, simulated'});

/** That the server has said whether there is anything. */
export function showActivityKnown(): void {
    activityKnown = true;
    showActivity();
}

// The running job or the newest notification; or the errand on the square, or that there is nothing.
function showActivity(): void {
    if (!activityKnown) return;
    const [job] = running.values();
    const place = byId('notifications');
    if (job) {
        const bar = make('progress', {max: 100, value: job.percent, 'aria-label': job.title});
        place.replaceChildren(make('span', {class: 'card__said', text: job.title}), bar);
    } else if (lastNotification) {
        place.replaceChildren(
            make('span', {class: 'level-dot', 'data-level': lastNotification.level, 'aria-hidden': 'true'}),
            make('span', {class: 'card__said', text: lastNotification.title}));
    } else if (errand) {
        errandTitle.textContent = `Simulated: ${errand.errand}`;
        errandBar.value = errand.errand_percent;
        if (!place.contains(errandBar)) place.replaceChildren(errandTitle, errandBar);
    } else {
        place.textContent = 'Nothing new, nothing running.';
    }
}
