import process from 'node:process'
import { MessageChannel } from 'node:worker_threads'
import { type Clock, errorKinds, fromUnknown, type PlatformError, systemClock } from '@plinth/base'
import type { Logger } from '@plinth/telemetry'
import type { LifecycleOptions } from './lifecycle/lifecycle-options.ts'
import type { HookReport, ShutdownReport } from './lifecycle/reports.ts'
import { type ProcessSignal, processSignals, type SignalSource } from './signals.ts'
import type { Assembly, Running } from './wiring/assemble.ts'
import type { Key } from './wiring/key.ts'

/** Signals, times and ears of a run. */
export interface RunOptions<Provided extends Key<unknown>> extends Omit<LifecycleOptions, 'signal' | 'force'> {
  /**
   * With any other source the uncaught errors of the process are left to their owner too.
   * @default the signals of the process
   */
  readonly signals?: SignalSource
  /** Where starts, stops, failures of background tasks and crashes are written. */
  readonly log?: Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'fatal'>
  /** Called when everything runs. A failure stops the application. */
  readonly onStarted?: (running: Running<Provided>) => Promise<void> | void
  /** Called last, however it ended. It must not throw. */
  readonly onStopped?: (report: ShutdownReport) => void
  /** Called on SIGHUP, usually to reload the configuration. Without it SIGHUP stops the application. */
  readonly onReload?: () => void
}

