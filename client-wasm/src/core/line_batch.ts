/**
 * Removes the first of the lines that wait to be sent, those that have fewer than `unitsMax` UTF-16 units together but at
 * least one, and joins them; '' when none is left. What waits leaves together: a frame costs far more than a line in it.
 */
export function takeBatch(lines: string[], unitsMax: number): string {
    let count = 0;
    for (let units = 0; count < lines.length; count++) {
        units += lines[count]!.length + 1;
        if (count > 0 && units > unitsMax) break;
    }
    return lines.splice(0, count).join('\n');
}
