import type { Order } from '../domain/order.ts'
import type { OrderFeed } from '../usecases/ports.ts'

interface Watcher {
  newest: Order | undefined
  wake: () => void
}

/**
 * Carries changes from the use cases to the watchers in this process. A slow reader gets the newest state, not a
 * backlog: each watcher holds one order at most.
 */
export function createMemoryOrderFeed(): OrderFeed {
  const watchers = new Map<string, Set<Watcher>>()
  return {
    publish(order) {
      for (const watcher of watchers.get(order.orderId) ?? []) {
        watcher.newest = order
        watcher.wake()
      }
    },
    watch(orderId) {
      const watcher: Watcher = { newest: undefined, wake: () => {} }
      const group = watchers.getOrInsertComputed(orderId, () => new Set())
      group.add(watcher)
      return {
        next: (signal) => nextState(watcher, signal),
        [Symbol.dispose]() {
          group.delete(watcher)
          if (group.size === 0) watchers.delete(orderId)
        },
      }
    },
  } satisfies OrderFeed
}

async function nextState(watcher: Watcher, signal: AbortSignal): Promise<Order | undefined> {
  while (!watcher.newest && !signal.aborted) {
    const { promise, resolve } = Promise.withResolvers<void>()
    const wake = () => resolve()
    watcher.wake = wake
    signal.addEventListener('abort', wake, { once: true })
    await promise
    signal.removeEventListener('abort', wake)
  }
  const order = watcher.newest
  watcher.newest = undefined
  return signal.aborted ? undefined : order
}
