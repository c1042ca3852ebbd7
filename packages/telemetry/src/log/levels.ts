import { type Clock, systemClock, type Timer } from '@plinth/base'
import { type LogThreshold, logLevels } from './level.ts'

/** Bound fields of a logger as selectors see them: plain values only, as text. */
export type SelectableFields = ReadonlyMap<string, string>

/** Bounds of a set of rules. */
export interface LogLevelsOptions {
  /** Where rules that expire take their time from. @default systemClock */
  readonly clock?: Clock
  /** How many rules may stand at once. @default 64 */
  readonly rulesMax?: number
}

/** A rule as it stands. */
export interface LogLevelRule {
  readonly selector: string
  readonly level: LogThreshold
}

/**
 * Which level holds for which logger, changeable while the process runs. A selector is `*` or `field=value` pairs
 * joined by commas (`service=orders,tenant=42`); it picks every logger whose bound fields (`log.with(...)`) hold all
 * of them. The rule with the most pairs wins, the later one among equals.
 */
export interface LogLevels {
  /** Grows with every change; loggers compare it instead of asking again. */
  readonly version: number
  /**
   * Sets or replaces the rule of a selector; with `forMs` it ends by itself after that time.
   * @throws RangeError for an unreadable selector, an unknown level, or more than `rulesMax` rules.
   */
  set(selector: string, level: LogThreshold, options?: { readonly forMs?: number }): void
  /** Removes the rule of a selector. The rule `*` returns to the level given at creation. */
  reset(selector: string): void
  /** The rules that stand, in the order they were set. */
  rules(): readonly LogLevelRule[]
  /** The severity from which a logger with these bound fields writes. */
  thresholdFor(fields: SelectableFields): number
}

interface Rule extends LogLevelRule {
  readonly pairs: readonly (readonly [string, string])[]
  readonly expiry: Timer | undefined
}

/** Makes levels that start with one rule: `*` at `level`. */
export function createLogLevels(level: LogThreshold, options: LogLevelsOptions = {}): LogLevels {
  const clock = options.clock ?? systemClock
  const rulesMax = options.rulesMax ?? 64
  const rules = new Map<string, Rule>()
  let base = severityOf(level)
  let version = 0

  const reset = (selector: string) => {
    if (selector === '*') base = severityOf(level)
    rules.get(selector)?.expiry?.cancel()
    rules.delete(selector)
    version++
  }

  return {
    get version() {
      return version
    },
    set(selector, to, { forMs } = {}) {
      const severity = severityOf(to)
      const pairs = selector === '*' ? [] : parseSelector(selector)
      const former = rules.get(selector)
      if (!former && rules.size >= rulesMax) {
        throw new RangeError(`Cannot set a level for ${selector}: ${rulesMax} rules stand already`)
      }
      former?.expiry?.cancel()
      if (selector === '*') base = severity
      // Deleting first moves a renewed rule to the end, so that the later of two equals wins.
      rules.delete(selector)
      const expiry = forMs === undefined ? undefined : clock.setTimer(() => reset(selector), forMs)
      rules.set(selector, { selector, level: to, pairs, expiry })
      version++
    },
    reset,
    rules: () => Array.from(rules.values(), ({ selector, level }) => ({ selector, level })),
    thresholdFor(fields) {
      let best: Rule | undefined
      for (const rule of rules.values()) {
        if (rule.pairs.length === 0 || rule.pairs.length < (best?.pairs.length ?? 0)) continue
        if (rule.pairs.every(([name, value]) => fields.get(name) === value)) best = rule
      }
      return best ? logLevels[best.level] : base
    },
  }
}

function severityOf(level: LogThreshold): number {
  if (!Object.hasOwn(logLevels, level)) {
    throw new RangeError(`Cannot log at ${level}: levels are ${Object.keys(logLevels).join(', ')}`)
  }
  return logLevels[level]
}

function parseSelector(selector: string): [string, string][] {
  return selector.split(',').map((part) => {
    const at = part.indexOf('=')
    const name = part.slice(0, at).trim()
    const value = part.slice(at + 1).trim()
    if (at < 1 || name === '' || value === '') {
      throw new RangeError(`Cannot read the selector ${selector}: expected * or field=value pairs joined by commas`)
    }
    return [name, value]
  })
}
