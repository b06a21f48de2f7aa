// People with tokens, in any engine: each is a client of the SDK in a page whose backend hands out what the test has put ready. In
// Chromium and Firefox everybody has a browser context; WebKit's driver has one page at a time, so there they share it.

import type {WebDriver} from 'selenium-webdriver';
import type {Page} from './test.ts';

/** Runs functions in a page. */
export type Run = <A, T>(what: (argument: A) => T | Promise<T>, argument: A) => Promise<T>;

export const inPage = (page: Page): Run => (what, argument) => page.evaluate(what as never, argument as never) as never;

export const inWebDriver = (browser: WebDriver): Run => async (what, argument) => {
    const {value, error} = await browser.executeAsyncScript<{value: never; error?: string}>(
        `const done = arguments[1];
         (async () => (${what})(arguments[0]))().then((value) => done({value: value ?? null}), (error) => done({error: String(error)}));`, argument);
    if (error) throw new Error(error);
    return value;
};

/** What a person's page keeps. */
interface Kept {
    client: {user?: string; signIn(): void; signOut(): void};
    room: {publish(type: string, payload: string): Promise<unknown>; history(): Promise<unknown>};
    heard: unknown[];
    states: string[];
    asked: string[];
    tokens: (string | null)[];
    /** The tokens that left the page, each time they did. */
    shown: string[];
    /** How often the room was subscribed to. */
    subscribed: number;
}
type Window = {people: Record<string, Kept>};

export interface EnterOptions {
    room: string;
    /** What the backend answers, one after the other, the last for ever; null: nobody is logged in. */
    tokens: (string | null)[];
    transport?: 'websocket' | 'sse';
}

export class Person {
    readonly run: Run;
    readonly #name: string;

    private constructor(run: Run, name: string) {
        this.run = run;
        this.#name = name;
    }

    /** Lets a client of this name connect in the page, which is one of the server's. */
    static async enter(run: Run, name: string, options: EnterOptions): Promise<Person> {
        await run(async ({name, room: channel, tokens, transport}) => {
            const sdk = '/sdk/index.js';
            const {connect} = await import(sdk);
            const asked: string[] = [], heard: unknown[] = [], states: string[] = [], shown: string[] = [];
            const note = (text: unknown): void => {
                const token = /"op":"(?:connect|refresh)".*"token":"([^"]*)"/.exec(String(text))?.[1];
                if (token) shown.push(token);
            };
            const kept = {tokens, asked, heard, states, shown, subscribed: 0} as unknown as Kept;
            const client = connect('/', {
                transport,
                token: async ({reason}: {reason: string}) => {
                    asked.push(reason);
                    return kept.tokens.length > 1 ? kept.tokens.shift() : kept.tokens[0];
                },
                WebSocket: class extends WebSocket {
                    override send(data: string): void {
                        note(data);
                        super.send(data);
                    }
                },
                fetch: (url: string, init: RequestInit) => {
                    note(init.body);
                    return fetch(url, init);
                },
            });
            client.on('state', (state: {name: string; reason?: {name: string}}) =>
                states.push(state.reason ? `${state.name} ${state.reason.name}` : state.name));
            const room = client.channel(channel);
            room.on('*', (payload: unknown, message: {user?: string}) => heard.push([message.user ?? null, payload]));
            room.watch('subscribed', () => { kept.subscribed += 1; });
            room.watch('refused', (error: {code: string}) => heard.push(['refused', error.code]));
            const all = window as unknown as Partial<Window>;
            (all.people ??= {})[name] = Object.assign(kept, {client, room});
        }, {name, transport: 'websocket', ...options});
        return new Person(run, name);
    }

    readonly heard = async (): Promise<unknown[]> => (await this.#now()).heard;
    readonly states = async (): Promise<string[]> => (await this.#now()).states;
    readonly asked = async (): Promise<string[]> => (await this.#now()).asked;
    readonly shown = async (): Promise<string[]> => (await this.#now()).shown;
    readonly user = async (): Promise<string | null> => (await this.#now()).user;
    readonly isSubscribed = async (): Promise<boolean> => (await this.#now()).subscribed > 0;
    readonly state = async (): Promise<string | undefined> => (await this.states()).at(-1);

    /** What the backend answers from now on. */
    async answerWith(...tokens: (string | null)[]): Promise<void> {
        await this.run(({name, tokens}) => { (window as unknown as Window).people[name]!.tokens = tokens; }, {name: this.#name, tokens});
    }

    /** 'published', or the error's code. */
    say(text: string): Promise<string> {
        return this.run(({name, text}) => (window as unknown as Window).people[name]!.room.publish('said', text)
            .then(() => 'published', (error: {code: string}) => error.code), {name: this.#name, text});
    }

    /** 'read', or the error's code. */
    readHistory(): Promise<string> {
        return this.run((name) => (window as unknown as Window).people[name]!.room.history().then(() => 'read', (error: {code: string}) => error.code), this.#name);
    }

    signOut(): Promise<void> {
        return this.run((name) => (window as unknown as Window).people[name]!.client.signOut(), this.#name);
    }

    signIn(): Promise<void> {
        return this.run((name) => (window as unknown as Window).people[name]!.client.signIn(), this.#name);
    }

    #now(): Promise<Pick<Kept, 'heard' | 'states' | 'asked' | 'shown' | 'subscribed'> & {user: string | null}> {
        return this.run((name) => {
            const {heard, states, asked, shown, subscribed, client} = (window as unknown as Window).people[name]!;
            return {heard, states, asked, shown, subscribed, user: client.user ?? null};
        }, this.#name);
    }
}
