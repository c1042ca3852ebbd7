import { type Clock, fromUnknown, type PlatformError } from '@plinth/base'
import { deadlineError, enterScope, leaveScope, openScope, type Scope } from '@plinth/concurrency'
import type { HookName, HookReport } from './reports.ts'

interface HookDeps {
  readonly clock: Clock
  /** Cancels the hook; it still has the time of the lead to end. */
  readonly signal?: AbortSignal
  /** Leaves the hook behind at once. */
  readonly force: AbortSignal
}

interface Hook<T> {
  readonly module: string
  readonly hook: HookName
  /** Beginning of the start or stop on the monotonic scale. */
  readonly epochMs: number
  /** All the time there is; the signal aborts a little earlier, so that an obedient hook ends in time. */
  readonly timeoutMs: number
  readonly work: (scope: Scope) => PromiseLike<T> | T
  /** Whether what the hook begins outlives it: then only the scope it is given bounds it, not the surrounding one. */
  readonly outlives: boolean
}

/** What came of a hook; `late` is its promise when it was left behind. */
export type HookResult<T> =
  | { readonly report: HookReport; readonly outcome: 'ok'; readonly value: T }
  | { readonly report: HookReport; readonly outcome: 'failed'; readonly error: PlatformError }
  | {
      readonly report: HookReport
      readonly outcome: 'cut_off'
      readonly error: PlatformError
      readonly late: Promise<T>
    }

const leadMsMax = 250

/**
 * Calls a hook under its deadline. Never rejects and never waits longer: first the hook's signal aborts, then, after
 * a lead of a quarter of the time (at most 250 ms), the hook is left behind.
 */
export async function runHook<T>(deps: HookDeps, hook: Hook<T>): Promise<HookResult<T>> {
  const { clock } = deps
  const beganMs = clock.monotonicMs()
  const leadMs = Math.min(leadMsMax, hook.timeoutMs / 4)
  const cut = Promise.withResolvers<undefined>()
  const onForce = () => cut.resolve(undefined)
  const limits = { clock, timeoutMs: hook.timeoutMs - leadMs, signal: deps.signal ?? deps.force }
  using scope = leaveScope(() => openScope(limits))
  using timers = new DisposableStack()
  const onAbort = () => timers.use(clock.setTimer(onForce, leadMs))
  if (scope.signal.aborted) onAbort()
  else scope.signal.addEventListener('abort', onAbort, { once: true })
  deps.force.addEventListener('abort', onForce, { once: true })
  timers.defer(() => deps.force.removeEventListener('abort', onForce))
  const begin = async () => hook.work(scope)
  const work = hook.outlives ? leaveScope(begin) : enterScope(scope, begin)
  const result = await Promise.race([work.then(succeeded, failed), cut.promise])
  const outcome = outcomeOf(result, scope.signal)
  const tookMs = clock.monotonicMs() - beganMs
  const error = outcome === 'ok' ? undefined : errorOf(result, hook)
  const report = { module: hook.module, hook: hook.hook, outcome, beganMs: beganMs - hook.epochMs, tookMs, error }
  if (error === undefined) return { report, outcome: 'ok', value: (result as { value: T }).value }
  return outcome === 'failed' ? { report, outcome, error } : { report, outcome: 'cut_off', error, late: work }
}

type Settled<T> = { readonly value: T } | { readonly error: unknown } | undefined

function outcomeOf<T>(result: Settled<T>, signal: AbortSignal): 'ok' | 'failed' | 'cut_off' {
  if (result === undefined) return 'cut_off'
  if ('value' in result) return 'ok'
  // A hook that obeys its signal throws the signal's reason: it was cut off, it did not fail.
  return signal.aborted && result.error === signal.reason ? 'cut_off' : 'failed'
}

function errorOf<T>(result: Settled<T>, hook: Hook<T>): PlatformError {
  return result && 'error' in result ? fromUnknown(result.error) : deadlineError(hook.timeoutMs)
}

function succeeded<T>(value: T): { value: T } {
  return { value }
}

function failed(error: unknown): { error: unknown } {
  return { error }
}
