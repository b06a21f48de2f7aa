import {PulsewireError} from '../base/errors.js';
import type {Channel} from '../client/channel.js';
import type {Client} from '../client/client.js';
import type {GapEvent} from '../client/events.js';
import type {AnyMessage} from '../client/message.js';
import type {AnyMessages} from '../client/options.js';
import {list, open, type ListOptions, type MessageList} from '../list.js';
import {type ClientSource, Listeners, Noticed, sharedStore, type Store} from './store.js';

/** A channel as a component sees it. */
export interface ChannelView<M extends object = AnyMessages> {
    /** The newest messages, oldest first: an array that never changes, the same one until there is another message. */
    readonly messages: readonly AnyMessage<M>[];
    /** `subscribed` is kept while the client reconnects; `idle` without a name, and after the client was closed. */
    readonly state: 'idle' | 'subscribing' | 'subscribed' | 'refused';
    /**
     * The refusal of the subscription, or the failure that ended the client. An error that no component looks at goes to
     * the console.
     */
    readonly error: PulsewireError | undefined;
    /** The messages that were missed last and will not come, since the component is there. */
    readonly gap: GapEvent | undefined;
}

const idle: ChannelView<any> = Object.freeze({messages: Object.freeze([]), state: 'idle', error: undefined, gap: undefined});
const subscribing: ChannelView<any> = Object.freeze({...idle, state: 'subscribing'});

class ChannelStore {
    readonly #client: Client<any>;
    readonly #channel: Channel<any>;
    readonly #messages: MessageList<any>;
    readonly #listeners = new Listeners(() => this.#begin());
    readonly #noticed = new Noticed();
    readonly subscribe = this.#listeners.add;
    #view = subscribing;
    #refusal: PulsewireError | undefined;
    #end: PulsewireError | undefined;
    #error: PulsewireError | undefined;
    #gap: GapEvent | undefined;

    constructor(client: Client<any>, channel: Channel<any>, options: ListOptions) {
        this.#client = client;
        this.#channel = channel;
        this.#messages = list(channel, options);
    }

    readonly getSnapshot = (): ChannelView<any> => {
        const messages = this.#messages.getSnapshot();
        const state = this.#state();
        const error = this.#refusal ?? this.#end;
        const view = this.#view;
        if (messages === view.messages && state === view.state && error === this.#error && this.#gap === view.gap) return view;
        this.#error = error;
        const look = () => this.#noticed.look();
        return (this.#view = {
            messages,
            state,
            get error() {
                look();
                return error;
            },
            gap: this.#gap,
        });
    };

    /** A component subscribes as soon as it is there, so nothing is idle before. */
    #state(): ChannelView['state'] {
        const {state} = this.#channel;
        return state === 'idle' && this.#client.state.name !== 'closed' ? 'subscribing' : state;
    }

    #begin(): () => void {
        const {tell} = this.#listeners;
        this.#gap = undefined;
        // The list first, since the first use of the channel says how many messages the subscription begins with.
        const leave = this.#messages.subscribe(tell);
        const handle = open(this.#channel);
        handle.watch('subscribed', () => {
            this.#refusal = this.#end = undefined;
            tell();
        });
        handle.watch('gap', (gap) => {
            this.#gap = gap;
            tell();
        });
        handle.watch('refused', (error) => {
            this.#refusal = error;
            this.#noticed.failed(error, `subscribing to channel ${this.#channel.name}`);
            tell();
        });
        const stop = this.#client.on('closed', () => this.#closed());
        if (this.#client.state.name === 'closed') this.#closed();
        return () => {
            stop();
            handle.close();
            leave();
        };
    }

    #closed(): void {
        const {state} = this.#client;
        if (state.name === 'closed' && state.reason.name !== 'client_closed') {
            this.#end = new PulsewireError('closed', state.reason.message);
            this.#noticed.failed(this.#end, 'the connection to the server');
        }
        this.#listeners.tell();
    }
}

/** The messages of a channel, and how its subscription is, for a component; idle without a name. */
export function channelStore<M extends object = AnyMessages>(source: ClientSource, name: string | undefined, options: ListOptions = {}): Store<ChannelView<M>> {
    const key = `list ${JSON.stringify(options)}`;
    return sharedStore(source, name, key, name === undefined ? idle : subscribing, (client, channel) => new ChannelStore(client, channel, options));
}