/** What ended an application, as an exit code: faults have those of their kind, a signal that forced has 128 + its number. */
const exitCodes = { clean: 0, crash: 1, SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const

/**
 * Runs an application until a signal, a module or a crash ends it, and answers the exit code: 0 after a clean stop,
 * the code of the fault's kind when the start failed, 1 when a hook failed or was cut off or the process crashed, and
 * 128 + the signal's number when a second signal forced the end. The first SIGTERM or SIGINT drains and stops; the same
 * one again within 500 ms is taken for its echo.
 *
 * It sets no exit code and ends no process: the caller does, because with hooks left behind the event loop may
 * never run dry.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 * import { assemble, defineModule, runApplication } from '@plinth/kernel'
 *
 * const job = defineModule({
 *   name: 'job',
 *   start(_needs, context) {
 *     context.requestStop('done')
 *     return {}
 *   },
 * })
 * assert.equal(await runApplication(assemble([job])), 0)
 * ```
 */
export async function runApplication<Provided extends Key<unknown>>(
  assembly: Assembly<Provided>,
  options: RunOptions<Provided> = {},
): Promise<number> {
  using supervisor = new Supervisor(options)
  const { starting: signal, force, observer } = supervisor
  let running: Running<Provided>
  try {
    running = await assembly.start({ ...options, signal, force, observer })
  } catch (error) {
    return supervisor.startFailed(fromUnknown(error))
  }
  options.log?.info('application_started', startFields(running))
  void running.stopRequested.then((reason) => supervisor.end(reason))
  try {
    await options.onStarted?.(running)
  } catch (error) {
    supervisor.crash('start', error)
  }
  const report = await running.stop(await supervisor.ended)
  options.log?.info('application_stopped', stopFields(report))
  options.onStopped?.(report)
  return supervisor.exitCode(report)
}

// Under `npm start` one Ctrl-C arrives twice: from the terminal, which tells the whole group, and from npm, which passes
// it on. That is no second wish.
const echoMs = 500

class Supervisor implements Disposable {
  readonly #options: RunOptions<never>
  readonly #clock: Clock
  readonly #stack = new DisposableStack()
  readonly #starting = new AbortController()
  readonly #force = new AbortController()
  readonly #ended = Promise.withResolvers<string>()
  #ending: string | undefined
  #first: { readonly signal: ProcessSignal; readonly atMs: number } | undefined
  #forcedBy: ProcessSignal | undefined
  #crashed = false

  // biome-ignore lint/suspicious/noExplicitAny: the key type plays no part here, and its variance would
  constructor(options: RunOptions<any>) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    const signals = options.signals ?? processSignals
    for (const signal of ['SIGTERM', 'SIGINT'] as const) this.#stack.use(signals.on(signal, () => this.#stopBy(signal)))
    this.#stack.use(signals.on('SIGHUP', () => (options.onReload ? options.onReload() : this.#stopBy('SIGHUP'))))
    if (signals === processSignals) this.#catchCrashes()
    this.#stack.use(holdProcess())
  }

  get starting(): AbortSignal {
    return this.#starting.signal
  }

  get force(): AbortSignal {
    return this.#force.signal
  }

  get ended(): Promise<string> {
    return this.#ended.promise
  }

  readonly observer: NonNullable<LifecycleOptions['observer']> = {
    onHook: (report) => {
      this.#logHook(report)
      this.#options.observer?.onHook?.(report)
    },
    onTaskFailure: (failure) => {
      const { module, task, error, failures, pauseMs } = failure
      const fields = {
        module,
        task,
        failures,
        code: error.code,
        error,
        ...(pauseMs !== undefined && { pause_ms: pauseMs }),
      }
      if (pauseMs === undefined) this.#options.log?.error('background_task_given_up', fields)
      else this.#options.log?.warn('background_task_failed', fields)
      this.#options.observer?.onTaskFailure?.(failure)
    },
  }

  end(reason: string): void {
    this.#ending ??= reason
    this.#starting.abort(new DOMException(`The start was given up: ${reason}`, 'AbortError'))
    this.#ended.resolve(reason)
  }

  crash(origin: string, error: unknown): void {
    this.#crashed = true
    this.#options.log?.fatal('application_crashed', { origin, error })
    this.end(`crash: ${fromUnknown(error).code}`)
  }

  startFailed(error: PlatformError): number {
    if (this.#ending !== undefined && !this.#crashed) {
      this.#options.log?.info('application_start_given_up', { reason: this.#ending })
      return this.#forcedBy ? exitCodes[this.#forcedBy] : exitCodes.clean
    }
    this.#options.log?.fatal('application_start_failed', { code: error.code, error })
    return this.#crashed ? exitCodes.crash : errorKinds[error.kind].exit
  }

  exitCode(report: ShutdownReport): number {
    if (this.#forcedBy && report.forced) return exitCodes[this.#forcedBy]
    return report.clean && !this.#crashed ? exitCodes.clean : exitCodes.crash
  }

  [Symbol.dispose](): void {
    this.#stack.dispose()
  }

  #stopBy(signal: ProcessSignal): void {
    const nowMs = this.#clock.monotonicMs()
    if (this.#ending === undefined) {
      this.#first = { signal, atMs: nowMs }
      this.#options.log?.info('application_stopping', { signal })
      this.end(signal)
      return
    }
    const isEcho = this.#first?.signal === signal && nowMs - this.#first.atMs < echoMs
    if (!isEcho && !this.#forcedBy) this.#forceBy(signal)
  }

  #forceBy(signal: ProcessSignal): void {
    this.#forcedBy = signal
    this.#options.log?.warn('application_forced', { signal })
    this.#force.abort(new DOMException(`Forced by ${signal}`, 'AbortError'))
  }

  /** After an unforeseen error nothing can be trusted, but what is accepted can still be finished and closed. */
  #catchCrashes(): void {
    const onCrash = (error: unknown, origin: string) => this.crash(origin, error)
    process.on('uncaughtException', onCrash)
    this.#stack.defer(() => void process.off('uncaughtException', onCrash))
  }

  #logHook(report: HookReport): void {
    const { module, hook, outcome, tookMs, error } = report
    const fields = { module, hook, outcome, took_ms: Math.round(tookMs), ...(error && { code: error.code, error }) }
    if (outcome === 'ok') this.#options.log?.debug('module_hook', fields)
    else this.#options.log?.warn('module_hook', fields)
  }
}

/** Clocks and signal handlers do not keep a process alive; an open port does, until it is closed. */
function holdProcess(): Disposable {
  const { port1 } = new MessageChannel()
  port1.ref()
  return { [Symbol.dispose]: () => port1.close() }
}

function startFields({ startReport }: Running): Readonly<Record<string, unknown>> {
  return {
    took_ms: Math.round(startReport.tookMs),
    modules: startReport.hooks.length,
    critical_path: startReport.criticalPath.join(' -> '),
  }
}

function stopFields(report: ShutdownReport): Readonly<Record<string, unknown>> {
  const cutOff = report.hooks.filter(({ outcome }) => outcome === 'cut_off' || outcome === 'skipped')
  return {
    reason: report.reason,
    took_ms: Math.round(report.tookMs),
    forced: report.forced,
    clean: report.clean,
    cut_off: cutOff.map(({ module, hook }) => `${module}.${hook}`),
  }
}
