import type {CloseReason, ConnectionState} from '../client/events.js';

/** Where the lines go: true, or what `localStorage` says, is the console. */
export type DebugOption = unknown;

/** Something that happened, with performance.now() of that moment. */
export type DebugEvent = [at: number, ...(DebugFrame | DebugState | DebugTransport)];
/** A message with one frame or several, which came in or left. */
type DebugFrame = [direction: '←' | '→', text: string, attempt: number];
type DebugState = [sign: '●', state: ConnectionState];
/** A transport is opened at this address, or has ended with this close code. */
type DebugTransport = [sign: '○' | '×', addressOrCode: string | number, attempt: number];

/** The events that are kept until there is somebody to print them; the session pushes them. */
export interface DebugEvents {
    length: number;
    push(event: DebugEvent): unknown;
}

const textMax = 300;
const encoder = new TextEncoder();
let clients = 0;

/** Prints what was kept, and from now on each event as it comes: `debug` of connect() takes the lines, or the console. */
export function printDebug(kept: DebugEvent[], debug: DebugOption): void {
    const client = ++clients;
    const transports = new Map<number, string>();
    const begin = kept[0]?.[0] ?? performance.now();
    const print = (at: number, text: string) => {
        const line = `pulsewire ${client} +${Math.round(at - begin)} ms ${text}`;
        try {
            if (typeof debug === 'function') debug(line);
            else console.debug(line);
        } catch (error) {
            console.error('debug', error);
        }
    };
    const take = (event: DebugEvent) => {
        const [at, sign, told, attempt] = event;
        if (sign === '●') return print(at, `● ${ofState(told)}`);
        const transport = transports.get(attempt) ?? '';
        if (sign === '○') {
            transports.set(attempt, /^ws/.test(String(told)) ? 'websocket' : 'sse');
            return print(at, `○ ${transports.get(attempt)} to ${told}`);
        }
        if (sign === '×') {
            transports.delete(attempt);
            return print(at, `× ${transport} ended with ${told}`);
        }
        for (const line of String(told).split('\n')) print(at, `${sign} ${transport} ${encoder.encode(line).length} B ${shown(line)}`);
    };
    for (const event of kept.splice(0)) take(event);
    kept.push = (...events) => {
        events.forEach(take);
        return 0;
    };
}

/** A frame as far as it is shown; whoever has a proof of who the client is could take its place, so those are left out. */
function shown(line: string): string {
    const text = line
        .replace(/^({"op":"connect",.*?"session":")[^"]*/, '$1…')
        .replace(/^({"op":"(?:connect|refresh)",.*?"token":")[^"]*/, '$1…')
        .replace(/^({"op":"(?:welcome|stream)",.*?"connection":")[^"]*/, '$1…');
    return text.length > textMax ? `${text.slice(0, textMax)}… (${text.length} characters)` : text;
}

function ofState(state: ConnectionState): string {
    const why = (reason: CloseReason) => `${reason.name} (${reason.code}): ${reason.message}${reason.problem ? ` [${reason.problem}]` : ''}`;
    switch (state.name) {
        case 'connecting':
            return `connecting over ${state.transport}, attempt ${state.attempt}`;
        case 'open':
            return `open over ${state.transport}, session ${state.session}`;
        case 'waiting':
            return `waiting, next attempt in ${state.retryInMs} ms after ${state.attempt} failed: ${why(state.reason)}`;
        case 'closed':
            return `closed: ${why(state.reason)}`;
    }
}
