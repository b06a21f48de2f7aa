import {checkOptions, positive, signal, type Rules} from '../base/check.js';
import {PulsewireError} from '../base/errors.js';
import type {Message} from './message.js';
import type {IterationOptions} from './channel_options.js';

const rules: Rules<IterationOptions> = {signal, capacity: positive};

/** Messages on their way into a `for await` loop; those that it has not taken yet wait here, up to a bound. */
export class Loop {
    readonly iterator: AsyncIterableIterator<Message>;
    readonly #waiting: Message[] = [];
    readonly #capacity: number;
    readonly #onEnd: () => void;
    readonly #signal: AbortSignal | undefined;
    readonly #abort = () => this.end();
    #wake = () => {};
    #ended = false;
    #error: PulsewireError | undefined;

    /** `onEnd` is called when no more messages are wanted. */
    constructor(options: IterationOptions, onEnd: () => void) {
        checkOptions(options, rules);
        const {signal, capacity = 1000} = options;
        this.#capacity = capacity;
        this.#onEnd = onEnd;
        this.#signal = signal;
        const iterator = this.#take();
        // A generator's own return() waits for the message that next() waits for.
        const leave = iterator.return.bind(iterator);
        iterator.return = () => {
            this.end();
            return leave(undefined);
        };
        this.iterator = iterator;
        signal?.addEventListener('abort', this.#abort);
        if (signal?.aborted) this.end();
    }

    push(message: Message): void {
        if (this.#waiting.length >= this.#capacity) {
            this.end(new PulsewireError('overloaded', `The loop leaves ${this.#capacity} messages waiting: raise its capacity.`));
        } else {
            this.#waiting.push(message);
            this.#wake();
        }
    }

    /** Messages that wait can still be taken; then the loop ends, with the error if there is one. */
    end(error?: PulsewireError): void {
        if (this.#ended) return;
        this.#ended = true;
        this.#error = error;
        this.#signal?.removeEventListener('abort', this.#abort);
        this.#onEnd();
        this.#wake();
    }

    async *#take(): AsyncGenerator<Message, undefined, undefined> {
        for (;;) {
            const message = this.#waiting.shift();
            if (message) {
                // Read once, so that it is printed with its payload; those that the loop leaves are not parsed.
                Reflect.get(message, 'payload');
                yield message;
            } else if (this.#error) throw this.#error;
            else if (this.#ended) return;
            else await new Promise<void>((resolve) => (this.#wake = resolve));
        }
    }
}
