// Publishers and subscribers with real sockets, and what they saw, judged from outside: nothing acknowledged is lost,
// nothing comes twice, everybody sees one order (design promises P1 to P4).

import {connect, type Client} from 'pulsewire';
import {WebSocket} from 'ws';
import {EventStream} from './event_stream.ts';
import {request, type Kept} from './http.ts';
import {soon} from './soon.ts';

interface Load { n: string }
type Messages = {load: Load};

/** Where an acknowledged publish stands. */
interface Acknowledged { channel: string; offset: number; n: string; atMs: number }

const quick = {WebSocket, transport: 'websocket' as const, backoffMinMs: 20, backoffMaxMs: 200};

/** Wakes whoever waits for something to become true. */
class Progress {
    readonly #waiting: (() => void)[] = [];
    made(): void {
        for (const wake of this.#waiting.splice(0)) wake();
    }
    async until(what: () => string, met: () => boolean, ms: number): Promise<void> {
        const wait = async (): Promise<void> => {
            while (!met()) await new Promise<void>((wake) => this.#waiting.push(wake));
        };
        await soon(wait(), what, ms);
    }
}

/** Everything that one subscriber saw of one channel. */
class View {
    readonly seen: {offset: number; n: string}[] = [];
    first: number | undefined;
}

export class BlackBox {
    readonly channels: string[];
    readonly acknowledged: Acknowledged[] = [];
    /** Sentences about what must not happen. */
    readonly faults: string[] = [];
    readonly figures = {published: 0, repeated: 0, delivered: 0, reconnects: 0};
    readonly #origin: string;
    readonly #progress = new Progress();
    readonly #clients: Client[] = [];
    readonly #views = new Map<string, Map<string, View>>();
    readonly #streams: (() => void)[] = [];
    readonly #publishers: Promise<void>[] = [];
    #publishing = true;

    constructor(origin: string, channels: string[]) {
        this.#origin = origin;
        this.channels = channels;
    }

    /** Resolves when so many publishes more were acknowledged. */
    async progress(acknowledgements: number): Promise<void> {
        const goal = this.acknowledged.length + acknowledgements;
        await this.#progress.until(
            () => `further acknowledgements: ${this.acknowledged.length} of ${goal}`, () => this.acknowledged.length >= goal, 60_000,
        );
    }

    /** The longest time in which nothing was acknowledged, since performance.now() was `sinceMs`. */
    longestPauseMs(sinceMs: number): number {
        let [before, longest] = [sinceMs, 0];
        for (const {atMs} of this.acknowledged) {
            if (atMs < sinceMs) continue;
            longest = Math.max(longest, atMs - before);
            before = atMs;
        }
        return longest;
    }

    /** The SDK publishes, some messages in flight at a time. */
    publishOverWebSocket(name: string, inFlight: number): void {
        const client = this.#client();
        const next = async (lane: number): Promise<void> => {
            for (let i = 1; this.#publishing; i += 1) {
                const channel = this.channels[(i + lane) % this.channels.length]!;
                const n = `${name}-${lane}-${i}`;
                this.figures.published += 1;
                const {offset} = (await client.channel<Messages>(channel).publish('load', {n}))!;
                this.#acknowledge({channel, offset, n});
            }
        };
        for (let lane = 0; lane < inFlight; lane += 1) this.#publishers.push(this.#guard(next(lane), `publisher ${name}`));
    }

    /** Two subscribers over each transport, two pages and a backend that publish. */
    start(): void {
        for (const name of ['ann', 'ben']) this.subscribeOverWebSocket(name);
        for (const name of ['sue', 'tom']) this.subscribeOverEventStream(name);
        for (const name of ['pat', 'pam']) this.publishOverWebSocket(name, 8);
        this.publishOverHttp('curl');
    }

    /** A backend publishes by POST and repeats with the same key until it has an answer. */
    publishOverHttp(name: string): void {
        const run = async (): Promise<void> => {
            for (let i = 1; this.#publishing; i += 1) {
                const channel = this.channels[i % this.channels.length]!;
                const n = `${name}-${i}`;
                this.figures.published += 1;
                for (;;) {
                    const answer = await request(`${this.#origin}/api/channels/${channel}/messages`, {
                        body: {type: 'load', key: n, payload: {n}},
                    }).catch(() => undefined);
                    if (answer?.status === 200) {
                        this.#acknowledge({channel, offset: answer.json.offset, n});
                        break;
                    }
                    if (answer && answer.status !== 503 && answer.status !== 502) throw new Error(`${answer.status}: ${answer.text}`);
                    this.figures.repeated += 1;
                    await new Promise<void>((tick) => setImmediate(tick));
                }
            }
        };
        this.#publishers.push(this.#guard(run(), `publisher ${name}`));
    }

    subscribeOverWebSocket(name: string): void {
        const client = this.#client();
        client.on('waiting', () => { this.figures.reconnects += 1; });
        for (const channel of this.channels) {
            const view = this.#view(name, channel);
            const stream = client.channel<Messages>(channel, {latest: 0});
            stream.watch('subscribed', ({position, recovered}) => {
                view.first ??= position.offset;
                if (recovered === false) this.faults.push(`${name} was not recovered in ${channel}`);
            });
            stream.watch('gap', (gap) => void this.faults.push(`${name} has a gap in ${channel}: ${JSON.stringify(gap)}`));
            stream.on('load', ({n}, {offset}) => this.#deliver(view, offset!, n));
        }
    }

    /** As an EventSource does it: again with Last-Event-ID whenever the stream ends. */
    subscribeOverEventStream(name: string): void {
        let ended = false;
        const query = this.channels.map((channel) => `channel=${channel}`).join('&');
        const run = async (): Promise<void> => {
            let cursor: string | undefined;
            while (!ended) {
                const headers: Record<string, string> = cursor === undefined ? {} : {'last-event-id': cursor};
                const stream = await EventStream.open(`${this.#origin}/events?${query}`, headers).catch(() => undefined);
                if (!stream) {
                    await new Promise<void>((tick) => setImmediate(tick));
                    continue;
                }
                if (cursor !== undefined) this.figures.reconnects += 1;
                this.#streams.push(() => { ended = true; stream.close(); });
                stream.onEvent(({event, id, data}) => {
                    if (id !== undefined) cursor = id;
                    const content = data && JSON.parse(data);
                    if (event === 'pulsewire.open') {
                        for (const {channel, offset} of content.positions) this.#view(name, channel).first ??= offset;
                    } else if (event === 'pulsewire.gap') {
                        this.faults.push(`${name} has a gap: ${data}`);
                    } else if (event === 'load') {
                        this.#deliver(this.#view(name, content.channel), content.offset, content.payload.n);
                    }
                });
                await stream.ended;
            }
        };
        void this.#guard(run(), `subscriber ${name}`);
    }

    /** No new publishes; resolves when each has its outcome and every subscriber has seen all of them. */
    async settle(): Promise<void> {
        this.#publishing = false;
        await soon(Promise.all(this.#publishers), 'outcome of every publish', 60_000);
        const heads = new Map(await Promise.all(this.channels.map(async (channel) =>
            [channel, (await this.#history(channel)).at(-1)?.offset ?? 0] as const)));
        const behind = (): string[] => [...this.#views].flatMap(([name, views]) => this.channels
            .filter((channel) => (views.get(channel)?.seen.at(-1)?.offset ?? 0) < heads.get(channel)!)
            .map((channel) => `${name} in ${channel}`));
        await this.#progress.until(() => `end of the stream for ${behind().join(', ')}`, () => behind().length === 0, 60_000);
    }

    /** Compares what was acknowledged and what was seen with what the server keeps. */
    async judge(): Promise<void> {
        for (const channel of this.channels) {
            const kept = await this.#history(channel);
            const at = new Map(kept.map(({offset, payload}) => [offset, (payload as Load).n]));
            kept.forEach(({offset}, index) => {
                if (offset !== index + 1) this.faults.push(`the history of ${channel} has a hole before ${offset}`);
            });
            const twice = kept.length - new Set(at.values()).size;
            if (twice > 0) this.faults.push(`${twice} messages stand twice in ${channel}`);
            for (const {channel: where, offset, n} of this.acknowledged) {
                if (where === channel && at.get(offset) !== n) this.faults.push(`lost: ${n}, acknowledged at ${channel} ${offset}`);
            }
            for (const [name, views] of this.#views) {
                const {seen, first = 0} = views.get(channel)!;
                seen.forEach(({offset, n}, index) => {
                    const wanted = first + index + 1;
                    if (offset !== wanted) this.faults.push(`${name} saw ${channel} ${offset} in the place of ${wanted}`);
                    if (at.get(offset) !== n) this.faults.push(`${name} saw ${n} at ${channel} ${offset}, which is ${at.get(offset)}`);
                });
            }
        }
    }

    close(): void {
        for (const client of this.#clients) client.close();
        for (const end of this.#streams) end();
    }

    #client(): Client {
        const client = connect(this.#origin, quick);
        this.#clients.push(client);
        return client;
    }

    #view(name: string, channel: string): View {
        const views = this.#views.get(name) ?? new Map<string, View>();
        this.#views.set(name, views);
        const view = views.get(channel) ?? new View();
        views.set(channel, view);
        return view;
    }

    #acknowledge(ack: Omit<Acknowledged, 'atMs'>): void {
        this.acknowledged.push({...ack, atMs: performance.now()});
        this.#progress.made();
    }

    #deliver(view: View, offset: number, n: string): void {
        this.figures.delivered += 1;
        view.seen.push({offset, n});
        this.#progress.made();
    }

    async #guard(work: Promise<void>, what: string): Promise<void> {
        await work.catch((error: unknown) => {
            this.faults.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
        });
    }

    /** All of a channel, page by page. */
    async #history(channel: string): Promise<Kept[]> {
        const all: Kept[] = [];
        for (;;) {
            const answer = await request(`${this.#origin}/api/channels/${channel}/messages?limit=300&offset=${all.length}`);
            all.push(...answer.json.messages);
            if (!answer.json.more) return all;
        }
    }
}
