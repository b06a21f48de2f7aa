import {dataOf, toBase64} from '../base/payload.js';
import type {Path} from './path.js';
import {toUtf8} from './text_bytes.js';

/** The headers of an answer, and its body. */
interface Answer {
    readonly status: number;
    readonly body?: unknown;
}

const channelName = /^[\w\-.:/@~=+$!]{1,255}$/;
const statuses: Readonly<Record<string, number>> = {
    unauthorized: 401, forbidden: 403, key_reused: 409, stale_snapshot: 409, conflict: 409, too_large: 413, rate_limited: 429, overloaded: 503, storage_failed: 503,
    storage_full: 503, state_full: 503, internal: 500, handler_failed: 500,
};

/** fetch() over that path: the client's half over SSE, and the HTTP API (docs/protocol.md sections 8 and 11). */
export function fetchOver(path: Path): typeof fetch {
    return async (input, init = {}) => {
        const asked = typeof input === 'object' && 'url' in input ? input : undefined;
        const url = new URL(asked ? asked.url : String(input));
        const method = init.method ?? asked?.method ?? 'GET';
        const headers = init.headers ?? asked?.headers;
        const connection = headerIn(headers, 'Pulsewire-Connection');
        const isBytes = /^application\/octet-stream *(;|$)/i.test(headerIn(headers, 'Content-Type'));
        const body = method === 'GET' ? '' : isBytes ? publishOf(url, await bytesOf(init.body ?? asked)) : init.body ? String(init.body) : asked ? await asked.text() : '';
        if (!path.online) throw new TypeError('fetch failed');
        const answer = await exchange(path, init.signal ?? asked?.signal, (answered) => {
            if (method === 'POST' && /\/sse$/.test(url.pathname)) return takeFrames(path, connection, body, answered);
            answered(apiAnswer(path, method, url, body));
        });
        return responseOf(answer);
    };
}

/** The bytes of a body that fetch() was given, or of a request that has one. */
async function bytesOf(body: RequestInit['body'] | Request): Promise<Uint8Array> {
    const given = await (body instanceof Object && 'arrayBuffer' in body ? body.arrayBuffer() : body ?? '');
    const data = await dataOf(given);
    // Of what is no bytes that is JSON, where a body is its text.
    return typeof data === 'string' ? toUtf8(String(given)) : data;
}

/** A parameter of a query that says yes or no; another text as it stands, which the hub refuses. */
const flagIn = (value: string) => value === 'true' || (value === 'false' ? false : value);

/** The publish whose payload is the body itself, and whose other members stand in the query (11.1). */
function publishOf(url: URL, bytes: Uint8Array): string {
    const members: Record<string, unknown> = {binary: true, payload: toBase64(bytes)};
    for (const name of ['type', 'key', 'conflate', 'user']) {
        const value = url.searchParams.get(name);
        if (value) members[name] = value;
    }
    const transient = url.searchParams.get('transient');
    if (transient) members.transient = flagIn(transient);
    return JSON.stringify(members);
}

function headerIn(headers: RequestInit['headers'], name: string): string {
    if (!headers) return '';
    const all: [string, string][] = Symbol.iterator in headers ? [...(headers as Iterable<[string, string]>)] : Object.entries(headers);
    return all.find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1] ?? '';
}

/** Environments that imitate a browser for tests, as jsdom does, may have no Response. */
function responseOf({status, body}: Answer): Response {
    const text = body === undefined ? null : JSON.stringify(body);
    const type = 'application/json';
    if (globalThis.Response) return new Response(text, {status, headers: text === null ? {} : {'Content-Type': type}});
    const get = (name: string) => (text !== null && name.toLowerCase() === 'content-type' ? type : null);
    return {ok: status < 300, status, headers: {get}, text: async () => text ?? '', json: async () => JSON.parse(text ?? '')} as unknown as Response;
}

/** There and back, as slowly as the path is. */
function exchange(path: Path, signal: AbortSignal | null | undefined, serve: (answer: (what: Answer) => void) => void): Promise<Answer> {
    return new Promise((resolve, reject) => {
        const end = () => {
            up.end();
            down.end();
            signal?.removeEventListener('abort', abort);
        };
        const abort = () => {
            end();
            reject(signal!.reason);
        };
        const down = path.pipe<Answer>('down', (what) => {
            end();
            resolve(what);
        });
        const up = path.pipe<undefined>('up', () => serve((what) => down.push(what)));
        if (signal?.aborted) return abort();
        signal?.addEventListener('abort', abort);
        up.push(undefined);
    });
}

/** The answer waits until the frames are carried out (8.2). */
function takeFrames(path: Path, secret: string, body: string, answer: (what: Answer) => void): void {
    const connection = path.network.streams.get(secret);
    if (!connection) return answer(refusal(404, 'not_found', 'there is no such connection'));
    connection.take(body, () => answer({status: 204}));
}

function apiAnswer(path: Path, method: string, url: URL, body: string): Answer {
    const {hub} = path.network;
    if (/\/(ws|sse|events)$/.test(url.pathname)) return refusal(426, 'not_supported', 'this address is for WebSockets and event streams');
    const [, name, what] = /\/api\/channels\/([^/]+)\/(messages|presence)$/.exec(url.pathname) ?? [];
    if (!name) return refusal(404, 'not_found', 'there is nothing at this path');
    const channel = decodeURIComponent(name);
    if (!channelName.test(channel)) return refusal(400, 'invalid_channel', 'the channel in the path must have 1 to 255 characters out of A-Z a-z 0-9 _ - . : / @ ~ = + $ !');
    if (method === 'POST' && what === 'messages') return answerOf(hub.publish(channel, body), ({epoch, offset}) => ({channel, ...(epoch && {epoch, offset})}));
    if (method !== 'GET') return refusal(405, 'not_supported', 'the method is not allowed here');
    const command: Record<string, unknown> = {op: what === 'messages' ? 'history' : 'presence', channel};
    for (const [parameter, value] of url.searchParams) command[parameter] = /^\d+$/.test(value) ? Number(value) : flagIn(value);
    return answerOf(hub.query(JSON.stringify(command)), ({epoch, offset, more, missed, payload}) =>
        what === 'messages' ? {channel, epoch, offset, more: !!more, ...(missed && {missed}), messages: payload} : {channel, ...(more && {more}), members: payload});
}

export function statusOf(code: string): number {
    return statuses[code] ?? 400;
}

function answerOf(line: string, found: (frame: Record<string, any>) => unknown): Answer {
    const frame = JSON.parse(line) as Record<string, any>;
    if (frame.op !== 'error') return {status: 200, body: found(frame)};
    return refusal(statusOf(frame.code as string), frame.code as string, frame.message as string, frame.pointer as string | undefined, frame.offset as number | undefined);
}

function refusal(status: number, code: string, message: string, pointer?: string, offset?: number): Answer {
    return {status, body: {error: {code, message, ...(pointer && {pointer}), ...(offset && {offset})}}};
}
