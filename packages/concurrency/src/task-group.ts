import { type OpenScope, type Scope, enterScope, openScope } from './scope.ts'

export interface TaskGroupOptions {
  /**
   * How many tasks run at once; further ones wait in the order they came.
   * @default Infinity
   */
  readonly limit?: number
  /** Time for the whole group, in milliseconds. */
  readonly timeoutMs?: number
  /** Ends the group from outside. @default the surrounding scope's signal */
  readonly signal?: AbortSignal
  /** Hears of every failure after the first, which is the one thrown. It must not throw. */
  readonly onSuppressed?: (error: unknown) => void
}

/** Where tasks are started. Every task is owned by its group: none outlives it. */
export interface TaskGroup {
  /** Aborts when a task fails, the time is up or the group is cancelled. */
  readonly signal: AbortSignal
  /** Starts a task, or queues it when `limit` tasks run. The promise is its result; leaving it unawaited is fine. */
  go<T>(task: (scope: Scope) => Promise<T> | T): Promise<T>
  /** Starts a task only if it can start now. */
  tryGo<T>(task: (scope: Scope) => Promise<T> | T): Promise<T> | undefined
}

/**
 * Runs tasks that belong together. The first failure cancels the rest; the call settles when all have ended, with
 * that first failure (later ones go to `onSuppressed`), so nothing runs on behind the caller's back.
 *
 * @throws the first error of a task or of `body`. Queued tasks that never started are rejected with the reason.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { withTaskGroup } from '@plinth/concurrency'
 *
 * const sums = await withTaskGroup({ limit: 2 }, (group) =>
 *   Promise.all([1, 2, 3].map((n) => group.go(async () => n * 2))),
 * )
 * assert.deepEqual(sums, [2, 4, 6])
 * ```
 */
export async function withTaskGroup<T>(
  options: TaskGroupOptions,
  body: (group: TaskGroup) => Promise<T> | T,
): Promise<T> {
  using scope = openScope(options)
  const group = new RunningGroup(scope, options)
  let result: T | undefined
  try {
    result = await enterScope(scope, () => body(group))
  } catch (error) {
    group.fail(error)
  }
  await group.ended()
  if (group.failure) throw group.failure.error
  return result as T
}

interface Queued {
  start(): void
  reject(reason: unknown): void
}

class RunningGroup implements TaskGroup {
  readonly #scope: OpenScope
  readonly #limit: number
  readonly #onSuppressed: ((error: unknown) => void) | undefined
  #running = 0
  #queue: Queued[] = []
  #ended = Promise.withResolvers<void>()
  failure: { error: unknown } | undefined

  constructor(scope: OpenScope, options: TaskGroupOptions) {
    const limit = options.limit ?? Infinity
    if (!(limit >= 1)) throw new RangeError(`Cannot run ${limit} tasks at once: limit is at least 1`)
    this.#scope = scope
    this.#limit = limit
    this.#onSuppressed = options.onSuppressed
    scope.signal.addEventListener('abort', () => this.#rejectQueue(), { once: true })
  }

  get signal(): AbortSignal {
    return this.#scope.signal
  }

  go<T>(task: (scope: Scope) => Promise<T> | T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    // The group itself reports failures; a caller who ignores one task's promise is not a lost rejection.
    promise.catch(() => {})
    const start = () => {
      this.#running++
      this.#run(task).then(resolve, reject)
    }
    if (this.signal.aborted) reject(this.signal.reason)
    else if (this.#running < this.#limit) start()
    else this.#queue.push({ start, reject })
    return promise
  }

  tryGo<T>(task: (scope: Scope) => Promise<T> | T): Promise<T> | undefined {
    return this.#running < this.#limit && !this.signal.aborted ? this.go(task) : undefined
  }

  fail(error: unknown): void {
    if (this.failure) {
      // Tasks that ended because the group was cancelled only repeat the first failure.
      if (error !== this.signal.reason) this.#onSuppressed?.(error)
      return
    }
    this.failure = { error }
    this.#scope.cancel(error)
  }

  ended(): Promise<void> {
    if (this.#running === 0) this.#ended.resolve()
    return this.#ended.promise
  }

  async #run<T>(task: (scope: Scope) => Promise<T> | T): Promise<T> {
    try {
      return await enterScope(this.#scope, () => task(this.#scope))
    } catch (error) {
      this.fail(error)
      throw error
    } finally {
      this.#running--
      this.#queue.shift()?.start()
      if (this.#running === 0) queueMicrotask(() => this.#running === 0 && this.#ended.resolve())
    }
  }

  #rejectQueue(): void {
    const queue = this.#queue
    this.#queue = []
    for (const queued of queue) queued.reject(this.signal.reason)
  }
}
