// Taken when the module is loaded, so that fake timers, which come later, do not stop it. A browser has no setImmediate,
// jsdom in Jest no MessageChannel either.
const {setImmediate, MessageChannel, setTimeout} = globalThis as typeof globalThis & {setImmediate?: (call: () => void) => void};

/** Lets everything happen that needs no time: promises, and what waits for the next turn of the event loop. */
export function turn(): Promise<void> {
    return new Promise((resolve) => {
        if (setImmediate) return setImmediate(resolve);
        if (!MessageChannel) return void setTimeout(resolve, 0);
        const {port1, port2} = new MessageChannel();
        port1.onmessage = () => {
            port1.close();
            resolve();
        };
        port2.postMessage(0);
    });
}
