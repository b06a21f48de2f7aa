import type {Awareness} from 'y-protocols/awareness';
import type {Doc} from 'yjs';

/** Options of yjs(). */
export interface YjsOptions {
    /**
     * Who else is there, with a cursor or a name: an Awareness of the application's own, or `false` for none.
     * @default one is made
     */
    awareness?: Awareness | false;
    /**
     * How this session shows itself in the channel while there is an awareness; so the others know at once that it is gone.
     * Where the application shows it with an object of its own as well, give the same one here.
     * @default {}
     */
    presence?: object;
}

/** A Yjs document on a channel. */
export interface YjsProvider {
    readonly doc: Doc;
    /** Undefined where the option says `false`. */
    readonly awareness: Awareness | undefined;
    /** Resolves when the document has all that the server had. Rejects where the server refuses it. */
    readonly synced: Promise<void>;
    /** Whether changes of this document are not confirmed by the server yet. */
    readonly unsent: boolean;
    /** Resolves when there are none any more. */
    flush(): Promise<void>;
    /** Offers the document as a snapshot, as offer() of `pulsewire/state` does; happens by itself when the server wants one. */
    offer(): Promise<boolean>;
    /** Ends it, with the document as it is. What was not sent is sent before the subscription ends. */
    destroy(): void;
}
