import { Fifo } from './internal/fifo.ts'
import { queueFullError } from './internal/queue-full-error.ts'
import { enterScope, type OpenScope, openScope, type Scope } from './scope.ts'

/** Bounds of a group, and what ends it. */
export interface TaskGroupOptions {
  /**
   * How many tasks run at once, at least 1; further ones wait in the order they came.
   * @default Infinity
   */
  readonly limit?: number
  /** How many tasks may wait for `limit`; one more fails the group. @default 65536 */
  readonly waitingMax?: number
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
  /**
   * Starts a task, or queues it when `limit` tasks run. The promise is its result; leaving it unawaited is fine. A
   * task that comes when the group is cancelled never runs: its promise rejects with the reason.
   *
   * @throws TypeError if the group has ended.
   */
  go<T>(task: (scope: Scope) => Promise<T> | T): Promise<T>
  /** Starts a task only if it can start now. */
  tryGo<T>(task: (scope: Scope) => Promise<T> | T): Promise<T> | undefined
}

/**
 * Runs tasks that belong together. The first failure cancels the rest; the call settles when all have ended, with
 * that first failure (later ones go to `onSuppressed`), so nothing runs on behind the caller's back. A group whose
 * work was cut short never succeeds: if a task could not run, its reason is the group's failure.
 *
 * @throws the first error of a task or of `body`; a `PlatformError` of kind `exhausted` and code
 * `concurrency.queue_full` when more than `waitingMax` tasks wait; RangeError for options out of bounds.
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
  await group.end()
  if (group.failure) throw group.failure.error
  return result as T
}

interface Waiting {
  start(): void
  reject(reason: unknown): void
}

class RunningGroup implements TaskGroup {
  readonly #scope: OpenScope
  readonly #limit: number
  readonly #waitingMax: number
  readonly #onSuppressed: ((error: unknown) => void) | undefined
  readonly #waiting = new Fifo<Waiting>()
  #running = 0
  /** Present once the body has settled: what waits for the last task. */
  #idle: PromiseWithResolvers<void> | undefined
  #hasEnded = false
  failure: { readonly error: unknown } | undefined

  constructor(scope: OpenScope, options: TaskGroupOptions) {
    this.#limit = checkCount('limit', options.limit ?? Infinity, 1)
    this.#waitingMax = checkCount('waitingMax', options.waitingMax ?? 65_536, 0)
    this.#scope = scope
    this.#onSuppressed = options.onSuppressed
    scope.signal.addEventListener('abort', () => this.#rejectWaiting(), { once: true })
  }

  get signal(): AbortSignal {
    return this.#scope.signal
  }

  go<T>(task: (scope: Scope) => Promise<T> | T): Promise<T> {
    if (this.#hasEnded) throw new TypeError('Cannot start a task: its group has ended')
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    // The group itself reports failures; a caller who ignores one task's promise is not a lost rejection.
    promise.catch(() => {})
    if (this.#running >= this.#limit && this.#waiting.size >= this.#waitingMax) {
      this.fail(queueFullError('start a task', this.#waitingMax))
    }
    if (this.signal.aborted) {
      this.failure ??= { error: this.signal.reason }
      reject(this.signal.reason)
      return promise
    }
    const start = () => {
      this.#running++
      void this.#run(task, resolve, reject)
    }
    if (this.#running < this.#limit) start()
    else this.#waiting.push({ start, reject })
    return promise
  }

  tryGo<T>(task: (scope: Scope) => Promise<T> | T): Promise<T> | undefined {
    return this.#running < this.#limit && !this.signal.aborted ? this.go(task) : undefined
  }

  fail(error: unknown): void {
    if (!this.failure) {
      this.failure = { error }
      this.#scope.cancel(error)
    } else if (error !== this.signal.reason && error !== this.failure.error) {
      // Tasks that ended because the group was cancelled only repeat the first failure.
      this.#onSuppressed?.(error)
    }
  }

  /** Waits for the tasks; those that tasks start meanwhile included. After it the group takes no more. */
  async end(): Promise<void> {
    while (this.#running > 0) {
      this.#idle = Promise.withResolvers()
      await this.#idle.promise
    }
    this.#hasEnded = true
  }

  async #run<T>(
    task: (scope: Scope) => Promise<T> | T,
    resolve: (value: T) => void,
    reject: (reason: unknown) => void,
  ): Promise<void> {
    try {
      resolve(await enterScope(this.#scope, () => task(this.#scope)))
    } catch (error) {
      this.fail(error)
      reject(error)
    }
    // Whoever waits for this task may start the next one before the group counts itself idle.
    await undefined
    this.#running--
    if (this.#running < this.#limit) this.#waiting.shift()?.start()
    if (this.#running === 0) this.#idle?.resolve()
  }

  #rejectWaiting(): void {
    const waiting = this.#waiting.drain()
    if (waiting.length > 0) this.failure ??= { error: this.signal.reason }
    for (const { reject } of waiting) reject(this.signal.reason)
  }
}

function checkCount(name: string, value: number, least: number): number {
  if (value !== Infinity && !(Number.isInteger(value) && value >= least)) {
    throw new RangeError(`Cannot open a task group: ${name} is an integer >= ${least}, received ${value}`)
  }
  return value
}
