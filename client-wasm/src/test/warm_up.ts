import {connect} from '../index.js';

let warm: Promise<void> | undefined;

/** Lets the SDK compile its WebAssembly, which takes real time, before a test counts on anything. */
export function warmUp(): Promise<void> {
    return (warm ??= new Promise((resolve) => {
        const client = connect('http://warm-up.test', {
            transport: 'websocket',
            onError: () => {},
            WebSocket: class {
                onopen = null;
                onmessage = null;
                onclose = null;
                onerror = null;

                constructor() {
                    void Promise.resolve().then(() => {
                        client.close();
                        resolve();
                    });
                }

                send(): void {}

                close(): void {}
            },
        });
        client.on('closed', () => resolve());
    }));
}
