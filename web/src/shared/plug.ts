// The plug of one client's network, as a button that stays pressed while it is out.

import type {Client} from 'pulsewire';
import type {BreakableNetwork} from './breakable_network.ts';

export class Plug {
    readonly #button: HTMLElement;
    readonly #network: BreakableNetwork;
    #client: Client | undefined;

    constructor(button: HTMLElement, network: BreakableNetwork) {
        this.#button = button;
        this.#network = network;
        button.addEventListener('click', () => (network.offline ? this.#in() : this.#out()));
    }

    /** The client behind it, which comes back at once when the plug is put in. */
    follow(client: Client): void {
        this.#client = client;
    }

    #out(): void {
        this.#network.unplug();
        this.#show(true);
    }

    #in(): void {
        this.#network.plug();
        this.#client?.reconnectNow();
        this.#show(false);
    }

    #show(out: boolean): void {
        this.#button.setAttribute('aria-pressed', String(out));
    }
}
