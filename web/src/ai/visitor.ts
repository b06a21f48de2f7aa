// A reader of the replies, with a connection of its own. Whether it comes before the question, in the middle or after the end, it has
// the same text; whoever asked has no other part in it.

import {connect, type Client} from 'pulsewire';
import {list} from 'pulsewire/list';
import {streams, type StreamReader} from 'pulsewire/stream';
import type {Messages} from '../messages.ts';
import type {BreakableNetwork} from '../shared/breakable_network.ts';
import {serverUrl, transportParam} from '../shared/page.ts';
import type {VisitorView} from './view.ts';

export class Visitor {
    readonly client: Client;
    readonly replies: StreamReader;
    readonly #room: string;

    constructor(room: string, network: BreakableNetwork, view: VisitorView) {
        this.#room = room;
        this.client = connect(serverUrl(), {transport: transportParam(), ...network.options});
        this.replies = streams(this.client.channel(`ai:${room}`));
        const questions = list<Messages>(this.client.channel(`ask:${room}`));

        view.follow(this.client);
        const show = (): void => view.show(questions.getSnapshot().map(({payload}) => payload as Messages['ask.question']), this.replies.getSnapshot());
        questions.subscribe(show);
        this.replies.subscribe(show);
        this.replies.ready.catch((error) => view.showProblem(error));
    }

    /** Resolves when the server has the question; without a connection it waits for one. */
    async ask(text: string): Promise<void> {
        await this.client.channel<Messages>(`ask:${this.#room}`).publish('ask.question', {id: '', text});
    }

    /** The newest reply that is being written. */
    get growing(): string | undefined {
        return this.replies.getSnapshot().filter(({state}) => state === 'writing').at(-1)?.id;
    }

    async stop(): Promise<void> {
        const id = this.growing;
        if (id) await this.replies.stop(id);
    }

    get newest(): string {
        return this.replies.getSnapshot().at(-1)?.text ?? '';
    }

    leave(): void {
        this.replies.close();
        this.client.close();
    }
}
