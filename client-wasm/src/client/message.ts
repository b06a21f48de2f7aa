/** A message of a channel. */
export class Message<P = unknown> {
    /** The type of the message, as given to publish(). */
    readonly type: string;
    readonly channel: string;
    /** Its place in the channel; undefined for a transient or direct message, which has none. */
    readonly offset: number | undefined;
    /** Whether it came from the channel's history: it was published before this stream began. */
    readonly replayed: boolean;
    /** While there is one, engines keep what they know of messages, and with it the code that they made for them. @internal */
    static readonly one = new Message('', '', 0, 0, false, '', 0, 0);
    readonly #time: number | undefined;
    readonly #text: string;
    readonly #begin: number;
    readonly #end: number;
    #payload: P | undefined;

    /**
     * The JSON text of the payload is that part of `text`, which has the time before it unless it begins with the payload;
     * where there is none, it is `payload`. @internal
     */
    constructor(
        channel: string, type: string, offset: number | undefined, time: number | undefined, replayed: boolean,
        text: string, begin: number, end: number, payload?: P,
    ) {
        this.channel = channel;
        this.type = type;
        this.offset = offset || undefined;
        this.#time = time || undefined;
        this.replayed = replayed;
        this.#text = text;
        this.#begin = begin;
        this.#end = end;
        this.#payload = payload;
    }

    /** The server's clock when it was put in order, in milliseconds since 1970; undefined for a transient one. */
    get time(): number | undefined {
        // Where the text is a whole line, its 13 digits stand before ',"payload":'.
        return this.#begin ? +this.#text.slice(this.#begin - 24, this.#begin - 11) : this.#time;
    }

    /** The payload; parsed when first read, so what nobody looks at costs nothing. */
    get payload(): P {
        if (this.#payload === undefined && this.#end) this.#payload = JSON.parse(this.raw);
        return this.#payload as P;
    }

    /** The JSON text of the payload, for passing on. */
    get raw(): string {
        return this.#end ? this.#text.slice(this.#begin, this.#end) : JSON.stringify(this.#payload);
    }
}
