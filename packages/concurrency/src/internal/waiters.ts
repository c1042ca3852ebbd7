interface Waiter<Need, Value> {
  readonly need: Need
  resolve(value: Value): void
  reject(reason: unknown): void
}

/** Callers that wait in the order they came, each until it is woken or its signal aborts. Leaving costs the same anywhere in the row. */
export class Waiters<Need, Value> {
  readonly #row = new Set<Waiter<Need, Value>>()
  readonly #onLeave: () => void

  /** `onLeave` runs after a waiter has given up: those behind it may be able to go on. */
  constructor(onLeave: () => void = () => {}) {
    this.#onLeave = onLeave
  }

  get size(): number {
    return this.#row.size
  }

  /** Waits to be woken. @throws the signal's reason once it aborts. */
  wait(need: Need, signal: AbortSignal): Promise<Value> {
    if (signal.aborted) return Promise.reject(signal.reason)
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#row.delete(waiter)
        reject(signal.reason)
        this.#onLeave()
      }
      const waiter: Waiter<Need, Value> = {
        need,
        resolve(value) {
          signal.removeEventListener('abort', leave)
          resolve(value)
        },
        reject(reason) {
          signal.removeEventListener('abort', leave)
          reject(reason)
        },
      }
      signal.addEventListener('abort', leave, { once: true })
      this.#row.add(waiter)
    })
  }

  /** What the first in the row waits for. */
  peek(): Need | undefined {
    return this.#first()?.need
  }

  /** Wakes the first in the row; whether there was one. */
  wake(value: Value): boolean {
    const first = this.#first()
    if (!first) return false
    this.#row.delete(first)
    first.resolve(value)
    return true
  }

  /** Ends the waiting of all. */
  rejectAll(reason: unknown): void {
    for (const waiter of this.#row) {
      this.#row.delete(waiter)
      waiter.reject(reason)
    }
  }

  #first(): Waiter<Need, Value> | undefined {
    for (const waiter of this.#row) return waiter
    return undefined
  }
}
