import { queueFullError } from './internal/queue-full-error.ts'
import { Waiters } from './internal/waiters.ts'
import { currentScope } from './scope.ts'

/** Bounds of a semaphore. */
export interface SemaphoreOptions {
  /** How much may be taken at once: an integer from 1. */
  readonly permits: number
  /** How many callers may wait; one more is refused. @default 65536 */
  readonly waitingMax?: number
}

/** How much a caller takes, and how long it waits. */
export interface AcquireOptions {
  /** How many permits to take, from 1 to all of them. @default 1 */
  readonly weight?: number
  /** Ends the waiting. @default the surrounding scope's signal */
  readonly signal?: AbortSignal
}

/** Permits that are held. Disposing gives them back; a second time does nothing. */
export interface Permit extends Disposable {
  readonly weight: number
}

/** Bounds how much happens at once. Callers get their permits in the order they came, whatever their weight. */
export interface Semaphore {
  /**
   * Waits for permits.
   *
   * @throws the signal's reason; a `PlatformError` of kind `exhausted`, code `concurrency.queue_full`; RangeError for
   * a weight nobody can ever get.
   */
  acquire(options?: AcquireOptions): Promise<Permit>
  /** Takes permits if they are free and nobody waits for them. */
  tryAcquire(weight?: number): Permit | undefined
  /** Runs `work` while holding permits. */
  run<T>(work: () => Promise<T> | T, options?: AcquireOptions): Promise<T>
  readonly available: number
  readonly waiting: number
}

/**
 * Makes a semaphore.
 *
 * @throws RangeError if an option is out of bounds.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createSemaphore } from '@plinth/concurrency'
 *
 * const semaphore = createSemaphore({ permits: 2 })
 * {
 *   using permit = await semaphore.acquire({ weight: 2 })
 *   assert.equal(semaphore.tryAcquire(), undefined)
 * }
 * assert.equal(semaphore.available, 2)
 * ```
 */
export function createSemaphore(options: SemaphoreOptions): Semaphore {
  const { permits, waitingMax = 65_536 } = options
  if (!Number.isSafeInteger(permits) || permits < 1) {
    throw new RangeError(`Cannot make a semaphore: permits is an integer >= 1, received ${permits}`)
  }
  if (!(waitingMax >= 0)) {
    throw new RangeError(`Cannot make a semaphore: waitingMax is at least 0, received ${waitingMax}`)
  }
  let available = permits
  const waiters = new Waiters<number, Permit>(grant)

  function grant(): void {
    for (let weight = waiters.peek(); weight !== undefined && weight <= available; weight = waiters.peek()) {
      waiters.wake(take(weight))
    }
  }

  function take(weight: number): Permit {
    available -= weight
    let isHeld = true
    return {
      weight,
      [Symbol.dispose]() {
        if (!isHeld) return
        isHeld = false
        available += weight
        grant()
      },
    }
  }

  function tryAcquire(weight = 1): Permit | undefined {
    if (!Number.isSafeInteger(weight) || weight < 1 || weight > permits) {
      throw new RangeError(`Cannot acquire ${weight} permits: the weight is an integer from 1 to ${permits}`)
    }
    return waiters.size === 0 && weight <= available ? take(weight) : undefined
  }

  async function acquire({ weight = 1, signal = currentScope().signal }: AcquireOptions = {}): Promise<Permit> {
    signal.throwIfAborted()
    const permit = tryAcquire(weight)
    if (permit) return permit
    if (waiters.size >= waitingMax) throw queueFullError('acquire permits', waitingMax)
    return waiters.wait(weight, signal)
  }

  return {
    acquire,
    tryAcquire,
    async run(work, acquireOptions) {
      using _permit = await acquire(acquireOptions)
      return await work()
    },
    get available() {
      return available
    },
    get waiting() {
      return waiters.size
    },
  }
}
