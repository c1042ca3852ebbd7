import type { Clock, Timer } from '@plinth/base'
import { withScope } from '@plinth/concurrency'
import { describeFailure } from '../describe-failure.ts'

/**
 * How much a failing check weighs: `fatal` asks for a restart (not live), `critical` takes the application out of
 * rotation (not ready), `degrading` is only shown.
 */
export type Criticality = 'fatal' | 'critical' | 'degrading'

/** What a check found. */
export type CheckResult =
  | { readonly ok: true; readonly detail?: string }
  | { readonly ok: false; readonly reason: string }

/** A check as a module registers it. */
export interface HealthCheck {
  /** Unique in the registry, 1 to 200 characters: `orders.store`. */
  readonly name: string
  /** Throwing counts as failed, with the error's message as the reason. */
  readonly check: (signal: AbortSignal) => Promise<CheckResult> | CheckResult
  /** @default 'critical' */
  readonly criticality?: Criticality
  /** A check that takes longer has failed. 1 to 60000. @default 2000 */
  readonly timeoutMs?: number
  /** How long a result is good, so that probes cost nothing. 0 to 3600000. @default 1000 */
  readonly cacheMs?: number
}

/** Where the application stands in its life. */
export type HealthPhase = 'starting' | 'ready' | 'draining' | 'stopped'

/** One check with its last result. */
export interface CheckReport {
  readonly name: string
  readonly criticality: Criticality
  readonly ok: boolean
  /** The reason when it is not ok, else the detail; empty when there is none. */
  readonly detail: string
  readonly tookMs: number
}

/** The health of the application at one moment. */
export interface HealthReport {
  readonly phase: HealthPhase
  /** Whether the start is over. */
  readonly started: boolean
  /** Whether the process is worth keeping. */
  readonly live: boolean
  /** Whether it should get requests. */
  readonly ready: boolean
  readonly status: 'ready' | 'degraded' | 'not_ready'
  /** Why it is not ready, not live or degraded, one sentence each; empty when all is well. */
  readonly reasons: readonly string[]
  readonly checks: readonly CheckReport[]
}

/** Whether the process is worth keeping, without a look at anything it depends on. */
export interface LivenessReport {
  readonly phase: HealthPhase
  readonly started: boolean
  readonly live: boolean
  readonly reasons: readonly string[]
}

/** Where checks live and probes ask. */
export interface HealthRegistry {
  /**
   * Adds a check; disposing the answer removes it.
   *
   * @throws RangeError when the name is taken, 1000 checks are registered, or a time is out of its bounds.
   */
  register(check: HealthCheck): Disposable
  /** Runs the checks whose results have grown old, all at once, each once at a time however many ask. Never rejects. */
  report(): Promise<HealthReport>
  /** Runs only the fatal checks: a database that hangs must not make the liveness probe hang. Never rejects. */
  liveness(): Promise<LivenessReport>
  /**
   * Tells when the phase, the status or the set of failing checks changes: at once for the phase, within a second for checks, and once at the
   * beginning. The listener must not throw.
   */
  subscribe(listener: (report: HealthReport) => void): Disposable
}

/** The registry with the handle by which the lifecycle moves it. */
export interface HealthController extends HealthRegistry {
  setPhase(phase: HealthPhase): void
}

const checksMax = 1000
const pollMs = 1000

/** Makes a registry in the phase `starting`. */
export function createHealthController(deps: { readonly clock: Clock }): HealthController {
  const { clock } = deps
  const checks = new Map<string, CheckRunner>()
  const listeners = new Set<(report: HealthReport) => void>()
  let phase: HealthPhase = 'starting'
  let told = ''
  let timer: Timer | undefined

  const liveness = async (): Promise<LivenessReport> => {
    const fatal = [...checks.values()].filter(({ criticality }) => criticality === 'fatal')
    const found = await Promise.all(fatal.map((check) => check.result()))
    const reasons = found.filter(({ ok }) => !ok).map(reasonOf)
    return { phase, started: phase !== 'starting', live: reasons.length === 0, reasons }
  }

  const report = async () => buildReport(phase, await Promise.all([...checks.values()].map((check) => check.result())))

  async function tell(): Promise<void> {
    notify(await report())
  }

  function notify(found: HealthReport): void {
    if (faceOf(found) === told) return
    told = faceOf(found)
    for (const listener of listeners) listener(found)
  }

  function poll(): void {
    timer = clock.setTimer(() => void tell().then(() => listeners.size > 0 && poll()), pollMs)
  }

  return {
    register(check) {
      if (checks.has(check.name)) throw new RangeError(`Cannot register the check ${check.name}: the name is taken`)
      if (checks.size >= checksMax)
        throw new RangeError(`Cannot register the check ${check.name}: there are ${checksMax} already`)
      const runner = new CheckRunner(clock, check)
      checks.set(check.name, runner)
      return {
        [Symbol.dispose]() {
          if (checks.get(check.name) === runner) checks.delete(check.name)
        },
      }
    },
    report,
    liveness,
    subscribe(listener) {
      // A function of its own, so that one listener given twice is told twice and leaves twice.
      const own = (found: HealthReport) => listener(found)
      listeners.add(own)
      if (listeners.size === 1) poll()
      void report().then((found) => {
        told = faceOf(found)
        if (listeners.has(own)) own(found)
      })
      return {
        [Symbol.dispose]() {
          listeners.delete(own)
          if (listeners.size === 0) timer?.cancel()
        },
      }
    },
    setPhase(next) {
      phase = next
      if (listeners.size === 0) return
      // A check that hangs must not hold up the news that nothing is served any more.
      if (next === 'ready') void tell()
      else
        notify(
          buildReport(
            phase,
            [...checks.values()].map((check) => check.last).filter((last) => last !== undefined),
          ),
        )
    },
  }
}

