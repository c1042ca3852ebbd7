/** A bounded map that forgets what has expired and, when full, what was used longest ago. */
export interface ExpiringLru<V> {
  get(key: string, nowMs: number): V | undefined
  set(key: string, value: V, expiresAtMs: number): void
  clear(): void
  readonly size: number
}

interface Entry<V> {
  readonly value: V
  readonly expiresAtMs: number
}

export function createExpiringLru<V>(capacity: number): ExpiringLru<V> {
  // Two generations instead of a list: a hit in the old one moves the entry to the young one, and when the young one
  // is full it becomes the old one. Hits in the young one, nearly all, cost one lookup and move nothing.
  const half = Math.max(1, Math.ceil(capacity / 2))
  let young = new Map<string, Entry<V>>()
  let old = new Map<string, Entry<V>>()

  function put(key: string, entry: Entry<V>): void {
    if (young.size >= half && !young.has(key)) {
      old = young
      young = new Map()
    }
    young.set(key, entry)
  }

  return {
    get(key, nowMs) {
      let entry = young.get(key)
      if (!entry) {
        entry = old.get(key)
        if (!entry) return undefined
        old.delete(key)
        if (entry.expiresAtMs > nowMs) put(key, entry)
      }
      if (entry.expiresAtMs > nowMs) return entry.value
      young.delete(key)
      return undefined
    },
    set(key, value, expiresAtMs) {
      old.delete(key)
      put(key, { value, expiresAtMs })
    },
    clear() {
      young = new Map()
      old = new Map()
    },
    get size() {
      return young.size + old.size
    },
  }
}
