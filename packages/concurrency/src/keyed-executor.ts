import { PlatformError } from '@plinth/base'
import { queueFullError } from './internal/queue-full-error.ts'
import { Waiters } from './internal/waiters.ts'
import { currentScope } from './scope.ts'
import { createSemaphore, type Semaphore } from './semaphore.ts'

/** Bounds of an executor. */
export interface KeyedExecutorOptions {
  /** How many tasks run at once over all keys. @default Infinity */
  readonly limit?: number
  /** How many tasks may wait for their turn over all keys; one more is refused. @default 65536 */
  readonly waitingMax?: number
}

/** Runs tasks of one key one after the other in the order they came, and tasks of different keys side by side. */
export interface KeyedExecutor<Key> extends AsyncDisposable {
  /**
   * Runs `task` when all earlier tasks of `key` have ended, however they ended. The signal ends the waiting; a task
   * that runs is its own master.
   *
   * @throws what `task` throws; the signal's reason; a `PlatformError` of code `concurrency.queue_full` (kind
   * `exhausted`) or `concurrency.closed` (kind `unavailable`).
   */
  run<T>(key: Key, task: () => Promise<T> | T, options?: { readonly signal?: AbortSignal }): Promise<T>
  /** Tasks that wait for their turn. */
  readonly waiting: number
  /** Keys that have a task running. */
  readonly size: number
}

/**
 * Makes an executor. Disposing it takes no more tasks and waits for all that were taken.
 *
 * @throws RangeError if an option is out of bounds.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createKeyedExecutor } from '@plinth/concurrency'
 *
 * const seen: number[] = []
 * {
 *   await using executor = createKeyedExecutor<string>()
 *   for (const n of [1, 2, 3]) void executor.run('order-1', async () => seen.push(n))
 * }
 * assert.deepEqual(seen, [1, 2, 3])
 * ```
 */
export function createKeyedExecutor<Key>(options: KeyedExecutorOptions = {}): KeyedExecutor<Key> {
  const { limit = Infinity, waitingMax = 65_536 } = options
  if (!(waitingMax >= 0)) {
    throw new RangeError(`Cannot make an executor: waitingMax is at least 0, received ${waitingMax}`)
  }
  return new LaneExecutor(limit === Infinity ? undefined : createSemaphore({ permits: limit }), waitingMax)
}

/** The tasks of a key that wait behind the one that runs; each is woken when its turn has come. */
type Lane = Waiters<undefined, undefined>

class LaneExecutor<Key> implements KeyedExecutor<Key> {
  readonly #semaphore: Semaphore | undefined
  readonly #waitingMax: number
  readonly #lanes = new Map<Key, Lane>()
  #closing: PromiseWithResolvers<void> | undefined
  waiting = 0

  constructor(semaphore: Semaphore | undefined, waitingMax: number) {
    this.#semaphore = semaphore
    this.#waitingMax = waitingMax
  }

  get size(): number {
    return this.#lanes.size
  }

  async run<T>(
    key: Key,
    task: () => Promise<T> | T,
    { signal = currentScope().signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<T> {
    if (this.#closing) {
      throw new PlatformError('Cannot run a task: the executor is closed', {
        kind: 'unavailable',
        code: 'concurrency.closed',
      })
    }
    signal.throwIfAborted()
    await this.#turn(key, signal)
    try {
      if (!this.#semaphore) return await task()
      return await this.#semaphore.run(task, { signal })
    } finally {
      this.#next(key)
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= Promise.withResolvers()
    if (this.#lanes.size === 0) this.#closing.resolve()
    return this.#closing.promise
  }

  async #turn(key: Key, signal: AbortSignal): Promise<void> {
    const lane = this.#lanes.get(key)
    if (!lane) {
      this.#lanes.set(key, new Waiters())
      return
    }
    if (this.waiting >= this.#waitingMax) throw queueFullError('run a task', this.#waitingMax)
    this.waiting++
    try {
      await lane.wait(undefined, signal)
    } finally {
      this.waiting--
    }
  }

  #next(key: Key): void {
    if (this.#lanes.get(key)?.wake(undefined)) return
    this.#lanes.delete(key)
    if (this.#lanes.size === 0) this.#closing?.resolve()
  }
}
