import { type Clock, PlatformError, systemClock } from '@plinth/base'
import { deadlineError } from '@plinth/concurrency'
import type { CallContext } from '../call.ts'
import type { OpenCall } from '../call-scope.ts'
import { type DeadlineEntry, DeadlineQueue } from '../deadline-queue.ts'
import type { Interceptor, StreamMiddleware, UnaryMiddleware } from '../dispatch.ts'
import { raceStream } from '../race-stream.ts'

/** Time for calls that bring no deadline. */
export interface DeadlineOptions {
  /**
   * Time for a unary call that brought no deadline, in milliseconds, where the method's policy sets none. Streams
   * then have none.
   * @default 30000
   */
  readonly defaultMs?: number
  /** @default systemClock */
  readonly clock?: Clock
}

/**
 * Ends calls in time. The caller has its answer (kind `timeout`, or why it was cancelled) the moment the deadline
 * passes or the call is cancelled; a handler that does not listen to the signal runs on, and its answer is dropped.
 * All calls share one timer.
 */
export function createDeadlineInterceptor(options: DeadlineOptions = {}): Interceptor {
  const clock = options.clock ?? systemClock
  const defaultMs = options.defaultMs ?? 30_000
  if (!(defaultMs > 0)) throw new RangeError(`Cannot allow ${defaultMs} ms: defaultMs is a number > 0`)
  const queue = new DeadlineQueue(clock)
  return (_method, policy) => {
    const unaryMs = policy.deadlineMs > 0 ? policy.deadlineMs : defaultMs
    const streamMs = policy.deadlineMs > 0 ? policy.deadlineMs : Infinity
    return { unary: limitUnary(queue, clock, unaryMs), stream: limitStream(queue, clock, streamMs) }
  }
}

class CallDeadline implements DeadlineEntry {
  readonly dueMs: number
  readonly #call: OpenCall
  slot = -1

  constructor(call: OpenCall) {
    this.dueMs = call.deadlineMs
    this.#call = call
  }

  expire(): void {
    this.#call.cancel(deadlineError())
  }
}

function limitUnary(queue: DeadlineQueue, clock: Clock, ownMs: number): UnaryMiddleware {
  return (next) => (request, context) => {
    const call = openCall(context)
    const nowMs = clock.monotonicMs()
    if (call.deadlineMs === Infinity) call.tightenDeadline(nowMs + ownMs)
    else if (call.deadlineMs <= nowMs) call.cancel(deadlineError())
    return new Promise((resolve, reject) => {
      const forget = call.onCancel(reject)
      if (call.cancelReason !== undefined) return
      const entry = new CallDeadline(call)
      queue.add(entry)
      next(request, context).then(
        (answer) => {
          queue.remove(entry)
          forget()
          resolve(answer)
        },
        (error: unknown) => {
          queue.remove(entry)
          forget()
          reject(error)
        },
      )
    })
  }
}

function limitStream(queue: DeadlineQueue, clock: Clock, ownMs: number): StreamMiddleware {
  return (next) => (requests, context) => {
    const call = openCall(context)
    const nowMs = clock.monotonicMs()
    if (call.deadlineMs === Infinity) call.tightenDeadline(nowMs + ownMs)
    else if (call.deadlineMs <= nowMs) call.cancel(deadlineError())
    if (call.deadlineMs === Infinity || call.cancelReason !== undefined) {
      return raceStream(next(requests, context), call, () => {})
    }
    const entry = new CallDeadline(call)
    queue.add(entry)
    return raceStream(next(requests, context), call, () => queue.remove(entry))
  }
}

function openCall(context: CallContext): OpenCall {
  if (!('cancel' in context)) {
    throw new PlatformError('Cannot time a call whose context was not made by createCallContext', {
      kind: 'internal',
      code: 'rpc.context_foreign',
    })
  }
  return context as OpenCall
}
