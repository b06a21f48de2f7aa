// The device. It shows itself by presence, does what it is asked, and says how it is whenever that changes: a message that is
// kept, so that it is the lamp's last word if it goes away.

import {PulsewireError, type Channel} from 'pulsewire';
import {handle} from 'pulsewire/requests';
import type {LampState, Messages} from '../messages.ts';

/** What a lamp may be asked; what is left out stays as it is. */
export interface Wish {
    on?: boolean;
    brightness?: number;
}

export class Lamp {
    state: LampState;
    /** A locked lamp refuses what it is asked, with its reason. */
    locked = false;
    readonly #channel: Channel<Messages>;
    readonly #show: (state: LampState) => void;

    constructor(channel: Channel<Messages>, name: string, show: (state: LampState) => void) {
        this.state = {name, on: false, brightness: 70};
        this.#channel = channel;
        this.#show = show;
        handle<Wish>(channel, 'lamp.set', (wish) => {
            if (this.locked) throw new PulsewireError('rejected', `${name} is locked`);
            const {on, brightness} = wish;
            if (on !== undefined && typeof on !== 'boolean') throw new PulsewireError('rejected', '“on” is true or false');
            if (brightness !== undefined && !(brightness >= 1 && brightness <= 100)) throw new PulsewireError('rejected', 'a brightness is 1 to 100 percent');
            return this.set(wish);
        });
        this.set({});
    }

    set({on = this.state.on, brightness = this.state.brightness}: Wish): LampState {
        this.state = {...this.state, on, brightness: Math.round(brightness)};
        this.#show(this.state);
        // Without a network it waits, and is said when the network is back.
        this.#channel.publish('lamp.state', this.state).catch((error) => console.error(error));
        return this.state;
    }
}
