import {PulsewireError} from '../base/errors.js';
import {payloadIn} from './binary_text.js';
import type {Hub} from './hub.js';

/** A publication as the server keeps it. */
export interface KeptMessage {
    readonly type: string;
    readonly payload: any;
    readonly offset: number;
    /** Milliseconds since 1970, by the server's clock. */
    readonly time: number;
    readonly user?: string;
}

/** Pages that are read of one channel; a history of small messages has one. */
const pagesMax = 10_000;

/** The inside of a channel, as it is at the moment of each look. */
export class ChannelView {
    readonly name: string;
    readonly #hub: Hub;
    /** The most that the server gives at once. */
    readonly #limit: number;

    /** @internal */
    constructor(name: string, hub: Hub, limit: number) {
        this.name = name;
        this.#hub = hub;
        this.#limit = limit;
    }

    /** The offset of the newest publication, kept or not; 0 before the first. */
    get head(): number {
        return (this.#ask('history', {limit: 1, backwards: true}).offset as number | undefined) ?? 0;
    }

    get epoch(): string {
        return this.#ask('history', {limit: 1, backwards: true}).epoch as string;
    }

    /** Everything that is kept, in order. */
    get history(): KeptMessage[] {
        const all: KeptMessage[] = [];
        for (let page = 0; page < pagesMax; page++) {
            const {payload, more} = this.#ask('history', {offset: all.at(-1)?.offset ?? 0, limit: this.#limit});
            all.push(...(payload as (KeptMessage & {binary?: boolean})[]).map(({binary, ...kept}) => ({...kept, payload: payloadIn({binary: !!binary, payload: kept.payload})})));
            if (!more) break;
        }
        return all;
    }

    /** How many connections are subscribed. */
    get subscribers(): number {
        return this.#hub.subscribers(this.name).length;
    }

    /** The members that show themselves in the channel, of a long list the first page. */
    get members(): {session: string; info?: any; user?: string}[] {
        return this.#ask('presence', {}).payload;
    }

    #ask(op: string, members: object): Record<string, any> {
        const frame = JSON.parse(this.#hub.query(JSON.stringify({op, id: 1, channel: this.name, ...members}))) as Record<string, any>;
        if (frame.op === 'error') throw new PulsewireError(frame.code, frame.message);
        return frame;
    }
}
