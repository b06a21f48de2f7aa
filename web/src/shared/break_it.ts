// "Break it": what a visitor may do to this page's own connection, and what the SDK then says. Everything shown comes from
// the SDK's events; only the faults are made here.

import type {Channel, Client, ConnectionState, SubscribedEvent} from 'pulsewire';
import {Attempts} from './attempts.ts';
import type {BreakableNetwork} from './breakable_network.ts';
import {byId, keepNewest, make} from './dom.ts';
import {lostWords, messages, missedWords, written} from './words.ts';

const faultMs = 10_000;
const linesMax = 30;
const transportNames = {websocket: 'WebSocket', sse: 'SSE'};

type Kind = 'fault' | 'lost' | 'open' | 'good' | 'bad';

/** From a fault, or from a connection that was lost by itself, until the next one. */
interface Outage {
    since: number;
    over: boolean;
    /** Messages that came at the end of a stall; undefined when nothing is stalled. */
    held: number | undefined;
    recovered: number;
    /** Messages of this page that were delivered, or refused, after they had waited. */
    delivered: number;
    refused: number;
    /** The line that counts them; a later line makes room for another. */
    lines: Map<string, HTMLElement>;
}

export class BreakIt {
    readonly #network: BreakableNetwork;
    readonly #state = make('p', {class: 'break-it__state', 'data-testid': 'break-it-state'});
    readonly #outcome = make('p', {class: 'break-it__outcome', role: 'status', 'data-testid': 'break-it-outcome'});
    readonly #log = make('ol', {class: 'break-it__log', 'data-testid': 'break-it-log', 'aria-label': 'What happened', tabindex: 0});
    readonly #buttons: HTMLButtonElement[];
    readonly #own = new Set<{waited: boolean}>();
    #client: Client | undefined;
    #channel: Channel<any> | undefined;
    #countdown: ReturnType<typeof setInterval> | undefined;
    #outage: Outage | undefined;
    #recovering = false;
    #summary = 'Break it and watch what the SDK does about it.';

