// WebKit: the MiniBrowser of WebKitGTK, driven by WebDriver, on a display that nobody sees.

import {spawn, type ChildProcess} from 'node:child_process';
import {createServer, type AddressInfo} from 'node:net';
import {Builder, Capabilities, type WebDriver} from 'selenium-webdriver';
import {displayPath, webkitDriverPath, webkitPath} from './engines.ts';
import {soon} from './soon.ts';

export class WebKit {
    readonly #display: Program;
    readonly #driver: Program;
    readonly #port: number;

    private constructor(display: Program, driver: Program, port: number) {
        this.#display = display;
        this.#driver = driver;
        this.#port = port;
    }

    static async start(): Promise<WebKit> {
        // It chooses a number that is free, and writes it to its third descriptor.
        const display = new Program(displayPath, ['-displayfd', '3', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'], {});
        const number = await display.answer();
        const port = await freePort();
        const driver = new Program(webkitDriverPath, [`--port=${port}`], {DISPLAY: `:${number}`, WAYLAND_DISPLAY: '', LANG: 'C.UTF-8'});
        const webkit = new WebKit(display, driver, port);
        await webkit.#untilReady();
        return webkit;
    }

    /** A browser with a profile of its own. The driver has one at a time. */
    async browse(): Promise<WebDriver> {
        const capabilities = new Capabilities({
            browserName: 'MiniBrowser', acceptInsecureCerts: true, 'webkitgtk:browserOptions': {binary: webkitPath, args: ['--automation']},
        });
        return new Builder().usingServer(`http://127.0.0.1:${this.#port}`).withCapabilities(capabilities).build();
    }

    async stop(): Promise<void> {
        await this.#driver.stop();
        await this.#display.stop();
    }

    async #untilReady(): Promise<void> {
        const ready = async (): Promise<void> => {
            for (;;) {
                const answer = await fetch(`http://127.0.0.1:${this.#port}/status`).catch(() => undefined);
                if (answer?.ok) return;
                this.#driver.mustRun();
                await new Promise<void>((tick) => setImmediate(tick));
            }
        };
        await soon(ready(), () => `WebKitWebDriver; it wrote:\n${this.#driver.said}`);
    }
}

class Program {
    readonly #child: ChildProcess;
    readonly #ended: Promise<unknown>;
    /** What it wrote to its third descriptor, and elsewhere. */
    #answer = '';
    said = '';

    constructor(path: string, args: string[], env: Record<string, string>) {
        this.#child = spawn(path, args, {stdio: ['ignore', 'pipe', 'pipe', 'pipe'], env: {...process.env, ...env}});
        this.#ended = new Promise((ended) => this.#child.once('exit', ended).once('error', ended));
        for (const stream of this.#child.stdio.slice(1, 3)) stream?.on('data', (text) => { this.said += String(text); });
        this.#child.stdio[3]!.on('data', (text) => { this.#answer += String(text); });
        const reap = () => this.#child.kill('SIGKILL');
        process.once('exit', reap);
        this.#child.once('exit', () => process.removeListener('exit', reap));
    }

    /** The first line that it writes to its third descriptor. */
    async answer(): Promise<string> {
        const answered = async (): Promise<string> => {
            for (;;) {
                const [line, rest] = this.#answer.split('\n', 2);
                if (rest !== undefined) return line!;
                this.mustRun();
                await new Promise<void>((tick) => setImmediate(tick));
            }
        };
        return soon(answered(), () => `answer of a program; it wrote:\n${this.said}`);
    }

    mustRun(): void {
        if (this.#child.exitCode !== null || this.#child.signalCode) throw new Error(`a program ended at its start; it wrote:\n${this.said}`);
    }

    async stop(): Promise<void> {
        this.#child.kill('SIGTERM');
        await soon(this.#ended, 'end of a program');
    }
}

// WebKitWebDriver cannot choose one itself.
async function freePort(): Promise<number> {
    const probe = createServer();
    await new Promise<void>((listening) => probe.listen(0, '127.0.0.1', listening));
    const {port} = probe.address() as AddressInfo;
    await new Promise((closed) => probe.close(closed));
    return port;
}
