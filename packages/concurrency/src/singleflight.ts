import { Waiters } from './internal/waiters.ts'
import { cancelledError, currentScope, enterScope } from './scope.ts'

/** What ends one caller's part in a flight. */
export interface FlightOptions {
  /** Ends this caller's waiting, not the work, unless it was the last caller. @default the surrounding scope's signal */
  readonly signal?: AbortSignal
}

/** Joins calls for the same key that come while one is under way: the work runs once, all get its outcome. */
export interface Singleflight<Key, Value> {
  /**
   * Joins the flight of `key`, or starts it with `work`. The work runs outside the scope of whoever started it: it
   * has no deadline but its own, and its signal aborts when every caller has left. What it throws, all who wait get.
   *
   * @throws what `work` throws, or the caller's own signal's reason.
   */
  run(key: Key, work: (signal: AbortSignal) => Promise<Value> | Value, options?: FlightOptions): Promise<Value>
  /** Lets the next call start anew; those who wait keep waiting for the old flight. */
  forget(key: Key): void
  /** How many flights are under way. Each has a caller who waits, unless it was forgotten. */
  readonly size: number
}

/**
 * Makes a singleflight. Keys are compared as `Map` does.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createSingleflight } from '@plinth/concurrency'
 *
 * let loads = 0
 * const flights = createSingleflight<string, number>()
 * const load = async () => ++loads
 * assert.deepEqual(await Promise.all([flights.run('a', load), flights.run('a', load)]), [1, 1])
 * ```
 */
export function createSingleflight<Key, Value>(): Singleflight<Key, Value> {
  const flights = new Map<Key, Flight<Value>>()
  return {
    run(key, work, { signal = currentScope().signal } = {}) {
      if (signal.aborted) return Promise.reject(signal.reason)
      let flight = flights.get(key)
      if (!flight) {
        const started = new Flight<Value>(() => {
          if (flights.get(key) === started) flights.delete(key)
        })
        flights.set(key, started)
        started.start(work)
        flight = started
      }
      return flight.join(signal)
    },
    forget(key) {
      flights.delete(key)
    },
    get size() {
      return flights.size
    },
  }
}

class Flight<Value> {
  readonly #controller = new AbortController()
  readonly #onEnd: () => void
  readonly #waiters: Waiters<undefined, Value>

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd
    this.#waiters = new Waiters(() => {
      if (this.#waiters.size > 0) return
      // Leaving the map first: whoever comes now must not join work that is being cancelled.
      onEnd()
      this.#controller.abort(cancelledError())
    })
  }

  join(signal: AbortSignal): Promise<Value> {
    return this.#waiters.wait(undefined, signal)
  }

  start(work: (signal: AbortSignal) => Promise<Value> | Value): void {
    const { signal } = this.#controller
    const { clock } = currentScope()
    const scope = { signal, deadlineMs: Infinity, remainingMs: () => Infinity, ...(clock && { clock }) }
    // A throw of the work itself, before its first await, is an outcome like any other.
    const outcome = enterScope(scope, async () => work(signal))
    outcome.then(
      (value) => {
        this.#onEnd()
        while (this.#waiters.wake(value));
      },
      (error: unknown) => {
        this.#onEnd()
        this.#waiters.rejectAll(error)
      },
    )
  }
}
