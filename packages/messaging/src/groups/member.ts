import { AsyncLocalStorage } from 'node:async_hooks'
import type { Clock } from '@plinth/base'
import { cancelledError, enterScope, type Scope } from '@plinth/concurrency'
import type { Message, SubscribeOptions } from '../bus.ts'
import type { ResolvedSubscription } from '../subscription-options.ts'

/** Where a member's work comes from. */
export interface WorkSource {
  /** Hands out what is ready to members that are free. */
  dispatch(): void
  /** Hands out what is ready, and reads on if there is more in the log. */
  flow(): void
  leave(member: Member): void
}

/** One subscription: runs handlers, at most `concurrency` at a time over all its topics. */
export class Member {
  readonly feeds: WorkSource[] = []
  readonly retry: ResolvedSubscription['retry']
  readonly #handler: SubscribeOptions['handler']
  readonly #concurrency: number
  readonly #controller = new AbortController()
  // Handlers must not inherit the deadline or the trace of whoever happened to publish.
  readonly #outside = AsyncLocalStorage.snapshot()
  readonly #scope: Scope = {
    signal: this.#controller.signal,
    deadlineMs: Infinity,
    remainingMs: () => Infinity,
  }
  readonly #types: ReadonlySet<string> | undefined
  #running = 0
  #turn = 0
  #closing = false
  readonly #ended = Promise.withResolvers<void>()

  constructor(handler: SubscribeOptions['handler'], options: ResolvedSubscription) {
    this.#handler = handler
    this.#concurrency = options.concurrency
    this.#types = options.types
    this.retry = options.retry
  }

  get free(): boolean {
    return this.#running < this.#concurrency && !this.#closing
  }

  /** Whether the subscription ended and its handlers were told to stop. */
  get aborted(): boolean {
    return this.#controller.signal.aborted
  }

  /** Runs the handler; exactly one of the two is called, later. */
  handle(message: Message, attempt: number, settled: (failure: { error: unknown } | undefined) => void): void {
    this.#running++
    const end = (failure: { error: unknown } | undefined) => {
      this.#running--
      settled(failure)
      if (this.#running === 0 && this.#closing) this.#ended.resolve()
      this.offerWork()
    }
    if (this.#types && !this.#types.has(message.type)) {
      queueMicrotask(() => end(undefined))
      return
    }
    const delivery = { attempt, signal: this.#controller.signal }
    let promise: Promise<void>
    try {
      const run = () => this.#handler(message, delivery)
      promise = Promise.resolve(this.#outside(() => enterScope(this.#scope, run)))
    } catch (error) {
      promise = Promise.reject(error)
    }
    promise.then(
      () => end(undefined),
      (error) => end({ error }),
    )
  }

  /** Takes work from its feeds while it is free, beginning with another one each time. */
  offerWork(): void {
    for (let count = this.feeds.length; count > 0 && this.free; count--) {
      this.#turn = (this.#turn + 1) % this.feeds.length
      this.feeds[this.#turn]?.dispatch()
    }
  }

  /**
   * Takes no more work; resolves when the handlers have ended, or have been told to after `graceMs`. Called again, the
   * grace that ends first holds for all.
   */
  async close(clock: Clock, graceMs: number): Promise<void> {
    this.#closing = true
    for (const feed of this.feeds) feed.leave(this)
    if (this.#running > 0) {
      const timer = clock.setTimer(this.#ended.resolve, graceMs)
      await this.#ended.promise
      timer.cancel()
    }
    this.#controller.abort(cancelledError())
  }
}
