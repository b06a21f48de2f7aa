import type {CloseReason} from '../client/events.js';
import type {Endpoints} from './transports.js';

/** The part of a reason that is found out when no transport opened. */
export type Found = Pick<CloseReason, 'message' | 'problem' | 'status'>;

const answerMsMax = 4000;
const sentenceMax = 200;

/**
 * Asks the address that could not be opened by an ordinary request, since transports tell pages nothing: finds the status
 * and the sentence of a refusal. Undefined where there is nothing to be said, as when the server is there again.
 */
export async function findWhy({websocketUrl, sseUrl, fetch}: Endpoints, sse: boolean): Promise<Found | undefined> {
    const page: Location | undefined = globalThis.location;
    const own = websocketUrl.replace(/^ws/, 'http');
    const address = sse ? sseUrl : own;
    const [origin, protocol, hostname] = /^(\w+:)\/\/(\[.*\]|[^:/]*)[^/]*/.exec(address)! as unknown as string[];
    if (page?.protocol === 'https:' && protocol === 'http:' && !/^(localhost|127\..*|\[::1\])$/.test(hostname!)) {
        return {problem: 'mixed_content', message: `This page is secure (https:), so the browser does not let it use ${origin}: give the server https: too, and name it so.`};
    }
    let policy = false;
    const forbidden = () => void (policy = true);
    globalThis.document?.addEventListener('securitypolicyviolation', forbidden);
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), answerMsMax);
    const ask = (url: string, init?: RequestInit) => fetch(url, {signal: stop.signal, cache: 'no-store', ...init});
    try {
        const response = await ask(address).catch((error) => {
            if (stop.signal.aborted) throw error;
            return ask(sseUrl);
        });
        return await fromAnswer(response, address, sse, async () => {
            // Browsers name a page's origin to its own server only in requests that may change something.
            if (page?.origin !== origin) return undefined;
            const posted = await ask(sseUrl, {method: 'POST'});
            return posted.status === 403 ? refused(sseUrl, 403, (await sentenceOf(posted, '')).sentence) : undefined;
        });
    } catch (error) {
        if (stop.signal.aborted) {
            return {problem: 'no_answer', message: `${origin} did not answer in time. Over HTTP/1.1 a browser opens six connections to a server: other tabs with event streams may hold them all, which HTTP/2 at a proxy cures.`};
        }
        // A page may not read the answer, or there is none.
        const answers = page && page.origin !== origin && await ask(sseUrl, {mode: 'no-cors'}).then(() => true, () => false);
        if (policy) return {problem: 'policy', message: `The Content-Security-Policy of this page keeps it from ${origin}: connect-src has to name it, both as ${origin} and as ${origin!.replace('http', 'ws')}.`};
        if (!answers) return unreachable(origin!, error);
        return {
            problem: 'origin_refused',
            message: `${origin} answers, but not to pages of ${page.origin}: where it is a Pulsewire, its operator can list this origin with --allow-origin (allowed_origins).`,
        };
    } finally {
        globalThis.document?.removeEventListener('securitypolicyviolation', forbidden);
        clearTimeout(timer);
        // An event stream would stay.
        stop.abort();
    }
}

/** `refusedPost`: why requests other than this one are refused, if they are. */
async function fromAnswer(
    response: Response, address: string, sse: boolean, refusedPost: () => Promise<Found | undefined>,
): Promise<Found | undefined> {
    const {status, headers} = response;
    const type = headers.get('Content-Type') ?? '';
    if (type.startsWith('text/event-stream')) return (await refusedPost()) ?? (sse ? undefined : blocked(address));
    const {sentence, ours} = await sentenceOf(response, type);
    if (status === 426 && ours) return (await refusedPost()) ?? blocked(address);
    if (status < 400 || (status === 404 && !ours)) {
        return {problem: 'not_pulsewire', status, message: `There is no Pulsewire at ${address}: the answer is ${status}, ${type || 'without a type'}.`};
    }
    return refused(address, status, sentence);
}

/** The sentence of a refusal, and whether the server itself wrote it. */
async function sentenceOf(response: Response, type: string): Promise<{sentence: string; ours: boolean}> {
    const text = await response.text();
    try {
        return {sentence: JSON.parse(text).error.message, ours: true};
    } catch {
        return {sentence: type.startsWith('text/plain') ? text : '', ours: false};
    }
}

function refused(address: string, status: number, sentence: string): Found {
    return {problem: 'refused', status, message: `${address} answered ${status}${sentence && `: ${sentence.slice(0, sentenceMax)}`}`};
}

/** Node says what failed, browsers do not. */
function unreachable(origin: string, error: any): Found {
    const why = error?.cause?.message ?? (globalThis.navigator?.onLine === false ? 'this machine is offline' : 'nothing answers; the server or the network is away, or the port is another one');
    return {problem: 'unreachable', message: `${origin} cannot be reached: ${why}.`};
}

function blocked(address: string): Found {
    return {problem: 'websocket_blocked', message: `The server answers at ${address}, but no WebSocket gets through to it: a proxy on the way has to pass Upgrade on, and a Content-Security-Policy of the page to name ${address.replace(/^http/, 'ws')}.`};
}
