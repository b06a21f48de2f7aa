/** A message of a channel. */
export class Message<P = unknown> {
    /** What kind of message it is, as given to publish(). */
    readonly type: string;
    readonly channel: string;
    /** Its place in the channel; undefined for a transient or direct message, which has none. */
    readonly offset: number | undefined;
    /** The server's clock when it was put in order, in milliseconds since 1970; undefined for a transient one. */
    readonly time: number | undefined;
    /** Whether it came from the channel's history: it was published before this stream began. */
    readonly replayed: boolean;
    #raw: string;
    #payload: P | undefined;

    /** @internal */
    constructor(
        channel: string, type: string, offset: number | undefined, time: number | undefined, replayed: boolean,
        raw: string, payload?: P,
    ) {
        this.channel = channel;
        this.type = type;
        this.offset = offset || undefined;
        this.time = time || undefined;
        this.replayed = replayed;
        this.#raw = raw;
        this.#payload = payload;
    }

    /** The payload; parsed when first read, so what nobody looks at costs nothing. */
    get payload(): P {
        if (this.#payload === undefined && this.#raw) this.#payload = JSON.parse(this.#raw);
        return this.#payload as P;
    }

    /** The JSON text of the payload, for passing on. */
    get raw(): string {
        return (this.#raw ||= JSON.stringify(this.#payload));
    }
}
