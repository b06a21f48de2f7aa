// "Break it": what a visitor may do to this page's own connection, and what the SDK then says. Everything shown comes from
// the SDK's events; only the faults are made here.

import type {Channel, Client, CloseReason, ConnectionState} from 'pulsewire';
import type {BreakableNetwork} from './breakable_network.ts';
import {byId, keepNewest, make} from './dom.ts';

const faultMs = 10_000;
const linesMax = 30;
const transportNames = {websocket: 'WebSocket', sse: 'SSE'};

type Kind = 'fault' | 'lost' | 'open' | 'good' | 'bad';

export class BreakIt {
    readonly #network: BreakableNetwork;
    readonly #state = make('p', {class: 'break-it__state', 'data-testid': 'break-it-state'});
    readonly #outcome = make('p', {class: 'break-it__outcome', role: 'status', 'data-testid': 'break-it-outcome'});
    readonly #log = make('ol', {class: 'break-it__log', 'data-testid': 'break-it-log', 'aria-label': 'What happened', tabindex: 0});
    readonly #buttons: HTMLButtonElement[];
    #client: Client | undefined;
    #channel: Channel<any> | undefined;
    #countdown: ReturnType<typeof setInterval> | undefined;
    #broken: {since: number; heldAt?: number} | undefined;
    #recovered = 0;
    #recovering = false;

    /** Fills the page's place for it. */
    constructor(network: BreakableNetwork) {
        this.#network = network;
        this.#buttons = [
            this.#button('Cut the connection', () => this.#cut()),
            this.#button('Stall for 10 s', () => this.#stall()),
            this.#button('Go offline for 10 s', () => this.#goOffline()),
        ];
        byId('break-it').append(
            make('header', {class: 'panel__head'}, make('h2', {text: 'Break the connection'}), this.#state),
            make('div', {class: 'break-it__buttons'}, ...this.#buttons),
            this.#outcome, this.#log,
        );
        this.#outcome.textContent = 'Break it and watch what the SDK does about it.';
    }

    /** Shows what this client says from now on. */
    follow(client: Client): void {
        this.#client = client;
        const show = (state: ConnectionState): void => {
            if (this.#client !== client) return;
            this.#showState(state);
            if (this.#broken) this.#note(state);
        };
        client.on('state', show);
        this.#showState(client.state);
    }

    /** Counts what this channel recovers from now on. */
    followChannel(channel: Channel<any>): void {
        this.#channel = channel;
        const mine = (then: () => void): void => {
            if (this.#channel === channel) then();
        };
        channel.watch('subscribed', ({recovered, reason}) => mine(() => this.#subscribed(recovered, reason)));
        channel.watch('message', ({replayed}) => mine(() => this.#arrived(replayed)));
        channel.watch('gap', ({from, to, reason}) => mine(() => {
            if (to >= from) this.#say('bad', `${messages(to - from + 1)} cannot come any more: ${reason}.`);
        }));
    }

    #cut(): void {
        this.#begin('You cut the connection.');
        this.#network.cut();
    }

    #stall(): void {
        this.#begin('For 10 seconds nothing passes, and nobody is told.');
        this.#broken!.heldAt = 0;
        this.#hold(true);
        this.#network.stall(faultMs, () => {
            this.#hold(false);
            const late = this.#broken?.heldAt;
            if (late !== undefined) this.#say('good', late ? `The stall is over: ${messages(late)} had waited.` : 'The stall is over: nothing had waited.');
            delete this.#broken?.heldAt;
        });
    }

    #goOffline(): void {
        this.#begin('For 10 seconds there is no network.');
        this.#hold(true);
        this.#network.goOffline(faultMs, () => {
            this.#hold(false);
            this.#say('fault', 'The network is back.');
            this.#client?.reconnectNow();  // as the SDK does by itself when the browser says so
        });
    }

    #begin(what: string): void {
        this.#broken = {since: performance.now()};
        this.#recovered = 0;
        this.#recovering = false;
        this.#say('fault', what);
    }