    /** Fills the page's place for it, which says from which width of the window on it is beside the rest. */
    constructor(network: BreakableNetwork) {
        this.#network = network;
        this.#buttons = [
            this.#button('Cut[ the connection]', () => this.#cut()),
            this.#button('Stall[ for] 10 s', () => this.#stall()),
            this.#button('[Go ]offline[ for] 10 s', () => this.#goOffline()),
        ];
        const panel = byId('break-it');
        const beside = matchMedia(`(width > ${panel.dataset.besideFrom})`);
        const story = make('details', {class: 'break-it__story', open: beside.matches}, make('summary', {text: 'What happened, step by step'}), this.#log);
        beside.addEventListener('change', () => { story.open = beside.matches; });
        panel.append(
            make('header', {class: 'panel__head break-it__head'}, make('h2', {text: 'Break the connection'}), this.#state),
            make('div', {class: 'break-it__buttons'}, ...this.#buttons),
            this.#outcome, story,
        );
        this.#showOutcome();
    }

    /** Shows what this client says from now on. */
    follow(client: Client): void {
        this.#client = client;
        const attempts = new Attempts();
        const show = (state: ConnectionState): void => {
            const attempt = attempts.of(state);
            if (this.#client !== client) return;
            this.#showState(state, attempt);
            if (state.name === 'waiting' && (this.#outage?.over ?? true)) {
                this.#begin();
                this.#summary = `${lostWords(state.reason)}.`;
                this.#showOutcome();
            }
            // What a client does after an outage, such as one that takes the place of another, is no part of it.
            if (this.#outage && (!this.#outage.over || state.name === 'closed')) this.#note(state);
        };
        client.on('state', show);
        show(client.state);
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
            if (to >= from) this.#say('bad', `${messages(to - from + 1)} cannot come any more: ${missedWords(reason)}.`);
        }));
    }

    /** Counts a message that this page wrote; the promise settles when the server has taken or refused it. */
    followOwn(acknowledged: Promise<unknown>): void {
        const own = {waited: this.#hindered};
        this.#own.add(own);
        const settle = (how: 'delivered' | 'refused') => (): void => {
            this.#own.delete(own);
            if (!own.waited) return;
            if (!this.#outage) this.#begin();
            this.#outage!.over ||= !this.#hindered;
            this.#outage![how] += 1;
            this.#line('own', how === 'delivered' ? 'good' : 'bad', this.#ownText(false));
            this.#showOutcome();
        };
        acknowledged.then(settle('delivered'), settle('refused'));
        if (own.waited) this.#showOutcome();
    }

    // Whether what is sent now has to wait.
    get #hindered(): boolean {
        return this.#network.hindered || this.#client?.state.name !== 'open';
    }

    get #waiting(): number {
        return [...this.#own].filter(({waited}) => waited).length;
    }

    #cut(): void {
        this.#begin('You cut the connection.');
        this.#network.cut();
    }

    #stall(): void {
        this.#begin('For 10 seconds nothing passes, and nobody is told.');
        const outage = this.#outage!;
        outage.held = 0;
        this.#hold(true);
        this.#network.stall(faultMs, () => {
            this.#hold(false);
            const waited = [
                ...(outage.held ? [`${messages(outage.held)} had waited`] : []),
                ...(this.#waiting ? [`${written(this.#waiting)} can leave now`] : []),
            ];
            outage.held = undefined;
            if (this.#outage !== outage) return;
            this.#say('good', `The stall is over: ${waited.join(', and ') || 'nothing had waited'}.`);
            outage.over ||= this.#client?.state.name === 'open';
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

    #begin(fault?: string): void {
        this.#outage = {since: performance.now(), over: false, held: undefined, recovered: 0, delivered: 0, refused: 0, lines: new Map()};
        this.#recovering = false;
        delete this.#outcome.dataset.recovered;
        for (const own of this.#own) own.waited = true;
        if (fault) this.#say('fault', fault);
    }

    // One fault at a time, or nobody could tell what came of which.
    #hold(busy: boolean): void {
        for (const button of this.#buttons) button.setAttribute('aria-disabled', String(busy));
    }

    #subscribed(recovered: boolean | undefined, reason: SubscribedEvent['reason']): void {
        this.#recovering = recovered === true;
        if (!this.#outage || recovered === undefined) return;
        if (recovered) queueMicrotask(() => this.#sayRecovered());
        else this.#say('bad', `What was sent meanwhile could not be recovered: ${missedWords(reason)}.`);
    }

    #arrived(replayed: boolean): void {
        if (!this.#outage) return;
        if (this.#outage.held !== undefined) this.#outage.held += 1;
        if (!this.#recovering) return;
        this.#recovering = replayed;
        if (!replayed) return;
        this.#outage.recovered += 1;
        this.#sayRecovered();
    }

    // The replay comes in one go or in several; the last line says how many there are.
    #sayRecovered(): void {
        const {recovered, delivered} = this.#outage!;
        const text = recovered > 0 ? `Recovered ${messages(recovered)}, none missed.`
            : `Recovered: nothing was sent meanwhile${delivered + this.#waiting > 0 ? ' by others' : ''}.`;
        this.#line('recovered', 'good', text);
        this.#outcome.dataset.recovered = String(recovered);
        this.#summary = text;
        this.#showOutcome();
    }

    #note(state: ConnectionState): void {
        const outage = this.#outage!;
        if (state.name === 'waiting') {
            outage.lines.clear();
            this.#say('lost', `${lostWords(state.reason)}. Next attempt in ${seconds(state.retryInMs)}.`, false);
        }
        if (state.name === 'connecting') this.#say('lost', `Connecting over ${transportNames[state.transport]}…`, false);
        if (state.name === 'open') {
            outage.over = outage.held === undefined;
            this.#say('open', `Open over ${transportNames[state.transport]} after ${seconds(performance.now() - outage.since)}.`, false);
        }
        if (state.name === 'closed' && state.reason.name !== 'client_closed') this.#say('bad', `Closed: ${lostWords(state.reason)}.`);
    }

    #showState(state: ConnectionState, attempt: number | undefined): void {
        clearInterval(this.#countdown);
        this.#state.dataset.state = state.name;
        const text = make('span');
        this.#state.replaceChildren(make('span', {class: 'status__dot', 'aria-hidden': 'true'}), text);
        const say = (): void => { text.textContent = stateText(state, attempt); };
        say();
        if (state.name === 'waiting') this.#countdown = setInterval(say, 100);
    }

    #say(kind: Kind, text: string, aloud = true): HTMLElement {
        const time = new Date().toLocaleTimeString('en-GB');
        const line = make('li', {class: 'break-it__line', 'data-kind': kind}, make('time', {text: time}), make('span', {text}));
        this.#log.append(line);
        keepNewest(this.#log, linesMax);
        this.#log.scrollTop = this.#log.scrollHeight;
        if (aloud) {
            this.#summary = text;
            this.#showOutcome();
        }
        return line;
    }

    // A line that is written once and then corrected as its figure grows.
    #line(name: string, kind: Kind, text: string): void {
        const {lines} = this.#outage!;
        const known = lines.get(name);
        if (!known?.isConnected) return void lines.set(name, this.#say(kind, text, false));
        known.dataset.kind = kind;
        known.lastElementChild!.textContent = text;
    }

    #showOutcome(): void {
        const text = [this.#summary, this.#ownText(true)].filter(Boolean).join(' ');
        if (this.#outcome.textContent !== text) this.#outcome.textContent = text;
    }

    #ownText(withWaiting: boolean): string {
        const {delivered = 0, refused = 0} = this.#outage ?? {};
        return [
            delivered && `${written(delivered)} ${delivered === 1 ? 'was' : 'were'} delivered.`,
            refused && `${written(refused)} ${refused === 1 ? 'was' : 'were'} refused.`,
            withWaiting && this.#waiting && `${written(this.#waiting)} ${this.#waiting === 1 ? 'waits' : 'wait'} to be sent.`,
        ].filter(Boolean).join(' ');
    }

    // The words in brackets are not seen where there is little room, but they are part of the name.
    #button(text: string, press: () => void): HTMLButtonElement {
        const words = text.split(/[[\]]/).map((part, i) => make('span', {class: i % 2 ? 'break-it__extra' : undefined, text: part}));
        const button = make('button', {class: 'button', type: 'button'}, make('span', {class: 'break-it__name'}, ...words));
        // aria-disabled instead of disabled: the keyboard's focus stays where it is.
        button.addEventListener('click', () => { if (button.getAttribute('aria-disabled') !== 'true') press(); });
        return button;
    }
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function stateText(state: ConnectionState, attempt: number | undefined): string {
    switch (state.name) {
        case 'connecting': return `Connecting over ${transportNames[state.transport]}, attempt ${attempt}`;
        case 'open': return `Open over ${transportNames[state.transport]}`;
        case 'waiting': return `${lostWords(state.reason)}. Next attempt in ${seconds(Math.max(0, state.retryAt - Date.now()))}`;
        case 'closed': return `Closed: ${lostWords(state.reason)}`;
    }
}