class CheckRunner {
  readonly #clock: Clock
  readonly #check: Required<HealthCheck>
  #last: { readonly report: CheckReport; readonly atMs: number } | undefined
  #running: Promise<CheckReport> | undefined

  constructor(clock: Clock, check: HealthCheck) {
    this.#clock = clock
    this.#check = resolveHealthCheck(check)
  }

  get criticality(): Criticality {
    return this.#check.criticality
  }

  get last(): CheckReport | undefined {
    return this.#last?.report
  }

  result(): Promise<CheckReport> {
    const last = this.#last
    if (last && this.#clock.monotonicMs() - last.atMs < this.#check.cacheMs) return Promise.resolve(last.report)
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #run(): Promise<CheckReport> {
    const { name, criticality } = this.#check
    const beganMs = this.#clock.monotonicMs()
    const found = await this.#outcome()
    const atMs = this.#clock.monotonicMs()
    const detail = found.ok ? (found.detail ?? '') : found.reason
    const report = { name, criticality, ok: found.ok, detail, tookMs: atMs - beganMs }
    this.#last = { report, atMs }
    return report
  }

  /** A check that ignores its signal is left behind: its probe must be answered all the same. */
  async #outcome(): Promise<CheckResult> {
    const { check, timeoutMs } = this.#check
    const late = Promise.withResolvers<CheckResult>()
    using _timer = this.#clock.setTimer(
      () => late.resolve({ ok: false, reason: `no answer within ${timeoutMs} ms` }),
      timeoutMs,
    )
    const signal = new AbortController().signal
    const work = withScope({ clock: this.#clock, timeoutMs, signal }, (scope) => check(scope.signal))
    const failed = (error: unknown): CheckResult => ({ ok: false, reason: describeFailure(error) })
    return await Promise.race([late.promise, work.catch(failed)])
  }
}

function buildReport(phase: HealthPhase, checks: readonly CheckReport[]): HealthReport {
  const failing = checks.filter(({ ok }) => !ok)
  const live = !failing.some(({ criticality }) => criticality === 'fatal')
  const ready = phase === 'ready' && failing.every(({ criticality }) => criticality === 'degrading')
  const status = !ready ? 'not_ready' : failing.length > 0 ? 'degraded' : 'ready'
  const reasons = failing.map(reasonOf)
  if (phase !== 'ready') reasons.unshift(`the application is ${phase}`)
  return { phase, started: phase !== 'starting', live, ready, status, reasons, checks }
}

function reasonOf({ name, detail }: CheckReport): string {
  return `${name}: ${detail}`
}

/** What a listener cares for; details that change with every look, such as times, are not among it. */
function faceOf({ phase, status, live, checks }: HealthReport): string {
  return JSON.stringify([phase, status, live, checks.filter(({ ok }) => !ok).map(({ name }) => name)])
}

function resolveHealthCheck(check: HealthCheck): Required<HealthCheck> {
  const { name, criticality = 'critical', timeoutMs = 2000, cacheMs = 1000 } = check
  const problems: string[] = []
  if (name.length < 1 || name.length > 200) problems.push('its name has 1 to 200 characters')
  if (!(timeoutMs >= 1 && timeoutMs <= 60_000)) problems.push(`timeoutMs is 1 to 60000, received ${timeoutMs}`)
  if (!(cacheMs >= 0 && cacheMs <= 3_600_000)) problems.push(`cacheMs is 0 to 3600000, received ${cacheMs}`)
  if (problems.length > 0) throw new RangeError(`Cannot register the check ${name}: ${problems.join('; ')}`)
  return { name, check: check.check, criticality, timeoutMs, cacheMs }
}
