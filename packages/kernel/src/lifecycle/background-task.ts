import { type Clock, fromUnknown, type PlatformError, sleep } from '@plinth/base'
import { enterScope, leaveScope, openScope, type Scope } from '@plinth/concurrency'

/** How a background task is started again after a failure. */
export interface BackgroundTaskOptions {
  /** First pause after a failure; it doubles up to `backoffMaxMs`. 1 to 3600000. @default 100 */
  readonly backoffMinMs?: number
  /** From `backoffMinMs` to 3600000. @default 30000 */
  readonly backoffMaxMs?: number
  /** A task that ran this long before it failed begins again at the first pause. @default 60000 */
  readonly resetAfterMs?: number
  /** After so many failures in a row without such a run the task is given up. @default Infinity */
  readonly restartsMax?: number
}

/** Where a background task stands. */
export type BackgroundTaskState = 'running' | 'waiting' | 'done' | 'given_up' | 'cancelled'

/** A background task under supervision; disposing it cancels the task and waits for its end. */
export interface BackgroundTask extends AsyncDisposable {
  readonly name: string
  readonly state: BackgroundTaskState
  /** Failures so far. */
  readonly failures: number
  /** The last failure. */
  readonly lastFailure: PlatformError | undefined
  /** Settles when the task is over, whatever the reason; it never rejects. */
  readonly ended: Promise<void>
}

interface SuperviseDeps {
  readonly clock: Clock
  /** Ends the task. */
  readonly signal: AbortSignal
  /** Hears of every failure, with the pause before the next start; `undefined` when the task is given up. */
  readonly onFailure?: (task: BackgroundTask, failure: PlatformError, pauseMs: number | undefined) => void
}

export interface SupervisedTask extends BackgroundTaskOptions {
  readonly name: string
  readonly work: (scope: Scope) => Promise<void>
}

/**
 * Runs a task until it returns, is cancelled or fails too often; a failure starts it again after a pause that
 * doubles. The pause has no random part, because one process restarts one task: there is no herd to spread.
 *
 * @throws RangeError when an option is out of its bounds.
 */
export function supervise(deps: SuperviseDeps, options: SupervisedTask): BackgroundTask {
  const policy = resolvePolicy(options)
  // Its owner's signal alone ends it: whoever happens to start it may be bounded more tightly.
  const scope = leaveScope(() => openScope({ signal: deps.signal, clock: deps.clock }))
  const status = {
    state: 'running' as BackgroundTaskState,
    failures: 0,
    lastFailure: undefined as PlatformError | undefined,
  }
  const task: BackgroundTask = {
    name: options.name,
    get state() {
      return status.state
    },
    get failures() {
      return status.failures
    },
    get lastFailure() {
      return status.lastFailure
    },
    ended: enterScope(scope, () => loop()),
    async [Symbol.asyncDispose]() {
      scope.cancel()
      await task.ended
    },
  }
  return task

  async function loop(): Promise<void> {
    // The caller gets its handle before the task runs for the first time.
    await undefined
    for (let streak = 0; !scope.signal.aborted; ) {
      const startedMs = deps.clock.monotonicMs()
      status.state = 'running'
      try {
        await options.work(scope)
        status.state = 'done'
        break
      } catch (error) {
        if (scope.signal.aborted) break
        streak = deps.clock.monotonicMs() - startedMs >= policy.resetAfterMs ? 1 : streak + 1
        if (!(await pauseAfter(error, streak))) break
      }
    }
    if (status.state === 'running' || status.state === 'waiting') status.state = 'cancelled'
    scope[Symbol.dispose]()
  }

  async function pauseAfter(error: unknown, streak: number): Promise<boolean> {
    const failure = fromUnknown(error)
    status.failures++
    status.lastFailure = failure
    const isLast = streak > policy.restartsMax
    const pauseMs = isLast ? undefined : Math.min(policy.backoffMinMs * 2 ** (streak - 1), policy.backoffMaxMs)
    status.state = isLast ? 'given_up' : 'waiting'
    deps.onFailure?.(task, failure, pauseMs)
    if (pauseMs === undefined) return false
    // An abort during the pause ends the loop by its own condition.
    await sleep(deps.clock, pauseMs, scope.signal).catch(() => {})
    return true
  }
}

function resolvePolicy(options: SupervisedTask): Required<BackgroundTaskOptions> {
  const { backoffMinMs = 100, backoffMaxMs = 30_000, resetAfterMs = 60_000, restartsMax = Infinity } = options
  const problems: string[] = []
  if (!(backoffMinMs >= 1 && backoffMinMs <= 3_600_000))
    problems.push(`backoffMinMs is 1 to 3600000, received ${backoffMinMs}`)
  if (!(backoffMaxMs >= backoffMinMs && backoffMaxMs <= 3_600_000)) {
    problems.push(`backoffMaxMs is backoffMinMs to 3600000, received ${backoffMaxMs}`)
  }
  if (!(resetAfterMs >= 0)) problems.push(`resetAfterMs is at least 0, received ${resetAfterMs}`)
  if (!(restartsMax >= 0)) problems.push(`restartsMax is at least 0, received ${restartsMax}`)
  if (problems.length > 0) throw new RangeError(`Cannot supervise ${options.name}: ${problems.join('; ')}`)
  return { backoffMinMs, backoffMaxMs, resetAfterMs, restartsMax }
}
