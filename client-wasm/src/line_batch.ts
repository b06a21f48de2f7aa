/** Lines that wait to be sent. What waits leaves together: a frame costs far more than a line in it. */
export class LineBatch {
    #lines: string[] = [];

    add(line: string): void {
        this.#lines.push(line);
    }

    /**
     * Removes and joins the first lines that have fewer than `unitsMax` UTF-16 units together, but at least one; ''
     * when none is left.
     */
    take(unitsMax: number): string {
        let count = 0;
        for (let units = 0; count < this.#lines.length; count++) {
            units += this.#lines[count].length + 1;
            if (count > 0 && units > unitsMax) break;
        }
        return this.#lines.splice(0, count).join('\n');
    }
}
