import type {Doc} from 'yjs';
import {checkOptions, type Rules} from './base/check.js';
import type {Channel} from './client/channel.js';
import {DocumentProvider} from './yjs/provider.js';
import type {YjsOptions, YjsProvider} from './yjs/types.js';

export type {YjsOptions, YjsProvider} from './yjs/types.js';

const rules: Rules<YjsOptions> = {awareness: /^(Object|Boolean false)/, presence: /^Object/};

/**
 * Keeps a Yjs document the same for all clients of a channel, whose namespace keeps state: changes travel as messages of bytes,
 * a client that comes late begins with a snapshot, and what was changed while the connection was away, or before, is sent
 * when it is back. For editors: `awareness` is that of y-protocols.
 */
export function yjs(channel: Channel<any>, doc: Doc, options: YjsOptions = {}): YjsProvider {
    checkOptions(options, rules);
    return new DocumentProvider(channel, doc, options);
}
