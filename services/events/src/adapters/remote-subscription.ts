import { AsyncLocalStorage } from 'node:async_hooks'
import { type Clock, fromUnknown, PlatformError, sleep } from '@plinth/base'
import { cancelledError, enterScope, type Scope } from '@plinth/concurrency'
import type { Message, ResolvedSubscription, SubscribeOptions } from '@plinth/messaging'
import type { Client } from '@plinth/rpc'
import { type Delivery, type EventsService, Start } from '../../contract/index.ts'
import { fromEvent } from '../wire/event-message.ts'
import { RequestQueue } from './request-queue.ts'

interface Deps {
  readonly client: Client<typeof EventsService>
  readonly clock: Clock
  readonly rejoin: { readonly minMs: number; readonly maxMs: number }
}

/** A delivery that waits for the one before it of its key, or is being handled. */
interface Waiting {
  readonly id: bigint
  readonly message: Message
  readonly attempt: number
  readonly session: RequestQueue
}

/** One subscription to the bus of another process, over as many streams as it takes. */
export class RemoteSubscription {
  /** Resolves when messages flow for the first time. */
  readonly joined: Promise<void>
  readonly #deps: Deps
  readonly #options: ResolvedSubscription
  readonly #handler: SubscribeOptions['handler']
  readonly #aborted = new AbortController()
  readonly #leaving = new AbortController()
  // Handlers must not inherit the deadline or the trace of whoever subscribed.
  readonly #outside = AsyncLocalStorage.snapshot()
  readonly #scope: Scope = { signal: this.#aborted.signal, deadlineMs: Infinity, remainingMs: () => Infinity }
  /** Keys whose handler runs, with what came for them meanwhile: at most one, on the newest stream. */
  readonly #busy = new Map<string, Waiting | undefined>()
  readonly #running: Promise<void>
  #session: RequestQueue | undefined
  /** Whether the other side has answered on the present stream; until then there is nobody to say goodbye to. */
  #flowing = false
  #idle: (() => void) | undefined
  #closed = false

  constructor(deps: Deps, subscription: { resolved: ResolvedSubscription; handler: SubscribeOptions['handler'] }) {
    this.#deps = deps
    this.#options = subscription.resolved
    this.#handler = subscription.handler
    const joined = Promise.withResolvers<void>()
    this.joined = joined.promise
    joined.promise.catch(() => {})
    this.#running = enterScope(this.#scope, () => this.#run(joined))
  }

  async close(graceMs: number): Promise<void> {
    this.#closed = true
    const stopped = Promise.withResolvers<void>()
    const timer = this.#deps.clock.setTimer(stopped.resolve, graceMs)
    if (this.#flowing) this.#session?.push({ action: { case: 'stop', value: {} } })
    // Without a stream nothing more can come; what is being handled is waited for all the same.
    const drained = this.#flowing ? this.#running.then(() => this.#handled()) : this.#handled()
    await Promise.race([drained, stopped.promise])
    timer.cancel()
    this.#aborted.abort(cancelledError())
    this.#leaving.abort(cancelledError())
    await this.#running
  }

  #handled(): Promise<void> {
    if (this.#busy.size === 0) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#idle = resolve
    return promise
  }

  async #run(joined: PromiseWithResolvers<void>): Promise<void> {
    let pauseMs = this.#deps.rejoin.minMs
    while (!this.#closed) {
      try {
        await this.#stream(() => {
          pauseMs = this.#deps.rejoin.minMs
          joined.resolve()
        })
      } catch (error) {
        const fault = fromUnknown(error)
        // What the bus refuses it will refuse again; before the first join the caller can be told.
        if (!fault.retryable) joined.reject(fault)
      }
      this.#session = undefined
      if (this.#closed) break
      try {
        await sleep(this.#deps.clock, pauseMs, this.#leaving.signal)
      } catch {
        // Closed meanwhile; the loop ends.
      }
      pauseMs = Math.min(pauseMs * 2, this.#deps.rejoin.maxMs)
    }
    joined.reject(new PlatformError('The subscription was closed', { kind: 'cancelled', code: 'events.closed' }))
  }

  async #stream(onJoined: () => void): Promise<void> {
    const session = new RequestQueue()
    session.push({ action: { case: 'subscribe', value: this.#subscribeRequest() } })
    this.#session = session
    let first = true
    try {
      const { signal } = this.#leaving
      for await (const { deliveries } of this.#deps.client.consume(session, { signal })) {
        if (first) onJoined()
        first = false
        this.#flowing = true
        for (const delivery of deliveries) this.#take(delivery, session)
      }
    } finally {
      this.#flowing = false
      session.end()
    }
  }

  #subscribeRequest(): SubscribeInit {
    const { topics, group, concurrency, from, retry } = this.#options
    return {
      topics: [...topics],
      group,
      concurrency,
      start: from === 'latest' ? Start.LATEST : Start.EARLIEST,
      attemptsMax: retry.attemptsMax,
      backoffMinMs: Math.ceil(retry.backoffMinMs),
      backoffMaxMs: Math.ceil(retry.backoffMaxMs),
    }
  }

  #take(delivery: Delivery, session: RequestQueue): void {
    if (delivery.event === undefined) return
    const message = fromEvent(delivery.event)
    const waiting = { id: delivery.id, message, attempt: delivery.attempt, session }
    const key = `${message.topic} ${message.key}`
    // Only after a reconnect: the bus sends one delivery of a key at a time, but it does not know that the handler
    // of the stream before is still at work.
    if (this.#busy.has(key)) this.#busy.set(key, waiting)
    else this.#start(key, waiting)
  }

  #start(key: string, waiting: Waiting): void {
    this.#busy.set(key, undefined)
    void this.#handle(key, waiting)
  }

  async #handle(key: string, { id, message, attempt, session }: Waiting): Promise<void> {
    let failure: { error: unknown } | undefined
    try {
      const run = () => this.#handler(message, { attempt, signal: this.#aborted.signal })
      const { types } = this.#options
      if (!types || types.has(message.type)) await this.#outside(() => enterScope(this.#scope, run))
    } catch (error) {
      failure = { error }
    }
    // A handler that was told to stop has not failed: unanswered, its message goes back as it was.
    if (failure === undefined) session.ack(id)
    else if (!this.#aborted.signal.aborted) session.nack(id, failure.error)
    const next = this.#busy.get(key)
    if (next === undefined) this.#busy.delete(key)
    else if (failure === undefined && next.message.offset === message.offset) {
      // The same message came again over a new stream while its handler was at work: it is done.
      this.#busy.delete(key)
      next.session.ack(next.id)
    } else if (next.session === this.#session) this.#start(key, next)
    else this.#busy.delete(key)
    if (this.#busy.size === 0) this.#idle?.()
  }
}

interface SubscribeInit {
  topics: string[]
  group: string
  concurrency: number
  start: Start
  attemptsMax: number
  backoffMinMs: number
  backoffMaxMs: number
}
