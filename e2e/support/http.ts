// HTTP without a browser, as curl does it: a connection of its own for each request, no header that was not asked for.

import {request as send, type IncomingHttpHeaders} from 'node:http';
import {request as sendSecurely} from 'node:https';
import {soon} from './soon.ts';

export interface Answer {
    status: number;
    headers: IncomingHttpHeaders;
    text: string;
    json: any;
}

export interface Asked {
    method?: string;
    headers?: Record<string, string>;
    body?: string | object;
}

export function request(url: string, {method, headers = {}, body}: Asked = {}): Promise<Answer> {
    const content = typeof body === 'object' ? JSON.stringify(body) : body;
    return soon(new Promise((answered, failed) => {
        // The tests' certificates are signed by themselves.
        const [sender, trust] = url.startsWith('https:') ? [sendSecurely, {rejectUnauthorized: false}] : [send, {}];
        const sent = sender(url, {
            ...trust, method: method ?? (content === undefined ? 'GET' : 'POST'), agent: false,
            headers: {...(content === undefined ? {} : {'content-length': String(Buffer.byteLength(content))}), ...headers},
        }, (response) => {
            let text = '';
            response.setEncoding('utf8').on('data', (part: string) => { text += part; }).on('error', failed).on('end', () => {
                answered({
                    status: response.statusCode!, headers: response.headers, text,
                    get json() { return JSON.parse(text); },
                });
            });
        });
        sent.on('error', failed);
        sent.end(content);
    }), `answer to ${method ?? 'a request'} of ${url}`);
}

/** Publishes over the HTTP API (11.1) and returns the position. */
export async function publish(
    origin: string, channel: string, payload: unknown, rest: {type?: string; key?: string; conflate?: string; transient?: boolean} = {},
    headers: Record<string, string> = {},
): Promise<{channel: string; epoch: string; offset: number}> {
    const answer = await request(`${origin}/api/channels/${channel}/messages`, {
        headers: {'content-type': 'application/json', ...headers}, body: {...rest, payload},
    });
    if (answer.status !== 200) throw new Error(`publishing was answered by ${answer.status}: ${answer.text}`);
    return answer.json;
}

export interface Kept {
    type: string;
    channel: string;
    offset: number;
    time: number;
    payload: unknown;
}

/** The messages that the server keeps of a channel, old to new (11.2). */
export async function history(origin: string, channel: string): Promise<{epoch: string; offset: number; messages: Kept[]}> {
    const answer = await request(`${origin}/api/channels/${channel}/messages?limit=300`);
    if (answer.status !== 200) throw new Error(`history was answered by ${answer.status}: ${answer.text}`);
    return answer.json;
}
