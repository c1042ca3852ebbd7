import { type Clock, PlatformError, type Timer } from '@plinth/base'

export interface TurnstileOptions {
  /** For messages: whose places these are. */
  readonly store: string
  readonly clock: Clock
  /** How many may be inside at once. */
  readonly places: number
  readonly queueMax: number
  /** The longest wait in the queue, in milliseconds. */
  readonly waitMs: number
}

interface Waiter {
  readonly weight: number
  readonly admit: () => void
  readonly turnAway: (reason: unknown) => void
}

/** Lets a bounded number in; the others wait in order, a bounded number of them and for a bounded time. */
export class Turnstile {
  readonly #options: TurnstileOptions
  readonly #waiting = new Set<Waiter>()
  #inside = 0
  #empty: (() => void) | undefined

  constructor(options: TurnstileOptions) {
    this.#options = options
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /**
   * Takes a place; whoever holds one gives it back with {@link leave}. A `weight` of all places is to be alone.
   *
   * @throws PlatformError `data.queue_full` when too many wait, `data.pool_exhausted` after `waitMs`; the signal's
   * reason when it aborts first.
   */
  enter(signal: AbortSignal, weight = 1): Promise<void> | undefined {
    signal.throwIfAborted()
    if (this.#waiting.size === 0 && this.#inside + weight <= this.#options.places) {
      this.#inside += weight
      return undefined
    }
    if (this.#waiting.size >= this.#options.queueMax) throw this.#refusal('data.queue_full')
    return this.#wait(signal, weight)
  }

  leave(weight = 1): void {
    this.#inside -= weight
    this.#admit()
    if (this.#inside === 0) this.#empty?.()
  }

  /** Settles when nobody is inside; those who wait come in first. */
  async emptied(): Promise<void> {
    if (this.#inside === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#empty = resolve
    await promise
  }

  /** Strictly in order: a heavy one at the head is not overtaken, so it gets in. */
  #admit(): void {
    for (const waiter of this.#waiting) {
      if (this.#inside + waiter.weight > this.#options.places) return
      this.#inside += waiter.weight
      waiter.admit()
    }
  }

  #wait(signal: AbortSignal, weight: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let timer: Timer | undefined
      const leaveQueue = () => {
        this.#waiting.delete(waiter)
        timer?.cancel()
        signal.removeEventListener('abort', onAbort)
      }
      const waiter: Waiter = {
        weight,
        admit: () => {
          leaveQueue()
          resolve()
        },
        turnAway: (reason) => {
          leaveQueue()
          reject(reason)
          // Those behind may fit where this one did not.
          this.#admit()
        },
      }
      const onAbort = () => waiter.turnAway(signal.reason)
      signal.addEventListener('abort', onAbort, { once: true })
      timer = this.#options.clock.setTimer(
        () => waiter.turnAway(this.#refusal('data.pool_exhausted')),
        this.#options.waitMs,
      )
      this.#waiting.add(waiter)
    })
  }

  #refusal(code: 'data.queue_full' | 'data.pool_exhausted'): PlatformError {
    const { store, places, queueMax, waitMs } = this.#options
    const why =
      code === 'data.queue_full' ? `${queueMax} calls wait already` : `all ${places} stayed in use for ${waitMs} ms`
    return new PlatformError(`Cannot take a connection of the store "${store}": ${why}`, {
      kind: 'exhausted',
      code,
      retryAfterMs: 250,
      details: { places, queueMax, waitMs },
    })
  }
}

/** The fault of a store that is closing or closed. */
export function closedError(store: string): PlatformError {
  return new PlatformError(`Cannot use the store "${store}": it is closed`, {
    kind: 'unavailable',
    code: 'data.closed',
    retryable: false,
  })
}
