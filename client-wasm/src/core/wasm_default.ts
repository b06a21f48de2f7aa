/** The module beside this file. Bundlers know this form and take the file along. */
export function readDefault(): URL {
    return new URL('./pulsewire.wasm', import.meta.url);
}
