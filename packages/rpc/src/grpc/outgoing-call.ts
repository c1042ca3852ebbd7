import type { CallOptions as GrpcCallOptions } from '@grpc/grpc-js'
import type { Clock } from '@plinth/base'
import { cancelledError, currentScope, deadlineError } from '@plinth/concurrency'
import type { CallOptions } from '../call.ts'
import { checkTimeout } from '../check-timeout.ts'
import { linkCancel } from '../link-cancel.ts'

const timeoutMsMax = 2 ** 31 - 1

/** The caller's side of one call: its deadline, and everything that may end it early. */
export class OutgoingCall {
  readonly #all: Set<(reason: unknown) => void>
  readonly #clock: Clock
  readonly #deadlineMs: number
  readonly #release: () => void
  readonly #cancel = (reason: unknown) => this.cancel(reason)
  #listener: ((reason: unknown) => void) | undefined
  #ended: PromiseWithResolvers<never> | undefined
  /** Why it ended early. */
  reason: unknown
  over = false

  constructor(all: Set<(reason: unknown) => void>, options: CallOptions, clock: Clock, defaultMs: number) {
    const scope = currentScope()
    const nowMs = clock.monotonicMs()
    if (options.timeoutMs !== undefined) checkTimeout(options.timeoutMs)
    const ownMs = options.timeoutMs ?? (scope.deadlineMs === Infinity ? defaultMs : Infinity)
    this.#all = all
    this.#clock = clock
    this.#deadlineMs = Math.min(scope.deadlineMs, nowMs + ownMs)
    this.reason = undefined
    all.add(this.#cancel)
    this.#release = linkCancel(options, scope, this.#cancel)
    if (this.#deadlineMs <= nowMs) this.cancel(deadlineError())
  }

  /** Rejects when the call is ended early. Only for waits that are not the call itself. */
  get ended(): Promise<never> {
    if (!this.#ended) {
      this.#ended = Promise.withResolvers<never>()
      this.#ended.promise.catch(() => {})
      if (this.reason !== undefined) this.#ended.reject(this.reason)
    }
    return this.#ended.promise
  }

  remainingMs(): number {
    return Math.max(0, this.#deadlineMs - this.#clock.monotonicMs())
  }

  grpcOptions(): GrpcCallOptions {
    const remainingMs = this.remainingMs()
    // grpc-js servers read a longer time as a negative one; 24 days are as good as no deadline.
    return remainingMs > timeoutMsMax ? {} : { deadline: this.#clock.nowMs() + remainingMs }
  }

  check(): void {
    if (this.reason !== undefined) throw this.reason
  }

  onCancel(listener: (reason: unknown) => void): void {
    if (this.reason !== undefined) listener(this.reason)
    else this.#listener = listener
  }

  cancel(reason: unknown): void {
    if (this.reason !== undefined || this.over) return
    this.reason = reason === undefined ? cancelledError() : reason
    this.#ended?.reject(this.reason)
    this.#listener?.(this.reason)
  }

  finish(): void {
    this.over = true
    this.#listener = undefined
    this.#all.delete(this.#cancel)
    this.#release()
  }
}
