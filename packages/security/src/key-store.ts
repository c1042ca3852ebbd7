import type { StoredKey } from './signing-key.ts'

/** Makes the next set of keys from the present one, or answers undefined to leave it. Pure: it may run again. */
export type KeyChange = (keys: readonly StoredKey[]) => readonly StoredKey[] | undefined

/**
 * Where signing keys live. Several processes may share one store: a change made by one is seen by the `load` of all
 * others that starts after it.
 */
export interface KeyStore {
  /** All keys, oldest first; empty for a new store. */
  load(): Promise<readonly StoredKey[]>
  /**
   * Applies `change` atomically and durably, and answers what is stored then. When two changes race, one of them runs
   * again on the other's result: none is lost.
   */
  update(change: KeyChange): Promise<readonly StoredKey[]>
}

/** Keys in memory, for tests and for processes whose tokens need not outlive them. */
export function createMemoryKeyStore(): KeyStore {
  let keys: readonly StoredKey[] = []
  return {
    load: async () => keys,
    async update(change) {
      keys = change(keys) ?? keys
      return keys
    },
  }
}
