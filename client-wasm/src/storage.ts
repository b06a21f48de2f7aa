import {amount, callable, check, checkOptions, type Rules} from './base/check.js';
import {BrowserStore} from './storage/browser_store.js';
import {Keeper} from './storage/keeper.js';
import type {KeeperOptions, Store} from './storage/store.js';
import type {ClientStorage} from './client/client_storage.js';

export type {KeeperOptions, Store, StoredMessage} from './storage/store.js';
export type {ClientStorage, StorageWarning, UnsentMessage} from './client/client_storage.js';
export type {Position} from './client/events.js';

/** Options of browserStorage(). */
export interface BrowserStorageOptions extends KeeperOptions {
    /**
     * Keeps what belongs to different users, or different applications of one origin, apart: what was kept under one
     * name is never sent under another.
     * @default 'pulsewire'
     */
    name?: string;
}

const rules: Rules<KeeperOptions> = {maxAgeMs: amount, repeatWithinMs: amount};
const browserRules: Rules<BrowserStorageOptions> = {...rules, name: /^String ./};

/**
 * Keeps unacknowledged messages in IndexedDB and positions in the tab's sessionStorage, for the option `storage` of
 * connect(). Touches nothing before that. Messages of a page that is gone are sent by exactly one other, the one that
 * stands in the same tab first.
 */
export function browserStorage(given: BrowserStorageOptions = {}): ClientStorage {
    checkOptions(given, browserRules);
    const {name = 'pulsewire', ...options} = given;
    return new Keeper(new BrowserStore(name), options);
}

/** The same with a store of your own, for example a file in Node. */
export function customStorage(store: Store, options: KeeperOptions = {}): ClientStorage {
    checkOptions(options, rules);
    for (const call of ['open', 'put', 'remove', 'position', 'savePositions', 'close'] as const) check(`store.${call}`, store?.[call], callable);
    return new Keeper(store, options);
}
