import type { DescMethod } from '@bufbuild/protobuf'
import { type Clock, systemClock } from '@plinth/base'
import { cancelledError, type Scope } from '@plinth/concurrency'
import type { CallContext, CallHeaders, Principal } from './call.ts'

/** What a transport knows of a call before its method runs. */
export interface CallContextOptions {
  readonly method: DescMethod
  readonly transport: CallContext['transport']
  /** On the clock's monotonic scale. @default Infinity, and then the method's own deadline holds */
  readonly deadlineMs?: number
  /** The headers, or how to get them for whoever looks first. @default none */
  readonly requestHeaders?: CallHeaders | (() => CallHeaders) | undefined
  /** @default 'in-process' */
  readonly peer?: string
  /** Set only by a transport that knows its caller without a token. */
  readonly principal?: Principal | undefined
  /** @default systemClock */
  readonly clock?: Clock
}

/** The context of a call from the side of the transport that serves it: the one who may end it. */
export interface OpenCall extends CallContext, Scope {
  /** Why the call was ended; undefined while it may go on. */
  readonly cancelReason: unknown
  /** Ends the call: the caller left, the deadline passed, the server stops. The first reason holds. */
  cancel(reason?: unknown): void
  /** Calls `listener` when the call is ended, at once if it is already; the result takes the listener back. */
  onCancel(listener: (reason: unknown) => void): () => void
  /** Moves the deadline closer, never away. */
  tightenDeadline(deadlineMs: number): void
}

/**
 * Opens the context of one call. Headers and signal are made for whoever looks at them: a call that needs neither
 * allocates neither.
 */
export function createCallContext(options: CallContextOptions): OpenCall {
  return new CallScope(options)
}

function nothing(): void {}

class CallScope implements OpenCall {
  readonly method: DescMethod
  readonly transport: CallContext['transport']
  readonly peer: string
  principal: Principal | undefined
  idempotencyKey: string | undefined
  deadlineMs: number
  cancelReason: unknown
  readonly #clock: Clock
  #requestHeaders: CallHeaders | (() => CallHeaders) | undefined
  #responseHeaders: CallHeaders | undefined
  #controller: AbortController | undefined
  // Nearly every call has exactly one listener, its deadline; a set is made only for more.
  #listener: ((reason: unknown) => void) | undefined
  #moreListeners: Set<(reason: unknown) => void> | undefined

  constructor(options: CallContextOptions) {
    this.method = options.method
    this.transport = options.transport
    this.peer = options.peer ?? 'in-process'
    this.principal = options.principal
    this.idempotencyKey = undefined
    this.deadlineMs = options.deadlineMs ?? Infinity
    this.cancelReason = undefined
    this.#clock = options.clock ?? systemClock
    this.#requestHeaders = options.requestHeaders
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.cancelReason !== undefined) this.#controller.abort(this.cancelReason)
    }
    return this.#controller.signal
  }

  get requestHeaders(): CallHeaders {
    const headers = this.#requestHeaders
    if (typeof headers === 'object') return headers
    const made = headers?.() ?? new Map<string, string>()
    this.#requestHeaders = made
    return made
  }

  get responseHeaders(): CallHeaders {
    this.#responseHeaders ??= new Map()
    return this.#responseHeaders
  }

  remainingMs(): number {
    return this.deadlineMs === Infinity ? Infinity : Math.max(0, this.deadlineMs - this.#clock.monotonicMs())
  }

  tightenDeadline(deadlineMs: number): void {
    if (deadlineMs < this.deadlineMs) this.deadlineMs = deadlineMs
  }

  cancel(reason?: unknown): void {
    if (this.cancelReason !== undefined) return
    const why = reason ?? cancelledError()
    this.cancelReason = why
    this.#controller?.abort(why)
    const first = this.#listener
    const more = this.#moreListeners
    this.#listener = undefined
    this.#moreListeners = undefined
    first?.(why)
    if (more) for (const listener of more) listener(why)
  }

  onCancel(listener: (reason: unknown) => void): () => void {
    if (this.cancelReason !== undefined) {
      listener(this.cancelReason)
      return nothing
    }
    if (this.#listener === undefined) {
      this.#listener = listener
    } else {
      this.#moreListeners ??= new Set()
      this.#moreListeners.add(listener)
    }
    return () => {
      if (this.#listener === listener) this.#listener = undefined
      else this.#moreListeners?.delete(listener)
    }
  }
}
