import type {TokenOptions} from './options.js';

const prefix = 'pulsewire-test.';
const hourMs = 3_600_000;

/** A token that only test servers take: it says whom it shows, and nobody has signed it. */
export function tokenOf({expiresInMs = hourMs, ...shown}: TokenOptions, number: number): string {
    const nowMs = Math.floor(Date.now());
    const text = JSON.stringify({...shown, token_id: `t${number}`, issued_ms: nowMs, expires_ms: nowMs + expiresInMs});
    return prefix + btoa(encodeURIComponent(text)).replaceAll('=', '');
}

/** What the token shows, for the hub; empty: it is none of these. */
export function shownBy(token: string): string {
    return token.startsWith(prefix) ? decodeURIComponent(atob(token.slice(prefix.length))) : '';
}