    // One fault at a time, or nobody could tell what came of which.
    #hold(busy: boolean): void {
        for (const button of this.#buttons) button.setAttribute('aria-disabled', String(busy));
    }

    #subscribed(recovered: boolean | undefined, reason: string | undefined): void {
        this.#recovering = recovered === true;
        if (!this.#broken || recovered === undefined) return;
        if (recovered) queueMicrotask(() => this.#sayRecovered());
        else this.#say('bad', `What was sent meanwhile could not be recovered: ${reason}.`);
    }

    #arrived(replayed: boolean): void {
        if (this.#broken?.heldAt !== undefined) this.#broken.heldAt += 1;
        if (!this.#broken || !this.#recovering) return;
        if (replayed) {
            this.#recovered += 1;
            this.#sayRecovered();
        } else {
            this.#recovering = false;
        }
    }

    // The replay comes in one go or in several; the last line says how many there are.
    #sayRecovered(): void {
        const text = this.#recovered === 0 ? 'Recovered: nothing was sent meanwhile.' : `Recovered ${messages(this.#recovered)}, none missed.`;
        const last = this.#log.lastElementChild as HTMLElement | null;
        if (last?.dataset.recovery === 'true') last.lastElementChild!.textContent = text;
        else this.#say('good', text).dataset.recovery = 'true';
        this.#outcome.textContent = text;
        this.#outcome.dataset.recovered = String(this.#recovered);
    }

    #note(state: ConnectionState): void {
        if (state.name === 'waiting') this.#say('lost', `${reasonText(state.reason)}. Next attempt in ${seconds(state.retryInMs)}.`, false);
        if (state.name === 'connecting') this.#say('lost', `Connecting over ${transportNames[state.transport]}…`, false);
        if (state.name === 'open') this.#say('open', `Open over ${transportNames[state.transport]} after ${seconds(performance.now() - this.#broken!.since)}.`, false);
        if (state.name === 'closed' && state.reason.name !== 'client_closed') this.#say('bad', `Closed: ${reasonText(state.reason)}.`);
    }

    #showState(state: ConnectionState): void {
        clearInterval(this.#countdown);
        this.#state.dataset.state = state.name;
        const text = make('span');
        this.#state.replaceChildren(make('span', {class: 'status__dot', 'aria-hidden': 'true'}), text);
        const say = (): void => { text.textContent = stateText(state); };
        say();
        if (state.name === 'waiting') this.#countdown = setInterval(say, 100);
    }

    #say(kind: Kind, text: string, aloud = true): HTMLElement {
        const time = new Date().toLocaleTimeString('en-GB');
        const line = make('li', {class: 'break-it__line', 'data-kind': kind}, make('time', {text: time}), make('span', {text}));
        this.#log.append(line);
        keepNewest(this.#log, linesMax);
        this.#log.scrollTop = this.#log.scrollHeight;
        if (aloud) this.#outcome.textContent = text;
        return line;
    }

    #button(text: string, press: () => void): HTMLButtonElement {
        const button = make('button', {class: 'button', type: 'button', text});
        // aria-disabled instead of disabled: the keyboard's focus stays where it is.
        button.addEventListener('click', () => { if (button.getAttribute('aria-disabled') !== 'true') press(); });
        return button;
    }
}

const messages = (count: number): string => `${count.toLocaleString('en')} ${count === 1 ? 'message' : 'messages'}`;
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const reasonText = ({name, message, code}: CloseReason): string => message.replace(/\.$/, '') || `${name} (${code})`;

function stateText(state: ConnectionState): string {
    switch (state.name) {
        case 'connecting': return `Connecting over ${transportNames[state.transport]}, attempt ${state.attempt}`;
        case 'open': return `Open over ${transportNames[state.transport]}`;
        case 'waiting': return `Lost: ${state.reason.name} (${state.reason.code}). Next attempt in ${seconds(Math.max(0, state.retryAt - Date.now()))}`;
        case 'closed': return `Closed: ${reasonText(state.reason)}`;
    }
}
