import {callable, check, checkOptions, type Rules} from './base/check.js';
import {checkType} from './base/names.js';
import type {Channel} from './client/channel.js';
import type {AnyMessages} from './client/options.js';
import {KeyedStore} from './state/keyed_store.js';
import {MapStore} from './state/map_store.js';
import {ReducedState} from './state/state_store.js';
import type {KeyedOptions, MapOptions, SharedMap, StateOptions, StateStore} from './state/types.js';

export type {KeyedOptions, MapOptions, SharedMap, StateOptions, StateSnapshot, StateStore} from './state/types.js';

const stateRules: Rules<StateOptions<any, any>> = {initial: /^/, reduce: callable, snapshot: /^Object/, from: {value: /^/, position: /^Object/}};
const mapRules: Rules<MapOptions> = {type: /^String/};

/**
 * A state that `reduce` makes of all messages of a channel, for a namespace that keeps state (`state_bytes_max`): a client
 * that comes late begins with the newest snapshot and what came after it, and one that was away goes on where it was, or
 * begins anew where the server has only a newer snapshot; until that is whole the state before it is shown. Begins at once,
 * and goes on until close().
 */
export function state<S, M extends object = AnyMessages>(channel: Channel<M>, options: StateOptions<S, M>): StateStore<S> {
    checkOptions(options, stateRules);
    check('reduce', options.reduce, callable);
    const {snapshot} = options;
    if (snapshot) {
        checkType(snapshot.type);
        for (const call of ['save', 'load'] as const) if (snapshot[call]) check(`snapshot.${call}`, snapshot[call], callable);
    }
    return new ReducedState(channel, options);
}

/**
 * A map of values by key that all clients of a channel share, for a namespace that keeps state: what a client sets is shown
 * to it at once and undone if the server refuses it. Of two changes of a key the later one counts, as the server has put them
 * in order. The same object for the same channel and type until its close().
 */
export function map<T = unknown>(channel: Channel<any>, options: MapOptions = {}): SharedMap<T> {
    checkOptions(options, mapRules);
    const {type = 'map'} = options;
    checkType(`${type}.state`);
    return onceFor(channel, `map ${type}`, (ended) => new MapStore<T>(channel, type, ended));
}

/**
 * The newest message of each key of a channel whose namespace is `keyed`: the server keeps them, and makes the snapshots
 * itself. The keys are what the messages are the latest of (`conflate`, or else their type), whoever published them: a page, a
 * backend or a device. Otherwise it is a map() whose keys are 1 to 64 of `A-Z a-z 0-9 _ - . :` and whose values are not null.
 */
export function keyed<T = unknown>(channel: Channel<any>, options: KeyedOptions = {}): SharedMap<T> {
    checkOptions(options, mapRules);
    const {type = 'value'} = options;
    checkType(type);
    return onceFor(channel, `keyed ${type}`, (ended) => new KeyedStore<T>(channel, type, ended));
}

const known = new WeakMap<Channel<any>, Map<string, SharedMap<any>>>();

/** The same one for the same channel and name, until it has ended. */
function onceFor<T>(channel: Channel<any>, name: string, make: (ended: () => void) => SharedMap<T>): SharedMap<T> {
    const self = channel.self();
    let all = known.get(self);
    if (!all) known.set(self, (all = new Map()));
    let one = all.get(name);
    if (!one) all.set(name, (one = make(() => all.delete(name))));
    return one;
}
