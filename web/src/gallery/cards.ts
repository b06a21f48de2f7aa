// The miniatures in the gallery's cards.

import type {ChatMessage, JobProgress, NotifyMessage, TickerPrice} from '../messages.ts';
import {byId, make} from '../shared/dom.ts';
import {Sparkline} from '../shared/sparkline.ts';
import {pulse} from '../shared/wire.ts';

let received = 0;

function arrived(): void {
    received += 1;
    byId('received').textContent = received.toLocaleString('en');
    pulse();
}

export function showClock(text: string): void {
    arrived();
    byId('classic').textContent = text;
}

let here = 0;
let lastWords: ChatMessage | undefined;

export function showPresence(count: number): void {
    here = count;
    showLobby();
}

export function showLastWords(message: ChatMessage): void {
    arrived();
    lastWords = message;
    showLobby();
}

function showLobby(): void {
    const who = make('span', {class: here > 0 ? 'badge badge--good' : 'badge', text: here === 0 ? 'Nobody here' : `${here} here`});
    const said = lastWords ? make('span', {class: 'card__said', text: `${lastWords.user}: ${lastWords.text}`}) : 'The lobby is quiet.';
    byId('chat').replaceChildren(who, said);
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

/** The newest notification and the running job, or that there is neither. */
export function showActivity(): void {
    const [job] = running.values();
    const place = byId('notifications');
    if (job) {
        const bar = make('progress', {max: 100, value: job.percent, 'aria-label': job.title});
        place.replaceChildren(make('span', {class: 'card__said', text: job.title}), bar);
    } else if (lastNotification) {
        place.replaceChildren(
            make('span', {class: 'level-dot', 'data-level': lastNotification.level, 'aria-hidden': 'true'}),
            make('span', {class: 'card__said', text: lastNotification.title}));
    } else {
        place.textContent = 'Nothing new, nothing running.';
    }
}
