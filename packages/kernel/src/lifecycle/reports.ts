import type { PlatformError } from '@plinth/base'
import { describeFailure } from '../describe-failure.ts'

/** The hooks of a module, in the order of its life. */
export type HookName = 'start' | 'drain' | 'stop'

/**
 * How a hook ended: `cut_off` hooks were left behind at their deadline or by force, `skipped` ones were not called
 * because the application was forced down before their turn.
 */
export type HookOutcome = 'ok' | 'failed' | 'cut_off' | 'skipped'

/** One hook of one module. */
export interface HookReport {
  readonly module: string
  readonly hook: HookName
  readonly outcome: HookOutcome
  /** From the beginning of the start or the stop. */
  readonly beganMs: number
  readonly tookMs: number
  readonly error: PlatformError | undefined
}

/** How the start went. */
export interface StartReport {
  readonly tookMs: number
  readonly hooks: readonly HookReport[]
  /** The chain of modules, each waiting for the one before, that made the start take as long as it did. */
  readonly criticalPath: readonly string[]
}

/** How the stop went. */
export interface ShutdownReport {
  readonly reason: string
  readonly tookMs: number
  /** Whether a second signal, or the caller, ended it early. */
  readonly forced: boolean
  /** Whether every hook ended by itself and well. */
  readonly clean: boolean
  readonly hooks: readonly HookReport[]
}

/** A report as lines for people, slowest hook first. */
export function formatReport(report: StartReport | ShutdownReport): string {
  const title =
    'reason' in report
      ? `stopped (${report.reason}) in ${ms(report.tookMs)}${report.forced ? ', forced' : ''}`
      : `started in ${ms(report.tookMs)} by ${report.criticalPath.join(' -> ')}`
  const hooks = report.hooks.toSorted((a, b) => b.tookMs - a.tookMs)
  return [title, ...hooks.map(hookLine)].join('\n  ')
}

function hookLine(hook: HookReport): string {
  const error = hook.error ? `: ${describeFailure(hook.error)}` : ''
  return `${hook.module} ${hook.hook} ${hook.outcome} ${ms(hook.tookMs)}${error}`
}

function ms(value: number): string {
  return `${Math.round(value)} ms`
}
