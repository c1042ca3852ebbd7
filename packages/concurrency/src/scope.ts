import { AsyncLocalStorage } from 'node:async_hooks'
import { type Clock, PlatformError, systemClock, type Timer } from '@plinth/base'

/**
 * What bounds the work under way: a signal that ends it and the moment by which it must be done. A scope travels
 * with the call through every `await`; whatever starts inside is bounded by it unless it says otherwise.
 */
export interface Scope {
  /** Aborts when the scope is cancelled, its deadline passes, or its parent ends. */
  readonly signal: AbortSignal
  /** Measures `deadlineMs`; scopes inside take it over. @default systemClock */
  readonly clock?: Clock
  /** On the clock's monotonic scale; `Infinity` when there is none. Never later than the parent's. */
  readonly deadlineMs: number
  /** Milliseconds left, at least 0; `Infinity` without a deadline. */
  remainingMs(): number
}

/** What ends a scope. */
export interface ScopeOptions {
  /** Milliseconds allowed from now; at 0 the scope has ended already. The parent's deadline holds if it is earlier. */
  readonly timeoutMs?: number
  /**
   * Ends the scope too. Given explicitly, it replaces the signal of the surrounding scope: a caller who brings a
   * signal of his own has taken charge (a clean-up after cancellation needs exactly this). The deadline still holds.
   */
  readonly signal?: AbortSignal
  /** @default the surrounding scope's clock. Deadlines of different clocks cannot be compared: use one per process. */
  readonly clock?: Clock
}

const current = new AsyncLocalStorage<Scope>()
const never = new AbortController().signal
const outermost: Scope = { signal: never, deadlineMs: Infinity, remainingMs: () => Infinity }

/** The scope this code runs in; one without bounds if nobody opened any. */
export function currentScope(): Scope {
  return current.getStore() ?? outermost
}

/** Whether nothing bounds this scope, so that nobody needs to listen to it. */
export function isOutermostScope(scope: Scope): boolean {
  return scope === outermost
}

/** Runs `work` in a scope made elsewhere, for edges that keep their own books of deadlines. */
export function enterScope<T>(scope: Scope, work: () => T): T {
  return current.run(scope, work)
}

/**
 * Runs `work` outside every scope: for what outlives whoever starts it. A server, a relay or a background task begun
 * inside a scope would otherwise keep its deadline for ever.
 */
export function leaveScope<T>(work: () => T): T {
  return current.run(outermost, work)
}

/**
 * Runs `work` bounded by a time limit, a signal, or both. The result settles only when `work` has settled: a scope
 * cancels, it never abandons.
 *
 * @throws whatever `work` throws; a `work` that honours the signal throws its reason, a `PlatformError` of kind
 * `timeout` and code `concurrency.deadline` when the time is up.
 */
export async function withScope<T>(options: ScopeOptions, work: (scope: Scope) => Promise<T> | T): Promise<T> {
  using scope = openScope(options)
  return await current.run(scope, work, scope)
}

/** A scope and the timer behind it; disposing it releases the timer and the listener on its parent. */
export interface OpenScope extends Scope, Disposable {
  /** Ends everything in the scope with `reason`. */
  cancel(reason?: unknown): void
}

/** The long form of {@link withScope}, for what outlives one function. The caller disposes it. */
export function openScope(options: ScopeOptions = {}): OpenScope {
  const parent = currentScope()
  const clock = options.clock ?? parent.clock ?? systemClock
  const above = options.signal ?? parent.signal
  const nowMs = clock.monotonicMs()
  const ownMs = options.timeoutMs === undefined ? Infinity : nowMs + checkTimeout(options.timeoutMs)
  const deadlineMs = Math.min(ownMs, parent.deadlineMs)
  const controller = new AbortController()
  const onAbort = () => controller.abort(above.reason)
  const onDeadline = () => controller.abort(deadlineError(ownMs === deadlineMs ? options.timeoutMs : undefined))
  // The parent's own timer serves when the parent ends first and its signal reaches us.
  const needsTimer = deadlineMs !== Infinity && (ownMs <= parent.deadlineMs || above !== parent.signal)
  let timer: Timer | undefined
  if (above.aborted) onAbort()
  else if (deadlineMs <= nowMs) onDeadline()
  else {
    if (above !== never) above.addEventListener('abort', onAbort, { once: true })
    if (needsTimer) timer = clock.setTimer(onDeadline, deadlineMs - nowMs)
  }
  return {
    signal: controller.signal,
    clock,
    deadlineMs,
    remainingMs: () => Math.max(0, deadlineMs - clock.monotonicMs()),
    cancel: (reason) => controller.abort(reason ?? cancelledError()),
    [Symbol.dispose]() {
      timer?.cancel()
      above.removeEventListener('abort', onAbort)
    },
  }
}

/** The fault of a deadline that has passed. */
export function deadlineError(timeoutMs?: number): PlatformError {
  const allowed = timeoutMs === undefined ? '' : ` of ${timeoutMs} ms`
  return new PlatformError(`The deadline${allowed} has passed`, { kind: 'timeout', code: 'concurrency.deadline' })
}

/** The fault of work that its caller no longer wants. */
export function cancelledError(): PlatformError {
  return new PlatformError('The work was cancelled', { kind: 'cancelled', code: 'concurrency.cancelled' })
}

function checkTimeout(timeoutMs: number): number {
  if (!(timeoutMs >= 0)) throw new RangeError(`Cannot allow ${timeoutMs} ms: timeoutMs is a number >= 0`)
  return timeoutMs
}
