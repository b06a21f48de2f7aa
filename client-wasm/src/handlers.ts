/** Tells that a handler of the application threw. */
export type ReportError = (error: unknown, context: string) => void;

type Handler = (...args: any[]) => void;

/** Handlers by event. One that is added or removed by another counts from the next event on. */
export class Handlers {
    #lists = new Map<string, readonly Handler[]>();
    #report: ReportError;
    #owner: string;

    constructor(owner: string, report: ReportError) {
        this.#owner = owner;
        this.#report = report;
    }

    /** Returns the function that removes the handler again. */
    add(event: string, handler: Handler): () => void {
        // Each registration is one of its own, also of a function that was added before.
        const own: Handler = (...args) => handler(...args);
        this.#lists.set(event, [...(this.#lists.get(event) ?? []), own]);
        return () => {
            const list = this.#lists.get(event)?.filter((other) => other !== own);
            if (list?.length) this.#lists.set(event, list);
            else this.#lists.delete(event);
        };
    }

    has(event: string): boolean {
        return this.#lists.has(event);
    }

    /** Calls the handlers in the order in which they were added; what one throws is reported and harms no other. */
    emit(event: string, ...args: unknown[]): void {
        for (const handler of this.#lists.get(event) ?? []) {
            try {
                handler(...args);
            } catch (error) {
                this.#report(error, `a handler for "${event}" of ${this.#owner}`);
            }
        }
    }

    clear(): void {
        this.#lists.clear();
    }
}

/** Calls the application's `onError`, or what the environment has for it; throws nothing whatever that does. */
export function reporter(onError: ReportError | undefined): ReportError {
    return (error, context) => {
        try {
            if (onError) onError(error, context);
            else if (typeof reportError === 'function') reportError(error);
            else console.error(`pulsewire: ${context} threw`, error);
        } catch (second) {
            console.error(second);
        }
    };
}
