/** The module beside this file; Node's fetch() does not read files. */
export async function readDefault(): Promise<Uint8Array<ArrayBuffer>> {
    const {readFile} = await import('node:fs/promises');
    return new Uint8Array(await readFile(new URL('./pulsewire.wasm', import.meta.url)));
}
