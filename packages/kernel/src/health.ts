/** How much a failing check weighs: `critical` makes the application not ready, `degrading` only degraded. */
export type Criticality = 'critical' | 'degrading'

/** What a check found. */
export type CheckResult =
  | { readonly ok: true; readonly detail?: string }
  | { readonly ok: false; readonly reason: string }

/** A check as a module registers it. */
export interface HealthCheck {
  /** Unique in the registry: `orders.store`. */
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

/** Where checks live. */
export interface HealthRegistry {
  /** Adds a check; disposing the answer removes it. */
  register(check: HealthCheck): Disposable
}
