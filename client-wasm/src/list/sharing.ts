import type {PulsewireError} from '../base/errors.js';
import type {Channel, Sharers} from '../client/channel.js';
import type {ChannelOptions} from '../client/channel_options.js';
import type {Message} from '../client/message.js';
import {Handle} from './handle.js';

/** The handles of one channel, which share its subscription. */
export class Sharing implements Sharers {
    readonly channel: Channel<any>;
    /** Never changed, but replaced: a handler may open and close handles. */
    #handles: readonly Handle[] = [];
    #epoch = '';

    constructor(channel: Channel<any>) {
        this.channel = channel;
    }

    /** As the last of them shows this session; true where they only want to see the others. */
    get presence(): boolean | object {
        const wanted = this.#handles.map(({options}) => options.presence ?? false);
        return wanted.filter((presence) => typeof presence === 'object').at(-1) ?? wanted.includes(true);
    }

    get state(): boolean {
        return this.#handles.some(({options}) => options.state);
    }

    add(options: ChannelOptions): Handle {
        const {channel} = this;
        const handle = new Handle(channel, this, options);
        const before = this.#handles;
        const sharers = channel.sharers;
        this.#handles = [...before, handle];
        channel.sharers = this;
        try {
            if (channel.share(options)) void handle.catchUp();
        } catch (error) {
            this.#handles = before;
            channel.sharers = sharers;
            throw error;
        }
        return handle;
    }

    remove(handle: Handle): void {
        this.#handles = this.#handles.filter((other) => other !== handle);
        if (!this.#handles.length) this.channel.sharers = undefined;
        this.channel.leave();
    }

    take(message: Message): void {
        for (const handle of this.#handles) handle.take(message);
    }

    told(event: string, told: any): void {
        if (event === 'subscribed' && told.position.epoch !== this.#epoch) {
            this.#epoch = told.position.epoch;
            for (const handle of this.#handles) handle.forget();
        }
        for (const {watchers} of this.#handles) watchers.emit(event, told);
    }

    end(error: PulsewireError | undefined): boolean {
        return this.#handles.map((handle) => handle.end(error)).includes(true);
    }
}
