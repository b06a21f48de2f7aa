/**
 * Random numbers of 32 bits from the generator that is meant for secrets. Node 18 has no global one, there chance has to
 * do.
 */
export function randomWords(count: number): Uint32Array {
    const words = new Uint32Array(count).map(() => Math.random() * 2 ** 32);
    globalThis.crypto?.getRandomValues(words);
    return words;
}

/** 26 characters of base 32, 130 random bits. */
export function randomName(): string {
    return randomWords(26).reduce((name, word) => name + (word % 32).toString(32), '');
}
