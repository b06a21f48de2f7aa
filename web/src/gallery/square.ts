// The square: visitors whom the server simulates, and the pointers of everybody who looks at this page. Both are transient
// messages, which are kept nowhere: only the newest place of a pointer is of interest.

import type {Channel, Client} from 'pulsewire';
import type {Messages} from '../messages.ts';
import {startingName} from '../chat/names.ts';
import {prefersReducedMotion} from '../shared/dom.ts';
import * as card from './cards.ts';
import {SquareView, type Place} from './square_view.ts';

const key = 'pulsewire-square';
const moveEveryMs = 100;

export function openSquare(client: Client): void {
    const view = new SquareView();
    const name = startingName();
    let simulated: Channel<Messages> | undefined;

    const people = client.channel<Messages>('square:people', {presence: {name}});
    people.on('square.move', ({session, x, y}) => {
        card.arrived();
        view.move(session, {x, y});
    });
    people.watch('presence', ({members, joined}) => {
        view.showPeople(members.map(({session, info}) => ({session, name: nameOf(info)})), client.session);
        if (joined) tellPlace();  // a newcomer does not know where the others are
    });

    let place: Place | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tellPlace = (): void => {
        if (timer || !place) return;
        timer = setTimeout(() => {
            timer = undefined;
            if (!place || client.state.name !== 'open') return;
            people.publish('square.move', {session: client.session, ...place}, {transient: true, echo: false}).catch(() => {});  // the next one says it too
        }, moveEveryMs);
    };
    view.onMove((next) => {
        place = next;
        tellPlace();
    });

    const show = (on: boolean): void => {
        view.showSwitch(on);
        if (!on) {
            simulated?.unsubscribe();
            simulated = undefined;
            view.forgetSimulated();
            card.forgetSquare();
            return;
        }
        simulated ??= client.channel<Messages>('square:simulated');
        simulated.on('square.walk', (walk) => {
            view.showSimulated(walk.visitors);
            card.showErrand(walk);
        });
        simulated.on('square.words', (words) => {
            view.showWords(words);
            card.showSquareWords(words);
        });
    };
    view.onSwitch((on) => {
        remember(on);
        show(on);
    });
    show(remembered() ?? !prefersReducedMotion());
}

function remembered(): boolean | undefined {
    try {
        const stored = localStorage.getItem(key);
        return stored === null ? undefined : stored === 'on';
    } catch {
        return undefined;  // without storage it is as at the first visit
    }
}

function remember(on: boolean): void {
    try {
        localStorage.setItem(key, on ? 'on' : 'off');
    } catch {
        // Without storage the choice holds for this visit.
    }
}

const nameOf = (info: unknown): string => {
    const name = (info as {name?: unknown} | null)?.name;
    return typeof name === 'string' && name ? name.slice(0, 40) : 'Somebody';
};
