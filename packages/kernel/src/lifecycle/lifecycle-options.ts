import { type Clock, type PlatformError, systemClock } from '@plinth/base'
import type { HookReport } from './reports.ts'

/** Times and ears of a start and the stop after it. */
export interface LifecycleOptions {
  /** @default systemClock */
  readonly clock?: Clock
  /** Time for the whole start, 1 to 3600000. @default 60000 */
  readonly startTimeoutMs?: number
  /** Time for the whole stop with all its phases, 1 to 3600000. At its end what still runs is left behind. @default 10000 */
  readonly stopTimeoutMs?: number
  /**
   * After readiness is off and before anything else: time for load balancers to notice. It is part of the stop's
   * time. 0 to 600000. @default 0
   */
  readonly preStopWaitMs?: number
  /** Time for all drain hooks together, at most what is left. @default half of what is left of the stop's time */
  readonly drainTimeoutMs?: number
  /** Gives the start up; what has started is stopped. */
  readonly signal?: AbortSignal
  /** Leaves every hook behind at once and calls no further one, in the start and in the stop. */
  readonly force?: AbortSignal
  readonly observer?: LifecycleObserver
}

/** Hears what happens to modules. Its methods must not throw. */
export interface LifecycleObserver {
  /** A hook has ended, or was left behind or skipped. */
  onHook?(report: HookReport): void
  /** A background task has failed; it starts again after `pauseMs`, or never when that is undefined. */
  onTaskFailure?(failure: TaskFailure): void
}

/** One failure of a background task. */
export interface TaskFailure {
  readonly module: string
  readonly task: string
  readonly error: PlatformError
  readonly failures: number
  readonly pauseMs: number | undefined
}

export interface ResolvedLifecycleOptions {
  readonly clock: Clock
  readonly startTimeoutMs: number
  readonly stopTimeoutMs: number
  readonly preStopWaitMs: number
  readonly drainTimeoutMs: number | undefined
  readonly signal: AbortSignal | undefined
  readonly force: AbortSignal | undefined
  readonly observer: LifecycleObserver
}

/** @throws RangeError naming every option that is out of its bounds. */
export function resolveLifecycleOptions(options: LifecycleOptions): ResolvedLifecycleOptions {
  const { startTimeoutMs = 60_000, stopTimeoutMs = 10_000, preStopWaitMs = 0, drainTimeoutMs } = options
  const problems: string[] = []
  const check = (name: string, value: number, [min, max]: readonly [number, number]) => {
    if (!(value >= min && value <= max)) problems.push(`${name} is ${min} to ${max}, received ${value}`)
  }
  check('startTimeoutMs', startTimeoutMs, [1, 3_600_000])
  check('stopTimeoutMs', stopTimeoutMs, [1, 3_600_000])
  check('preStopWaitMs', preStopWaitMs, [0, 600_000])
  if (drainTimeoutMs !== undefined) check('drainTimeoutMs', drainTimeoutMs, [0, 3_600_000])
  if (problems.length > 0) throw new RangeError(`Cannot run an application: ${problems.join('; ')}`)
  const { clock = systemClock, signal, force, observer = {} } = options
  return { clock, startTimeoutMs, stopTimeoutMs, preStopWaitMs, drainTimeoutMs, signal, force, observer }
}
