import {callable, check, checkKnown, checkOptions, flag, amount, invalid, type Rules} from '../base/check.js';
import {closeNames, type CloseName} from '../base/codes.js';
import {PulsewireError} from '../base/errors.js';
import type {Client} from '../client/client.js';
import type {Position} from '../client/events.js';
import type {AnyRequests, ConnectOptions, WebSocketConstructor} from '../client/options.js';
import {connect} from '../index.js';
import {forHub, payloadIn} from './binary_text.js';
import {ChannelView} from './channel_view.js';
import type {Connection} from './connection.js';
import {eventSourceOver, type TestEventSourceConstructor} from './event_source.js';
import {fetchOver} from './http.js';
import {Hub, type HubEvent} from './hub.js';
import type {
    AuthorizedCommand, ClientPublish, Direction, PublishHandler, RefusalCode, RefusedOperation, RefuseOptions, ServerHandler, ServerPublishOptions, TestServerOptions, TokenOptions,
} from './options.js';
import {Path} from './path.js';
import {randomFrom} from './random.js';
import {webSocketOver} from './sockets.js';
import {shownBy, tokenOf} from './tokens.js';
import {Trace} from './trace.js';
import {turn} from './turns.js';
import type {VirtualTime} from './virtual_time.js';

const rules: Rules<TestServerOptions> = {
    namespaces: /^Object/, defaultNamespace: /^Object/, types: /^Object/, limits: /^Object/, tokens: flag, anonymous: flag,
    authorize: callable, onPublish: callable, handlers: /^Object/, seed: /^Number \d{1,10}$/, virtualTime: flag,
};
const address = 'http://pulsewire.test';
/** As the real server: heartbeats, deadlines and ages are looked at so often. */
const tickMs = 500;
/** Turns of the event loop that settled() waits for at most, and those without anything happening that satisfy it. */
const turnsMax = 1000;
const quietTurns = 2;
/** The server's default of that limit. */
const recoveryMax = 300;
const serviceRestart = 1012;
/** As the real server's: for opening the next connection. */
const handOverGraceMs = 2000;
const refusedOperations = ['subscribe', 'history', 'publish', 'presence', 'request', 'connect'];

/** A real hub, a network that does what the test says, and the clients on it. Made by testServer(). */
export class TestServer {
    /** For connect() of an application that makes its clients itself. */
    readonly WebSocket: WebSocketConstructor;
    /** ... and of one that reads `/events?channel=…` itself. */
    readonly EventSource: TestEventSourceConstructor;
    /** Carries the client's half over SSE, and the HTTP API for backends. */
    readonly fetch: typeof fetch;
    /** The address of the server, for those who need one; any other one does as well. */
    readonly url = address;
    readonly #hub: Hub;
    readonly #trace = new Trace();
    readonly #connections = new Map<number, Connection>();
    readonly #own: Path;
    /** Of the clients of connect(), and the one of WebSocket, EventSource and fetch. */
    readonly #paths = new Map<Client<any> | undefined, Path>();
    readonly #handlers = new Map<string, ServerHandler>();
    readonly #authorize: TestServerOptions['authorize'];
    readonly #onPublish: PublishHandler | undefined;
    readonly #time: VirtualTime | undefined;
    readonly #network;
    /** Connections that are refused when they say who they are. */
    #refusedConnects: {code: number; message: string; times: number} | undefined;
    #timer: ReturnType<typeof setTimeout> | undefined;
    #handOverTimer: ReturnType<typeof setTimeout> | undefined;
    #lastToken = 0;
    #happened = 0;
    #closed = false;
    readonly #recoveryMax: number;

