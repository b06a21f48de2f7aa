// The look of notifications and jobs.

import type {GapEvent} from 'pulsewire';
import type {JobProgress, NotifyMessage} from '../messages.ts';
import {byId, make} from '../shared/dom.ts';
import {showError} from '../shared/errors.ts';
import {timeText} from '../shared/time.ts';
import {pulse} from '../shared/wire.ts';

const noticesMax = 50;
const toastsMax = 4;
const toastMs = 6000;
const jobsMax = 8;
const waitingTextAfterMs = 400;

export function addNotice(notice: NotifyMessage, time: number | undefined): void {
    const list = byId('notices');
    list.querySelector('.empty')?.remove();
    const stamp = time ?? Date.now();
    list.prepend(make('li', {class: 'notice', 'data-level': notice.level},
        ...words(notice), make('time', {class: 'notice__time', datetime: new Date(stamp).toISOString(), text: timeText(stamp)})));
    while (list.childElementCount > noticesMax) list.lastElementChild?.remove();
    pulse();
}

/** Notices were missed and will not come. */
export function addGap(reason: GapEvent['reason']): void {
    byId('notices').prepend(make('li', {class: 'notice__gap', 'data-testid': 'gap', text: reason === 'epoch_changed'
        ? 'The server was restarted here: notifications from just before may be missing.'
        : 'Some notifications were missed here: more were sent than the server keeps.'}));
}

export function toast(notice: NotifyMessage): void {
    const toasts = byId('toasts');
    const close = make('button', {class: 'icon-button toast__close', type: 'button', 'aria-label': `Dismiss: ${notice.title}`, text: '×'});
    const element = make('div', {class: 'toast', 'data-level': notice.level}, ...words(notice), close);
    toasts.append(element);
    while (toasts.childElementCount > toastsMax) toasts.firstElementChild?.remove();
    close.addEventListener('click', () => element.remove());
    // It stays as long as it is looked at.
    let timer = setTimeout(() => element.remove(), toastMs);
    element.addEventListener('pointerenter', () => clearTimeout(timer));
    element.addEventListener('pointerleave', () => { timer = setTimeout(() => element.remove(), toastMs / 2); });
}

const words = ({title, body, level}: NotifyMessage): HTMLElement[] => [
    make('span', {class: 'level-dot', 'data-level': level, role: 'img', 'aria-label': level}),
    make('strong', {class: 'notice__title', text: title}),
    ...(body ? [make('span', {class: 'notice__body', text: body})] : []),
];

/** Says in an empty list that there is nothing, once that is known. */
export function showEmpty(list: 'notices' | 'jobs', text: string): void {
    const empty = byId(list).querySelector('.empty');
    if (empty) empty.textContent = text;
}

interface JobRow {
    element: HTMLElement;
    bar: HTMLProgressElement;
    percent: HTMLElement;
    cancel: HTMLButtonElement;
}

const rows = new Map<string, JobRow>();
let cancelJob: (id: string) => Promise<void> = async () => {};

export function showJob(job: JobProgress): void {
    const row = rows.get(job.id) ?? newRow(job);
    row.element.dataset.state = job.state;
    row.bar.value = job.percent;
    row.percent.textContent = {running: `${Math.round(job.percent)} %`, done: 'Done', canceled: 'Canceled'}[job.state];
    row.cancel.hidden = job.state !== 'running';
    pulse();
}

function newRow(job: JobProgress): JobRow {
    const list = byId('jobs');
    list.querySelector('.empty')?.remove();
    const bar = make('progress', {max: 100, value: job.percent, 'aria-label': job.title});
    const percent = make('span', {class: 'job__percent'});
    const cancel = make('button', {class: 'button button--small', type: 'button', 'aria-label': `Cancel: ${job.title}`, text: 'Cancel'});
    const problem = make('div', {class: 'job__error'});
    cancel.addEventListener('click', () => void tried(problem, undefined, () => cancelJob(job.id)));
    const element = make('li', {class: 'job', 'data-job': job.id}, make('span', {class: 'job__title', text: job.title}), percent, cancel, bar, problem);
    list.prepend(element);
    const row = {element, bar, percent, cancel};
    rows.set(job.id, row);
    while (list.childElementCount > jobsMax) {
        const oldest = list.lastElementChild as HTMLElement;
        if (rows.get(oldest.dataset.job!)?.element === oldest) rows.delete(oldest.dataset.job!);
        oldest.remove();
    }
    return row;
}

/** The server was restarted: what ran is gone, and its ids may be given again. */
export function forgetJobs(): void {
    for (const row of rows.values()) {
        if (row.element.dataset.state !== 'running') continue;
        row.element.dataset.state = 'lost';
        row.percent.textContent = 'Lost: the server was restarted';
        row.cancel.hidden = true;
    }
    rows.clear();
}

export function onNotify(notify: (notice: NotifyMessage) => Promise<void>): void {
    onSubmit('notify', (form) => notify({
        title: field(form, 'title'), body: field(form, 'body'), level: field(form, 'level') as NotifyMessage['level'],
    }), 'Sent');
}

export function onStart(start: (title: string) => Promise<void>): void {
    onSubmit('start', (form) => start(field(form, 'title')), 'Started');
}

export function onCancel(cancel: (id: string) => Promise<void>): void {
    cancelJob = cancel;
}

function onSubmit(id: string, act: (form: HTMLFormElement) => Promise<void>, done: string): void {
    const form = byId<HTMLFormElement>(id);
    form.addEventListener('submit', (event) => {
        event.preventDefault();
        void tried(byId(`${id}-error`), byId(`${id}-state`), () => act(form), done);
    });
}

// Shows that something waits, that it is done, or its error.
async function tried(problem: HTMLElement, state: HTMLElement | undefined, act: () => Promise<void>, done = ''): Promise<void> {
    showError(problem);
    const show = (text: string): void => { if (state) state.textContent = text; };
    const timer = setTimeout(() => show('Waiting for the server…'), waitingTextAfterMs);
    try {
        await act();
        clearTimeout(timer);
        show(done);
    } catch (error) {
        clearTimeout(timer);
        show('');
        showError(problem, error);
    }
}

const field = (form: HTMLFormElement, name: string): string => String(new FormData(form).get(name) ?? '').trim();
