import {checkOptions, flag, positive, type Rules} from './base/check.js';
import {checkType} from './base/names.js';
import type {Channel} from './client/channel.js';
import {Reader} from './stream/reader.js';
import {idRule} from './stream/replies.js';
import type {StreamOptions, StreamReader, StreamsOptions, StreamWriter} from './stream/types.js';
import {checkLease, Writer} from './stream/writer.js';

export type {Reply, StreamOptions, StreamReader, StreamsOptions, StreamWriter} from './stream/types.js';

const writerRules: Rules<StreamOptions> = {id: idRule, type: /^String/, leaseMs: /^Number [\d.]+$/, keep: positive, presence: flag};
const readerRules: Rules<StreamsOptions> = {type: /^String/, keep: positive, presence: flag};

/**
 * Begins a reply that grows piece by piece, in a channel whose namespace keeps state (`state_bytes_max`): readers see it grow, whoever
 * comes late begins with the text so far, and anybody who may publish can ask to stop it. Begins at once; every reply needs its end().
 */
export function stream(channel: Channel<any>, options: StreamOptions = {}): StreamWriter {
    checkOptions(options, writerRules);
    checkType(`${options.type ?? 'stream'}.state`);
    if (options.leaseMs !== undefined) checkLease(options.leaseMs);
    return new Writer(channel, options);
}

/**
 * The replies of a channel, those that grow and those that have ended. The same object for the same channel and type until its close(); the
 * options are those of the first call.
 */
export function streams(channel: Channel<any>, options: StreamsOptions = {}): StreamReader {
    checkOptions(options, readerRules);
    const {type = 'stream'} = options;
    checkType(`${type}.state`);
    const self = channel.self();
    let readers = known.get(self);
    if (!readers) known.set(self, (readers = new Map()));
    let one = readers.get(type);
    if (!one) readers.set(type, (one = new Reader(channel, options, () => readers.delete(type))));
    return one;
}

const known = new WeakMap<Channel<any>, Map<string, Reader>>();
