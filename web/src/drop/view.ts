// The list of files, and the place to drop one.

import {byId, make} from '../shared/dom.ts';
import {showError} from '../shared/errors.ts';
import type {Incoming} from './incoming.ts';

/** Kinds that a browser shows as a picture and runs nothing of. */
const picture = /^image\/(png|jpeg|gif|webp)$/;

interface Row {
    href?: string;
    readonly item: HTMLElement;
    readonly progress: HTMLProgressElement;
    readonly words: HTMLElement;
}

export class DropView {
    readonly #list = byId('files');
    readonly #rows = new Map<string, Row>();
    readonly #self: () => string;

    constructor(self: () => string) {
        this.#self = self;
    }

    onFile(send: (file: File) => Promise<void>): void {
        const area = byId('drop');
        const input = byId<HTMLInputElement>('file');
        const sendAll = async (some: Iterable<File>) => {
            showError(byId('drop-error'));
            for (const file of some) await send(file);
        };
        byId('choose').addEventListener('click', () => input.click());
        input.addEventListener('change', () => {
            void sendAll([...input.files ?? []]);
            input.value = '';
        });
        for (const event of ['dragover', 'dragleave', 'drop'] as const) {
            area.addEventListener(event, (told) => {
                told.preventDefault();
                area.dataset.over = String(event === 'dragover');
            });
        }
        area.addEventListener('drop', ({dataTransfer}) => void sendAll(dataTransfer?.files ?? []));
    }

    offered({offer}: Incoming): void {
        byId('no-files').hidden = true;
        const progress = make('progress', {max: 1, value: 0, 'aria-label': `${offer.name}: how much of it is here`});
        const words = make('span', {class: 'file__words', role: 'status'});
        const item = make(
            'li', {class: 'file', 'data-testid': 'file', 'data-whole': 'false'},
            make('span', {class: 'file__name', text: offer.name}),
            make('span', {class: 'file__from', text: `${sizeOf(offer.bytes)}, from ${offer.by === this.#self() ? 'you' : 'somebody else'}`}),
            progress, words,
        );
        this.#rows.set(offer.id, {item, progress, words});
        this.#list.append(item);
    }

    forget(id: string): void {
        const row = this.#rows.get(id);
        this.#rows.delete(id);
        row?.item.remove();
        if (row?.href) URL.revokeObjectURL(row.href);
    }

    moved(incoming: Incoming): void {
        const row = this.#rows.get(incoming.offer.id);
        if (!row) return;
        row.progress.value = incoming.share;
        row.words.textContent = `${Math.floor(100 * incoming.share)} %`;
        const {file} = incoming;
        if (file) this.#whole(row, incoming, file);
    }

    showProblem(error: unknown): void {
        showError(byId('drop-error'), error);
    }

    #whole(row: Row, {offer}: Incoming, file: Blob): void {
        const {item, progress, words} = row;
        const href = (row.href = URL.createObjectURL(file));
        item.dataset.whole = 'true';
        progress.remove();
        if (picture.test(offer.kind)) {
            // The policy of the pages allows pictures of the server and those that stand in the address itself.
            const reader = new FileReader();
            reader.onload = () => item.prepend(make('img', {class: 'file__picture', src: String(reader.result), alt: ''}));
            reader.readAsDataURL(file);
        }
        words.replaceChildren(make('a', {href, download: offer.name, text: 'Save', 'aria-label': `Save ${offer.name}`}), ', it is whole');
    }
}

function sizeOf(bytes: number): string {
    const kib = bytes / 1024;
    return kib < 1 ? `${bytes} bytes` : kib < 1024 ? `${Math.round(kib)} KiB` : `${(kib / 1024).toFixed(1)} MiB`;
}
