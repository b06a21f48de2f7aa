/** Tells that a handler of the application threw. */
export type ReportError = (error: unknown, context: string) => void;

type Handler = (event: any) => void;

const none: readonly Handler[] = [];

/** Handlers by event. One that is added or removed by another counts from the next event on. */
export class Handlers {
    readonly #lists = new Map<string, readonly Handler[]>();
    readonly #owner: string;
    readonly #report: ReportError;

    constructor(owner: string, report: ReportError) {
        this.#owner = owner;
        this.#report = report;
    }

    /** Returns the function that removes the handler again. Each registration is one of its own. */
    add(event: string, handler: Handler): () => void {
        const own: Handler = (told) => handler(told);
        this.#lists.set(event, [...this.#of(event), own]);
        return () => void this.#lists.set(event, this.#of(event).filter((other) => other !== own));
    }

    /** Calls the handlers in the order in which they were added; what one throws is reported and harms no other. */
    emit(event: string, told: unknown): void {
        const handlers = this.#of(event);
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
