import type {Channel} from '../client/channel.js';
import type {Client} from '../client/client.js';
import {PulsewireError} from '../base/errors.js';
import type {Message} from '../client/message.js';
import type {WorkerCommand, WorkerError, WorkerEvent} from './messages.js';

/** A MessagePort, or a dedicated worker's own scope. */
export interface Port {
    onmessage: ((event: MessageEvent) => void) | null;
    postMessage(event: WorkerEvent): void;
}

/** Gives clients to ports and takes them back. */
export interface Clients {
    take(url: string, options: object): Client;
    /** The port is done with its client, of whose channels it was subscribed to these. */
    giveBack(client: Client): void;
    subscribe(channel: Channel): void;
    unsubscribe(channel: Channel): void;
}

/** The worker's half of one tab: obeys its commands and posts it what it is subscribed to. */
export class PortSession {
    readonly #port: Port;
    readonly #clients: Clients;
    #client: Client | undefined;
    #removers: (() => void)[] = [];
    readonly #subscribed = new Map<Channel, (() => void)[]>();

    constructor(port: Port, clients: Clients) {
        this.#port = port;
        this.#clients = clients;
        port.onmessage = ({data}: MessageEvent<WorkerCommand>) => {
            const id = 'id' in data ? data.id : undefined;
            try {
                const answer = this.#obey(data);
                answer?.then(
                    (value) => this.#post({op: 'answer', id: id!, value}),
                    (error) => this.#post({op: 'error', id: id!, error: posted(error)}),
                );
            } catch (error) {
                this.#post(id === undefined ? {op: 'error', error: posted(error)} : {op: 'error', id, error: posted(error)});
            }
        };
    }

    #post(event: WorkerEvent): void {
        this.#port.postMessage(event);
    }

    #obey(command: WorkerCommand): Promise<unknown> | undefined {
        if (command.op === 'connect') return void this.#connect(command.url, command.options, command.lock);
        if (command.op === 'close') return void this.#close();
        const client = this.#client;
        if (!client) throw new PulsewireError('invalid_argument', 'Post {op: "connect"} to the worker first.');
        switch (command.op) {
            case 'subscribe':
                return void this.#subscribe(client.channel(command.channel, command.options), command.options?.state);
            case 'unsubscribe':
                return void this.#unsubscribe(client.channel(command.channel));
            case 'publish':
                return client.channel(command.channel).publish(command.type, command.payload, command.options);
            case 'request':
                return client.request(command.type, command.payload, command.options);
            case 'history':
                return client.channel(command.channel).history(command.options)
                    .then((page) => ({...page, messages: page.messages.map(plain)}));
            case 'reconnectNow':
                return void client.reconnectNow();
        }
    }

    #connect(url = '/', options: object = {}, lock?: string): void {
        this.#close();
        // Tabs share a client by its address, and may belong to different users.
        if ('token' in options) throw new PulsewireError('invalid_argument', 'pulsewire/worker takes no token: where users sign in, call connect() in the page.');
        const client = (this.#client = this.#clients.take(url, options));
        const post = () => this.#post({op: 'state', state: client.state, session: client.session});
        this.#removers = [client.on('state', post)];
        post();
        if (lock) void navigator.locks.request(lock, () => this.#close());
    }

    #subscribe(channel: Channel, state?: boolean): void {
        if (this.#subscribed.has(channel)) return;
        const {name} = channel;
        const {position} = channel;
        const late = channel.state === 'subscribed' && position;
        // The place of this tab; with the state it begins from nothing.
        let {epoch, offset: had} = (!state && late) || {epoch: '', offset: 0};
        const post = (message: Message) => {
            had = message.offset ?? had;
            this.#post({op: 'message', ...plain(message)});
        };
        this.#subscribed.set(channel, [
            channel.watch('subscribed', (event) => {
                if (event.position.epoch !== epoch) had = 0;
                epoch = event.position.epoch;
                this.#post({op: 'subscribed', channel: name, event});
            }),
            channel.watch('gap', (event) => this.#post({op: 'gap', channel: name, event})),
            channel.watch('presence', (event) => this.#post({op: 'presence', channel: name, event})),
            channel.watch('refused', (error) => this.#post({op: 'refused', channel: name, error: posted(error)})),
            channel.watch('message', post),
            // Of a state only those who begin with it want what came before.
            channel.watch('snapshot', ({payload, ...part}) => {
                this.#post({op: 'snapshot', channel: name, ...part, payload: payload instanceof Uint8Array ? payload.slice() : payload});
            }),
            channel.watch('snapshotWanted', () => this.#post({op: 'snapshotWanted', channel: name})),
            channel.watch('repeated', (message) => message.offset! > had && post(message)),
        ]);
        this.#clients.subscribe(channel);
        if (late && state) return void channel.share({state});
        // Another tab subscribed before: this one begins where the stream is.
        if (late) this.#post({op: 'subscribed', channel: name, event: {position: late, recovered: undefined}});
    }

    #unsubscribe(channel: Channel): void {
        const removers = this.#subscribed.get(channel);
        if (!removers) return;
        this.#subscribed.delete(channel);
        for (const remove of removers) remove();
        this.#clients.unsubscribe(channel);
    }

    #close(): void {
        for (const channel of [...this.#subscribed.keys()]) this.#unsubscribe(channel);
        for (const remove of this.#removers.splice(0)) remove();
        if (this.#client) this.#clients.giveBack(this.#client);
        this.#client = undefined;
    }
}

function plain(message: Message) {
    const {channel, type, offset, time, replayed, raw} = message;
    return {
        // A copy of the bytes alone: a view is posted with all that it is a view of.
        channel, type, replayed, raw: raw || (message.payload as Uint8Array).slice(), ...(offset === undefined ? {} : {offset}), ...(time === undefined ? {} : {time}),
    };
}

function posted(error: unknown): WorkerError {
    const {code = 'internal', message = String(error), pointer} = error as Partial<PulsewireError>;
    return pointer ? {code, message, pointer} : {code, message};
}
