import { type Clock, systemClock } from '@plinth/base'
import type { Interceptor } from '../dispatch.ts'
import { type Authenticator, createAuthInterceptor } from './auth.ts'
import { createDeadlineInterceptor } from './deadline.ts'
import { idempotencyKeyInterceptor } from './idempotency-key.ts'
import { createLimitsInterceptor, type LimitOptions } from './limits.ts'
import { recoverInterceptor } from './recover.ts'
import { createValidationInterceptor } from './validation.ts'

/** What the standard interceptors need to know. */
export interface StandardInterceptorOptions {
  readonly authenticator: Authenticator
  /** Trace, log and metrics, outermost first. They see every call, refused ones too, and only faults. */
  readonly observers?: readonly Interceptor[]
  readonly limits?: LimitOptions
  /** Time for a unary call that brought no deadline, in milliseconds. @default 30000 */
  readonly deadlineMs?: number
  /** @default systemClock */
  readonly clock?: Clock
}

/**
 * The usual interceptors in the one order that is right:
 *
 * 1. observers (trace, log, metrics): around everything, so that nothing goes unseen
 * 2. recover: whatever is thrown below is a fault above
 * 3. deadline: bounds waiting and working alike
 * 4. limits: an overloaded server refuses before it spends time on tokens
 * 5. auth: strangers learn nothing of what a valid request looks like
 * 6. idempotency key
 * 7. validation: the handler sees only requests that keep their contract
 */
export function standardInterceptors(options: StandardInterceptorOptions): readonly Interceptor[] {
  const clock = options.clock ?? systemClock
  return [
    ...(options.observers ?? []),
    recoverInterceptor,
    createDeadlineInterceptor({
      clock,
      ...(options.deadlineMs === undefined ? {} : { defaultMs: options.deadlineMs }),
    }),
    createLimitsInterceptor(options.limits),
    createAuthInterceptor(options.authenticator),
    idempotencyKeyInterceptor,
    createValidationInterceptor({ clock }),
  ]
}
