// A text of Yjs in a plain textarea: what is typed becomes a change of the text, what others change is put in without moving the
// caret, and while a word is composed (accents, Chinese, the keyboards of telephones) the textarea is left alone.

import * as Y from 'yjs';

/** Where the text was changed, and how: what Yjs says, and what is found out of a textarea. */
interface Splice {
    at: number;
    removed: number;
    added: string;
}

export class TextBinding {
    readonly #area: HTMLTextAreaElement;
    readonly #text: Y.Text;
    readonly #undo: Y.UndoManager;
    /** What the textarea shows, as far as it is known to Yjs. */
    #shown: string;
    /** Changes of others that wait for the end of a composition; undefined: there is none. */
    #held: Splice[] | undefined;
    #changed: () => void = () => {};

    constructor(area: HTMLTextAreaElement, text: Y.Text) {
        this.#area = area;
        this.#text = text;
        // One's own changes alone.
        this.#undo = new Y.UndoManager(text, {trackedOrigins: new Set([this])});
        this.#shown = area.value = text.toString();
        text.observe((event, {origin}) => {
            if (origin !== this) this.#take(splicesOf(event.delta));
            this.#changed();
        });
        area.addEventListener('compositionstart', () => (this.#held = []));
        area.addEventListener('compositionend', () => this.#composed());
        area.addEventListener('input', () => {
            if (!this.#held) this.#typed([]);
        });
        area.addEventListener('beforeinput', (event) => {
            if (event.inputType !== 'historyUndo' && event.inputType !== 'historyRedo') return;
            event.preventDefault();
            if (event.inputType === 'historyUndo') this.undo();
            else this.redo();
        });
        area.addEventListener('keydown', (event) => this.#key(event));
    }

    /** Called after each change, whoever made it. */
    onChange(changed: () => void): void {
        this.#changed = changed;
    }

    undo(): void {
        this.#undo.undo();
    }

    redo(): void {
        this.#undo.redo();
    }

    get canUndo(): boolean {
        return this.#undo.canUndo();
    }

    // The browser's own undo knows nothing of what others have written since.
    #key(event: KeyboardEvent): void {
        const key = event.key.toLowerCase();
        if (!(event.ctrlKey || event.metaKey) || event.altKey || (key !== 'z' && key !== 'y')) return;
        event.preventDefault();
        if (key === 'z' && !event.shiftKey) this.undo();
        else this.redo();
    }

    #take(splices: Splice[]): void {
        if (this.#held) {
            this.#held.push(...splices);
            return;
        }
        for (const {at, removed, added} of splices) this.#area.setRangeText(added, at, at + removed, 'preserve');
        this.#shown = this.#area.value;
    }

    #composed(): void {
        const held = this.#held ?? [];
        this.#held = undefined;
        this.#typed(held);
        this.#take(held.length ? [{at: 0, removed: this.#area.value.length, added: this.#text.toString()}] : []);
    }

    // `since`: what others have changed in the text, and the textarea does not show yet.
    #typed(since: Splice[]): void {
        const {at, removed, added} = difference(this.#shown, this.#area.value, this.#area.selectionEnd);
        this.#shown = this.#area.value;
        const [from, to] = [moved(at, since), moved(at + removed, since)];
        this.#text.doc!.transact(() => {
            this.#text.delete(from, to - from);
            this.#text.insert(from, added);
        }, this);
    }
}

function splicesOf(delta: Y.YTextEvent['delta']): Splice[] {
    const splices: Splice[] = [];
    let at = 0;
    for (const {retain = 0, insert = '', delete: removed = 0} of delta) {
        at += retain;
        const added = typeof insert === 'string' ? insert : '';
        if (added || removed) splices.push({at, removed, added});
        at += added.length;
    }
    return splices;
}

/** Where a place is after the changes. */
function moved(place: number, splices: Splice[]): number {
    for (const {at, removed, added} of splices) {
        if (at >= place) continue;
        place = Math.max(at, place - removed) + added.length;
    }
    return place;
}

/** What was typed. Of equal letters in a row the caret says which one is new: what is after it was there before. */
export function difference(before: string, after: string, caret: number): Splice {
    let behind = 0;
    const behindMax = Math.min(after.length - caret, before.length);
    while (behind < behindMax && before.at(-1 - behind) === after.at(-1 - behind)) behind++;
    let at = 0;
    const atMax = Math.min(before.length, after.length) - behind;
    while (at < atMax && before[at] === after[at]) at++;
    // No character of two units is cut in two.
    if (/[\uD800-\uDBFF]/.test(before[at - 1] ?? '')) at--;
    if (/[\uDC00-\uDFFF]/.test(before[before.length - behind] ?? '')) behind--;
    return {at, removed: before.length - behind - at, added: after.slice(at, after.length - behind)};
}