    /** @internal */
    constructor(module: WebAssembly.Module, options: TestServerOptions, time: VirtualTime | undefined) {
        checkOptions(options, rules);
        const {namespaces = {}, defaultNamespace = {}, types, limits = {}, tokens = false, anonymous = false, authorize, onPublish, handlers = {}, seed = 1} = options;
        this.#time = time;
        this.#authorize = authorize;
        this.#onPublish = onPublish;
        this.#recoveryMax = limits.recovery_max ?? recoveryMax;
        for (const [type, handler] of Object.entries(handlers)) this.handle(type, handler);
        const settings = {
            tokens, anonymous: anonymous || !tokens, publishes: !!onPublish, limits,
            default_namespace: {...(types && {types}), ...defaultNamespace}, namespaces,
        };
        this.#hub = new Hub(module, JSON.stringify(settings), seed, (event) => this.#handle(event));
        if (authorize) this.#hub.askAboutAll(true);
        let last = 0;
        this.#network = {
            hub: this.#hub, trace: this.#trace, random: randomFrom(seed), connections: this.#connections, streams: new Map<string, Connection>(),
            shownBy: (token: string | null) => (!tokens || (token === null && anonymous) ? '' : shownBy(token ?? '') || undefined),
            nextNumber: () => ++last,
            opened: (connection: number) => this.#refuseConnect(connection),
        };
        this.#own = new Path(this.#network);
        this.#paths.set(undefined, this.#own);
        this.WebSocket = webSocketOver(this.#own);
        this.EventSource = eventSourceOver(this.#own, address);
        this.fetch = fetchOver(this.#own);
        this.#tick();
    }

    /** A client of the SDK on a path of its own to this server; options are those of connect(). close() closes it, too. */
    connect<R extends object = AnyRequests>(options: ConnectOptions = {}): Client<R> {
        const path = new Path(this.#network, this.#own);
        const client = connect<R>(address, {WebSocket: webSocketOver(path), EventSource: eventSourceOver(path, address), fetch: fetchOver(path), ...options});
        this.#paths.set(client, path);
        return client;
    }

    // --- the network: of all clients, or of one that is given ---

    /** Every connection ends without a close frame, at both ends; the clients come back. */
    cut(client?: Client<any>): void {
        this.#note('cut');
        this.#each(client, (path) => path.each((connection) => connection.cut()));
    }

    /** There is no network: connections are lost, which the server notices by its heartbeat alone, and none opens. */
    offline(client?: Client<any>): void {
        this.#note('offline');
        this.#each(client, (path) => {
            path.online = false;
            path.each((connection) => connection.lose());
        });
    }

    /** The network is back, nothing is stalled, and clients know of it as by the event `online` in a browser. */
    online(client?: Client<any>): void {
        this.#note('online');
        this.#each(client, (path, owner) => {
            path.online = true;
            path.stall('up', false);
            path.stall('down', false);
            if (owner && owner.state.name !== 'closed') owner.reconnectNow();
        });
    }

    /**
     * Nothing arrives any more in one direction, and nobody is told: `up` from the clients, `down` to them. Returns the
     * function that lets everything flow again; online() does so as well.
     */
    stall(direction: Direction, client?: Client<any>): () => void {
        checkKnown(direction, ['up', 'down'], 'direction');
        const set = (stalled: boolean) => {
            this.#note(`${stalled ? 'stall' : 'flow'} ${direction}`);
            this.#each(client, (path) => path.stall(direction, stalled));
        };
        set(true);
        return () => set(false);
    }

    /** Everything takes so long in each direction, and up to `jitterMs` longer; the order stays. */
    delay(ms: number, {jitterMs = 0, client}: {jitterMs?: number; client?: Client<any>} = {}): void {
        check('ms', ms, amount);
        check('jitterMs', jitterMs, amount);
        this.#each(client, ({delay}) => {
            delay.ms = ms;
            delay.jitterMs = jitterMs;
        });
    }

    // --- the server ---

    /**
     * The server's process ends at once and starts again. With `keepLog: false` its disk is empty: epochs are new, and what
     * was missed is gone. Namespaces with `durability: 'memory'` lose their logs in any case.
     */
    restart({keepLog = true}: {keepLog?: boolean} = {}): void {
        this.#note(`restart${keepLog ? '' : ' without its log'}`);
        const connections = [...this.#connections.values()];
        this.#hub.restart(keepLog);
        for (const connection of connections) connection.cut();
    }

    /**
     * A planned end: clients are told to come back at a random moment within `spreadMs`. With `handOver` they keep their
     * connections until their next ones serve, as where a proxy has another server; whoever has not left two seconds after
     * that window is closed.
     */
    drain({spreadMs = 0, handOver = false}: {spreadMs?: number; handOver?: boolean} = {}): void {
        check('spreadMs', spreadMs, amount);
        this.#note(handOver ? 'hand over' : 'drain');
        if (!handOver) return this.#hub.drain(spreadMs);
        const left = [...this.#connections.keys()];
        this.#hub.handOver(spreadMs);
        const end = () => {
            for (const connection of left) if (this.#connections.has(connection)) this.#hub.disconnect(connection, serviceRestart, 'the server restarts');
        };
        clearTimeout(this.#handOverTimer);
        this.#handOverTimer = setTimeout(end, spreadMs + handOverGraceMs);
        (this.#handOverTimer as {unref?: () => void}).unref?.();
    }

    /**
     * The next command of that kind is refused with that code, or the next `times`; of `connect` the connection is closed
     * with a close code's name. With `times: 0` nothing is refused any more.
     */
    refuse(operation: RefusedOperation, code: RefusalCode, options?: RefuseOptions): void;
    refuse(operation: 'connect', code: CloseName, options?: RefuseOptions): void;
    refuse(operation: string, code: string, {times = 1, message = 'refused by the test'}: RefuseOptions = {}): void {
        checkKnown(operation, refusedOperations, 'operation');
        check('times', times, amount);
        if (operation === 'connect') {
            const found = Object.entries(closeNames).find(([, name]) => name === code);
            if (!found) throw invalid(`there is no close code ${code}, only ${Object.values(closeNames).join(', ')}`);
            this.#refusedConnects = {code: Number(found[0]), message, times};
            return;
        }
        const count = Math.min(times, 2 ** 32 - 1);
        if (!this.#hub.refuseNext(operation, code, message, count)) throw invalid(`there is no error code ${code} of the server`);
    }

    /** Publishes as a backend does over the HTTP API. Throws a PulsewireError where that would be refused. */
    publish(channel: string, type: string, payload: unknown = null, options: ServerPublishOptions = {}): Position | undefined {
        const text = forHub(payload);
        const said = text[0] === '#' ? `"binary":true,"payload":"${text.slice(1)}"` : `"payload":${text}`;
        const frame = JSON.parse(this.#hub.publish(channel, `{"type":${JSON.stringify(type)},${said}${membersOf(options)}}`)) as Record<string, any>;
        if (frame.op === 'error') throw new PulsewireError(frame.code, frame.message, {pointer: frame.pointer});
        return frame.epoch === undefined ? undefined : {epoch: frame.epoch, offset: frame.offset};
    }

    /** A look inside a channel. */
    channel(name: string): ChannelView {
        return new ChannelView(name, this.#hub, this.#recoveryMax);
    }

    /** Answers requests of that type from now on. Returns the remover. */
    handle(type: string, handler: ServerHandler): () => void {
        check('handler', handler, callable);
        this.#handlers.set(type, handler);
        return () => {
            if (this.#handlers.get(type) === handler) this.#handlers.delete(type);
        };
    }

    /** A token for the option `token` of connect(); needs the option `tokens`. */
    token(options: TokenOptions): string {
        return tokenOf(options, ++this.#lastToken);
    }

    /** Makes the tokens that a user has until now worthless, and closes their connections with `token_expired`. */
    revoke(user: string): void {
        this.#note(`revoke ${user}`);
        this.#hub.revoke(user, Date.now() + 1);
    }

    // --- time ---

    /**
     * Lets time pass, for the server and its clients: with the option `virtualTime`, or with the fake timers of Vitest and
     * Jest. Everything that comes of it has happened when the promise resolves.
     */
    async advance(ms: number): Promise<void> {
        check('ms', ms, amount);
        const {clock} = globalThis.setTimeout as {clock?: {tickAsync(ms: number): Promise<unknown>}};
        if (!this.#time && !clock) throw invalid('This is real time, which nobody can advance: give testServer() the option virtualTime, or use fake timers of your test tool');
        await this.settled();
        await (this.#time ?? {advance: (ms: number) => clock!.tickAsync(ms)}).advance(ms);
        await this.settled();
    }

    /** Resolves when everything has happened that needs no time to pass. */
    async settled(): Promise<void> {
        for (let turns = 0, quiet = 0; turns < turnsMax && quiet < quietTurns; turns++) {
            const before = this.#happened;
            await turn();
            quiet = this.#happened === before ? quiet + 1 : 0;
        }
    }

    /** What has happened so far, one line each: time, connection, what. The newest 10,000. */
    trace(): string[] {
        return this.#trace.lines();
    }

    /** Closes all clients of connect(), ends the server, and gives back the thread's own time. */
    close(): void {
        if (this.#closed) return;
        this.#closed = true;
        for (const client of this.#paths.keys()) client?.close();
        // An EventSource that is still there finds nobody any more.
        for (const path of this.#paths.values()) path.online = false;
        for (const connection of this.#connections.values()) connection.cut();
        clearTimeout(this.#timer);
        clearTimeout(this.#handOverTimer);
        this.#time?.end();
    }

    #each(client: Client<any> | undefined, act: (path: Path, client: Client<any> | undefined) => void): void {
        if (client && !this.#paths.has(client)) throw invalid('that client was not made by connect() of this server');
        for (const [owner, path] of this.#paths) if (!client || owner === client) act(path, owner);
    }

    #note(what: string): void {
        this.#trace.note(0, '!', what);
    }

    readonly #tick = (): void => {
        this.#hub.tick();
        for (const connection of this.#connections.values()) connection.answerPosts();
        this.#timer = setTimeout(this.#tick, tickMs);
        (this.#timer as {unref?: () => void}).unref?.();
    };

    #refuseConnect(connection: number): void {
        const refused = this.#refusedConnects;
        if (!refused || refused.times < 1) return;
        refused.times--;
        this.#hub.disconnect(connection, refused.code, refused.message);
    }

    // --- the application ---

    #handle({kind, connection, id, text}: HubEvent): void {
        this.#happened++;
        if (kind === 'w') this.#connections.get(connection)?.pump();
        else if (kind === 'd') this.#trace.note(connection, '!', text);
        else if (kind === 'p') this.#judge(connection, id, withPayload(text));
        else if (kind === 'v') this.#verify(connection, id, JSON.parse(text) as string);
        else if (kind === 'a') void this.#decide(connection, id, JSON.parse(text) as AuthorizedCommand);
        else void this.#answer(connection, id, withPayload(text));
    }

    #verify(connection: number, number: number, token: string): void {
        const fault = this.#hub.verified(connection, number, shownBy(token));
        if (fault) this.#trace.note(connection, '!', `the token's allow: ${fault}`);
    }

    #judge(connection: number, number: number, publish: ClientPublish): void {
        try {
            const word = this.#onPublish!(publish);
            if (word === false) return this.#hub.drops(number);
            this.#hub.passes(number, word?.type ?? '', word && 'payload' in word ? forHub(word.payload) : '');
        } catch (error) {
            this.#refuse(error, connection, publish.type, (code, sentence) => this.#hub.refusePublish(number, code, sentence));
        }
    }

    /** Tells the failure of a handler as the server does: a rejection to the client, anything else to the operator. */
    #refuse(error: unknown, connection: number, type: string, tell: (code: string, sentence: string) => void): void {
        if (error instanceof PulsewireError && error.code === 'rejected') return tell('rejected', error.message);
        this.#trace.note(connection, '!', `the handler of ${type} failed: ${error}`);
        tell('handler_failed', `the server's handler of ${type} failed`);
    }

    async #decide(connection: number, number: number, command: AuthorizedCommand): Promise<void> {
        try {
            const word = await this.#authorize!(command);
            if (word === true) return this.#hub.authorized(connection, number, '', '');
            this.#hub.authorized(connection, number, 'forbidden', word || 'the server does not permit this');
        } catch (error) {
            this.#trace.note(connection, '!', `authorize failed: ${error}`);
            this.#hub.authorized(connection, number, 'handler_failed', "the server's handler of permissions failed");
        }
    }

    async #answer(connection: number, id: number, {type, payload, ...from}: {type: string; session: string; user?: string; payload: unknown}): Promise<void> {
        const handler = this.#handlers.get(type);
        if (!handler) return this.#hub.refuseRequest(connection, id, 'no_handler', `no handler for requests of type ${type}`);
        try {
            const answer = forHub((await handler(payload, from)) ?? null);
            this.#hub.answer(connection, id, answer);
        } catch (error) {
            this.#refuse(error, connection, type, (code, sentence) => this.#hub.refuseRequest(connection, id, code, sentence));
        }
    }
}

/** The hub's word about a client, with the payload as a handler gets it. */
function withPayload(text: string): any {
    const {binary, ...told} = JSON.parse(text) as {binary?: boolean; payload?: unknown};
    return {...told, payload: payloadIn({binary: !!binary, payload: told.payload})};
}

function membersOf(options: object): string {
    return Object.entries(options).map(([name, value]) => `,${JSON.stringify(name)}:${JSON.stringify(value)}`).join('');
}
