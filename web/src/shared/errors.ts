// A typed error, shown where it happened: its code, what went wrong, and what to do about it.

import {PulsewireError} from 'pulsewire';
import {make} from './dom.ts';

export function errorNote(error: unknown): HTMLElement {
    const note = make('p', {class: 'error-note', role: 'alert', 'data-testid': 'error'});
    if (error instanceof PulsewireError) {
        note.dataset.code = error.code;
        note.append(make('code', {text: error.code}), ` ${error.message}`);
        if (error.pointer && !error.message.includes(error.pointer)) note.append(' (at ', make('code', {text: error.pointer}), ')');
    } else {
        note.append(error instanceof Error ? error.message : String(error));
    }
    return note;
}

/** Shows the error in `place`, instead of what stood there; without an error empties it. */
export function showError(place: HTMLElement, error?: unknown): void {
    place.replaceChildren(...(error === undefined ? [] : [errorNote(error)]));
}
