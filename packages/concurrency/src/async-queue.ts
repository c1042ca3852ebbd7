import { PlatformError } from '@plinth/base'
import { Fifo } from './internal/fifo.ts'
import { Waiters } from './internal/waiters.ts'
import { currentScope } from './scope.ts'

/** The bound of a queue. */
export interface AsyncQueueOptions {
  /** Items the queue holds: an integer from 1. */
  readonly capacity: number
}

interface WaitOptions {
  /** Ends the waiting. @default the surrounding scope's signal */
  readonly signal?: AbortSignal
}

/**
 * Hands items from those who make them to those who use them, in order, each item to one taker. A full queue makes
 * whoever puts wait, so a slow taker slows its maker instead of filling the memory.
 *
 * Iterating takes items until the queue is closed and empty; several loops may share the work.
 */
export interface AsyncQueue<T extends {}> extends AsyncIterable<T> {
  /**
   * Puts an item, waiting for room.
   * @throws a `PlatformError` of kind `unavailable`, code `concurrency.closed`, once the queue is closed; the
   * signal's reason. In both cases the item was not put.
   */
  put(item: T, options?: WaitOptions): Promise<void>
  /** Puts an item if there is room; never once the queue is closed. */
  tryPut(item: T): boolean
  /**
   * Takes the oldest item, waiting for one; `undefined` when the queue is closed and empty.
   * @throws the error the queue was closed with, once it is empty; the signal's reason.
   */
  take(options?: WaitOptions): Promise<T | undefined>
  /** Takes the oldest item if there is one. */
  tryTake(): T | undefined
  /** Ends the queue: nothing more goes in, what is in comes out still, then takers end, with `error` if given. */
  close(error?: unknown): void
  /** Items held. */
  readonly size: number
  readonly isClosed: boolean
}

/**
 * Makes a queue.
 *
 * @throws RangeError if `capacity` is out of bounds.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { createAsyncQueue } from '@plinth/concurrency'
 *
 * const queue = createAsyncQueue<number>({ capacity: 2 })
 * await queue.put(1)
 * await queue.put(2)
 * assert.equal(queue.tryPut(3), false)
 * queue.close()
 * assert.deepEqual(await Array.fromAsync(queue), [1, 2])
 * ```
 */
export function createAsyncQueue<T extends {}>(options: AsyncQueueOptions): AsyncQueue<T> {
  const { capacity } = options
  if (!Number.isSafeInteger(capacity) || capacity < 1) {
    throw new RangeError(`Cannot make a queue: capacity is an integer >= 1, received ${capacity}`)
  }
  return new BoundedQueue<T>(capacity)
}

class BoundedQueue<T extends {}> implements AsyncQueue<T> {
  readonly #capacity: number
  readonly #items = new Fifo<T>()
  readonly #makers = new Waiters<T, void>()
  readonly #takers = new Waiters<undefined, T | undefined>()
  #closed: { readonly error: unknown } | undefined

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#items.size
  }

  get isClosed(): boolean {
    return this.#closed !== undefined
  }

  async put(item: T, { signal = currentScope().signal }: WaitOptions = {}): Promise<void> {
    signal.throwIfAborted()
    if (this.#closed) throw closedError()
    if (!this.tryPut(item)) await this.#makers.wait(item, signal)
  }

  tryPut(item: T): boolean {
    if (this.#closed) return false
    // Takers wait only while there is nothing to take.
    if (this.#takers.wake(item)) return true
    if (this.#items.size >= this.#capacity) return false
    this.#items.push(item)
    return true
  }

  async take({ signal = currentScope().signal }: WaitOptions = {}): Promise<T | undefined> {
    signal.throwIfAborted()
    const item = this.tryTake()
    if (item !== undefined) return item
    if (!this.#closed) return this.#takers.wait(undefined, signal)
    if (this.#closed.error !== undefined) throw this.#closed.error
    return undefined
  }

  tryTake(): T | undefined {
    const item = this.#items.shift()
    const next = this.#makers.peek()
    if (next !== undefined) {
      this.#items.push(next)
      this.#makers.wake()
    }
    return item
  }

  close(error?: unknown): void {
    if (this.#closed) return
    this.#closed = { error }
    this.#makers.rejectAll(closedError())
    if (error !== undefined) this.#takers.rejectAll(error)
    else while (this.#takers.wake(undefined));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (let item = await this.take(); item !== undefined; item = await this.take()) yield item
  }
}

function closedError(): PlatformError {
  return new PlatformError('Cannot put an item: the queue is closed', {
    kind: 'unavailable',
    code: 'concurrency.closed',
  })
}
