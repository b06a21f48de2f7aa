// The look of the game: the arena as SVG, the scores, and the two switches.

import {initialOf, toneOf} from '../chat/names.ts';
import type {GamePlayer, GameTick} from '../messages.ts';
import {byId, make, makeSvg} from '../shared/dom.ts';
import {showError} from '../shared/errors.ts';

const size = 1000;
const jitterMs = 200;
const atTop = 0.09;  // there is no room for a name above the player

export class Arena {
    /** Whether what lies between two ticks is drawn, too. */
    interpolates = true;
    readonly #lights = makeSvg('g');
    readonly #players = makeSvg('g');
    readonly #marks = new Map<string, SVGGElement>();
    #lit = '';
    #scores = '';
    #own: string | undefined;

    constructor() {
        byId('arena-picture').append(this.#lights, this.#players);
        toggle('interpolate', (on) => { this.interpolates = on; });
    }

    draw(tick: GameTick, own: string): void {
        this.#own = own;
        this.#drawLights(tick);
        for (const player of tick.players) {
            const mark = this.#marks.get(player.session) ?? this.#add(player);
            mark.dataset.atTop = String(player.y < atTop);
            mark.setAttribute('transform', `translate(${(player.x * size).toFixed(1)} ${(player.y * size).toFixed(1)})`);
        }
        for (const [session, mark] of this.#marks) {
            if (tick.players.some((player) => player.session === session)) continue;
            mark.remove();
            this.#marks.delete(session);
        }
    }

    showScores(players: GamePlayer[], own: string): void {
        const sorted = [...players].sort((a, b) => b.score - a.score);
        const scores = JSON.stringify(sorted.map(({session, score}) => [session, score]));
        if (scores === this.#scores) return;
        this.#scores = scores;
        byId('scores').replaceChildren(...sorted.map(({session, name, score}) => make('li', {'data-own': session === own},
            make('span', {class: 'avatar', 'data-tone': toneOf(name), 'aria-hidden': 'true', text: initialOf(name)}),
            make('span', {class: 'scores__name', text: session === own ? `${name} (you)` : name}), make('strong', {text: String(score)}))));
    }

    showFigures(jitter: number, delay: number): void {
        byId('jitter-now').textContent = `${Math.round(jitter)} ms`;
        byId('delay-now').textContent = `${Math.round(delay)} ms`;
    }

    showProblem(error?: unknown): void {
        showError(byId('game-error'), error);
    }

    onJitter(set: (ms: number) => void): void {
        toggle('jitter', (on) => set(on ? jitterMs : 0));
    }

    #drawLights({lights}: GameTick): void {
        const ids = lights.map(({id}) => id).join();
        if (ids === this.#lit) return;
        this.#lit = ids;
        this.#lights.replaceChildren(...lights.map(({x, y}) => makeSvg('circle', {class: 'light', cx: x * size, cy: y * size, r: 13})));
    }

    #add({session, name}: GamePlayer): SVGGElement {
        const label = makeSvg('text', {class: 'player__name', 'text-anchor': 'middle', y: -34});
        label.textContent = session === this.#own ? 'you' : name;
        const initial = makeSvg('text', {class: 'player__initial', 'text-anchor': 'middle', dy: '0.35em'});
        initial.textContent = initialOf(name);
        const mark = makeSvg('g', {class: 'player', 'data-own': String(session === this.#own), 'data-tone': toneOf(name), 'data-testid': 'player'},
            makeSvg('circle', {r: 24}), initial, label);
        this.#players.append(mark);
        this.#marks.set(session, mark);
        return mark;
    }
}

function toggle(id: string, turned: (on: boolean) => void): void {
    const button = byId(id);
    button.addEventListener('click', () => {
        const on = button.getAttribute('aria-checked') !== 'true';
        button.setAttribute('aria-checked', String(on));
        turned(on);
    });
}
