import type { Middleware } from './middleware.ts'
import { withScope } from './scope.ts'
import type { Semaphore } from './semaphore.ts'

/**
 * A link that bounds the time of everything behind it: its scope's signal aborts when the time is up, and the failure is
 * `concurrency.deadline`. Serves at every edge whose handlers answer with a promise: RPC, bus, jobs.
 *
 * @throws RangeError when `timeoutMs` is not a number >= 0, at the first call.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { compose, currentScope, timeLimit } from '@plinth/concurrency'
 *
 * const handle = compose([timeLimit<string, string, void>(1000)], async () => String(currentScope().remainingMs() <= 1000))
 * assert.equal(await handle('message', undefined), 'true')
 * ```
 */
export function timeLimit<Input, Output, Context>(timeoutMs: number): Middleware<Input, Promise<Output>, Context> {
  return (next) => (input, context) => withScope({ timeoutMs }, () => next(input, context))
}

/**
 * A link that lets as many through at once as the semaphore has permits; others wait in the order they came, within the
 * semaphore's own bound.
 *
 * @throws PlatformError `concurrency.queue_full` when too many wait.
 */
export function limitAtOnce<Input, Output, Context>(permits: Semaphore): Middleware<Input, Promise<Output>, Context> {
  return (next) => (input, context) => permits.run(() => next(input, context))
}
