/** Tells that a handler of the application threw. */
export type ReportError = (error: unknown, context: string) => void;

type Handler = (event: any) => void;

const none: readonly Handler[] = [];
/** Handlers of these are called with every event, before and after those of its own. */
export const first = '';
const last = '*';

/** Handlers by event. One that is added or removed by another counts from the next event on; clear() at once. */
export class Handlers {
    readonly #lists = new Map<string, readonly Handler[]>();
    /** All that the last event had, as most are of the kind of the one before; '' when they have changed. */
    #event = '';
    #ofEvent: Handler[] = [];
    readonly #owner: string;
    readonly #report: ReportError;

    constructor(owner: string, report: ReportError) {
        this.#owner = owner;
        this.#report = report;
    }

    /** Returns the function that removes the handler again; each registration has one of its own. */
    add(event: string, handler: Handler): () => void {
        this.#set(event, [...this.#of(event), handler]);
        return () => this.#set(event, this.#of(event).filter((other) => other !== handler));
    }

    /** Calls the handlers, each group in the order in which they were added; what one throws is reported and harms no other. */
    emit(event: string, told: unknown): void {
        if (event !== this.#event) {
            this.#event = event;
            this.#ofEvent = [...this.#of(first), ...this.#of(event), ...this.#of(last)];
        }
        const handlers = this.#ofEvent;
        for (let i = 0; i < handlers.length; i++) {
            try {
                handlers[i]!(told);
            } catch (error) {
                this.#report(error, `a handler for "${event}" of ${this.#owner}`);
            }
        }
    }

    clear(): void {
        this.#lists.clear();
        this.#event = '';
        // Also of those that are being called.
        this.#ofEvent.length = 0;
    }

    #set(event: string, handlers: readonly Handler[]): void {
        this.#lists.set(event, handlers);
        this.#event = '';
    }

    #of(event: string): readonly Handler[] {
        return this.#lists.get(event) ?? none;
    }
}

/** Calls the application's `onError`, or the environment's; throws nothing whatever that does. */
export function reporter(onError: ReportError | undefined): ReportError {
    return (error, context) => {
        try {
            (onError ?? reportError)(error, context);
        } catch {
            // onError threw as well, or there is no reportError, as in Node.
            console.error(context, error);
        }
    };
}
