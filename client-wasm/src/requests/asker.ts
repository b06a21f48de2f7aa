/** The client that asks, and the signal that its answer is not wanted any more. */
export interface Asker {
    /** As {@link Channel.members} shows it. */
    readonly session: string;
    /** The user who asks: the server's word, see {@link Message.user}; missing where nobody has signed in. */
    readonly user?: string;
    readonly signal: AbortSignal;
}

/** Answers a request of another client with what it returns, which has to have a JSON form, or is bytes. */
export type RequestHandler<Payload = any> = (payload: Payload, from: Asker) => unknown;
