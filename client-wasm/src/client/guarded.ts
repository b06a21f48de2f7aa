/** A promise that knows whether anybody waits for it. */
class Guarded<T> extends Promise<T> {
    /** Promises made of it are plain ones. */
    static override get [Symbol.species](): PromiseConstructor {
        return Promise;
    }
    awaited = false;

    override then<A = T, B = never>(
        resolved?: ((value: T) => A | PromiseLike<A>) | null, rejected?: ((reason: any) => B | PromiseLike<B>) | null,
    ): Promise<A | B> {
        this.awaited = true;
        return super.then(resolved, rejected);
    }
}

/** The same promise, whose rejection goes to `report` where nobody waits for it: it is never an unhandled one. */
export function guarded<T>(promise: Promise<T>, report: (error: any) => void): Promise<T> {
    const result = new Guarded<T>((resolve, reject) => void promise.then(resolve, reject));
    const failed = (error: unknown) => void setTimeout(() => result.awaited || report(error), 0);
    result.catch(failed);
    result.awaited = false;
    return result;
}
