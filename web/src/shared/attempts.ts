// The attempts of one outage. The SDK counts on until a connection has held for a while, so that its pauses grow; a reader
// who just saw the connection open expects the next outage to begin with attempt 1.

import type {ConnectionState} from 'pulsewire';

export class Attempts {
    #failedBefore = 0;
    #failed = 0;

    /** The attempt as a reader counts it; call it once with each state. */
    of(state: ConnectionState): number | undefined {
        if (state.name === 'open') this.#failedBefore = this.#failed;
        if (state.name !== 'connecting' && state.name !== 'waiting') return undefined;
        this.#failed = state.name === 'waiting' ? state.attempt : state.attempt - 1;
        if (this.#failed < this.#failedBefore || (state.name === 'waiting' && this.#failed === this.#failedBefore)) this.#failedBefore = 0;  // the SDK began anew
        return state.attempt - this.#failedBefore;
    }
}
