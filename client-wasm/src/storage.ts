import {amount, callable, check, checkOptions, type Rules} from './base/check.js';
import {BrowserStore, deleteStored} from './storage/browser_store.js';
import {Keeper} from './storage/keeper.js';
import type {KeeperOptions, Store} from './storage/store.js';
import type {ClientStorage} from './client/client_storage.js';

export type {KeeperOptions, Store, StoredMessage, StoredPosition} from './storage/store.js';
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

/**
 * Deletes what browserStorage() keeps under a name: messages that were not sent, for every server, and this tab's
 * positions and session. For the end of a user's stay, after `client.close()`; a client of that name that is still open
 * tells by 'storage' that it keeps nothing any more. Rejects where the browser cannot delete.
 */
export async function clearBrowserStorage({name = 'pulsewire'}: Pick<BrowserStorageOptions, 'name'> = {}): Promise<void> {
    checkOptions({name}, browserRules);
    await deleteStored(name);
}

/** The same with a store of your own, for example a file in Node. */
export function customStorage(store: Store, options: KeeperOptions = {}): ClientStorage {
    checkOptions(options, rules);
    for (const call of ['open', 'put', 'remove', 'position', 'savePositions', 'close'] as const) check(`store.${call}`, store?.[call], callable);
    return new Keeper(store, options);
}
