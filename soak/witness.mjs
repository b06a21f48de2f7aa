// What one healthy client must see of one channel: every publication once and in order, or a gap that it is told about.

export class Witness {
    position;
    faults = [];
    toldGaps = 0;
    #sequence;
    #jump = false;

    constructor(name) {
        this.name = name;
    }

    // The stream begins at {epoch, offset}. `recovered` is what the server says about the position that was asked for, if any.
    begins({epoch, offset}, recovered) {
        const before = this.position;
        this.position = {epoch, offset};
        if (before === undefined) return;
        if (recovered === false) this.#told();
        else if (before.epoch !== epoch || before.offset !== offset) {
            this.#fault(`asked for ${before.epoch}/${before.offset} and got ${epoch}/${offset} as if nothing were missing`);
        }
    }

    // As begins(), of an event stream: what could not be recovered is said by an event of its own, after this.
    opens({epoch, offset}) {
        const before = this.position;
        this.#jump = before !== undefined && (before.epoch !== epoch || before.offset !== offset);
        this.position = {epoch, offset};
    }

    // Publications up to the offset do not arrive; without one, those before the stream's beginning.
    gap(offset) {
        this.#jump = false;
        if (offset !== undefined && offset <= this.position.offset) return;
        if (offset !== undefined) this.position.offset = offset;
        this.#told();
    }

    // `sequence` is the publisher's own number; undefined for what others put into the channel.
    publication(offset, sequence) {
        if (this.#jump) this.#fault(`offset ${offset} after a jump that was not told`);
        this.#jump = false;
        const expected = this.position.offset + 1;
        if (offset < expected) return this.#fault(`offset ${offset} again, after ${expected - 1}`);
        if (offset > expected) this.#fault(`offset ${offset} after ${expected - 1}`);
        this.position.offset = offset;
        if (sequence === undefined) return undefined;
        const next = this.#sequence === undefined ? sequence : this.#sequence + 1;
        this.#sequence = sequence;
        return sequence === next ? undefined : this.#fault(`message ${sequence} where ${next} was to come`);
    }

    #told() {
        this.toldGaps += 1;
        this.#sequence = undefined;
    }

    #fault(text) {
        this.faults.push(`${this.name}: ${text}`);
    }
}
