/** Tells that a handler of the application threw. */
export type ReportError = (error: unknown, context: string) => void;

type Handler = (event: any) => unknown;

const none: readonly Handler[] = [];
/** Handlers of these are called with every event, before and after those of its own. */
export const first = '';
const last = '*';

/** Handlers by event. One that is added or removed by another counts from the next event on; clear() at once. */
export class Handlers {
    /** Whether somebody hears all events before the others. */
    watched = false;
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

    /** Whether anybody hears that event. */
    hears(event: string): boolean {
        return this.#hearing(event).length > 0;
    }

    /**
     * Calls the handlers, each group in the order in which they were added; what one throws, or rejects with later, is
     * reported and harms no other.
     */
    emit(event: string, told: unknown): void {
        const handlers = this.#hearing(event);
        for (let i = 0; i < handlers.length; i++) {
            try {
                const result = handlers[i]!(told);
                if (isPromise(result)) result.then(undefined, (error) => this.#failed(event, error));
            } catch (error) {
                this.#failed(event, error);
            }
        }
    }

    clear(): void {
        this.#lists.clear();
        this.#event = '';
        this.watched = false;
        // Also of those that are being called.
        this.#ofEvent.length = 0;
    }

    #failed(event: string, error: unknown): void {
        this.#report(error, `a handler for "${event}" of ${this.#owner}`);
    }

    #hearing(event: string): readonly Handler[] {
        if (event !== this.#event) {
            this.#event = event;
            this.#ofEvent = [...this.#of(first), ...this.#of(event), ...this.#of(last)];
        }
        return this.#ofEvent;
    }

    #set(event: string, handlers: readonly Handler[]): void {
        this.#lists.set(event, handlers);
        this.#event = '';
        if (event === first) this.watched = handlers.length > 0;
    }

    #of(event: string): readonly Handler[] {
        return this.#lists.get(event) ?? none;
    }
}

/** Calls the application's `onError`, or the environment's; throws nothing whatever that does. */
export function reporter(onError: ReportError | undefined, instead: ReportError = (error) => reportError(error)): ReportError {
    return (error, context) => {
        const failed = () => console.error(context, error);
        try {
            const result: unknown = (onError ?? instead)(error, context);
            if (isPromise(result)) result.then(undefined, failed);
        } catch {
            // onError threw as well, or there is no reportError, as in Node.
            failed();
        }
    };
}

/** The same for failures that the application could hear of elsewhere and does not; the console has each kind once. */
export function lastReporter(onError: ReportError | undefined): ReportError {
    const told = new Set<string>();
    return reporter(onError, (error, context) => {
        const kind = `${context}: ${error}`;
        if (!told.has(kind)) console.error(kind);
        told.add(kind);
    });
}

function isPromise(value: any): value is PromiseLike<unknown> {
    return typeof value?.then === 'function';
}
