/** A message of a channel: a plain object, which can be copied, kept in a store, posted to a worker and printed. */
export interface Message<P = unknown, K extends string = string> {
    /** The type of the message, as given to publish(). */
    readonly type: K;
    readonly channel: string;
    /** Its place in the channel; undefined for a transient or direct message, which has none. */
    readonly offset: number | undefined;
    /** The server's clock when it was put in order, in milliseconds since 1970; undefined for a transient one. */
    readonly time: number | undefined;
    /** The user who published it: the server's word, as the server writes names (`auth0|5` is `auth0=7C5`); missing where nobody had signed in. */
    readonly user?: string;
    /** What it is the latest of, where its publisher has said that with `conflate`. */
    readonly conflate?: string;
    /** Whether it came from the channel's history: it was published before this stream began. */
    readonly replayed: boolean;
    /** The value that was published; bytes are a Uint8Array, which is yours. */
    readonly payload: P;
    /** The JSON text of the payload as the server sent it, for passing on; '' of bytes. */
    readonly raw: string;
}

/** A message of any of the types that `M` declares: `type` says which payload it has. */
export type AnyMessage<M extends object> = {[K in keyof M & string]: Message<M[K], K>}[keyof M & string];

/** The payload of a message is parsed when it is first read. Of the object's own, as copies have only such. */
const parsedWhenRead: PropertyDescriptor & ThisType<Message> = {
    configurable: true,
    enumerable: true,
    get() {
        const value = JSON.parse(this.raw);
        try {
            Object.defineProperty(this, 'payload', {value, configurable: true, enumerable: true});
        } catch {
            // It was frozen, and is parsed each time.
        }
        return value;
    },
};

/** The same message, parsed when its payload is read; whatever looks at none of them costs nothing. */
export function unparsed(
    channel: string, type: string, offset: number, time: number, replayed: boolean, raw: string, user: string, conflate: string,
): Message<any> {
    const message = {type, channel, offset: offset || undefined, time: time || undefined, replayed, raw, ...(user && {user}), ...(conflate && {conflate})};
    return Object.defineProperty(message, 'payload', parsedWhenRead) as unknown as Message;
}
