import type { Clock } from '@plinth/base'
import { sweepInBatches } from '@plinth/data'
import type { PaymentStore } from './ports.ts'

export interface ForgetOldDeps {
  readonly store: PaymentStore
  readonly clock: Pick<Clock, 'nowMs'>
  readonly settings: () => ForgetOldSettings
}

export interface ForgetOldSettings {
  /** How long a report of the provider is remembered. */
  readonly reportsKeptMs: number
}

/** Forgets reports that the provider will not repeat any more. Answers how many. */
export function createForgetOld({ store, clock, settings }: ForgetOldDeps) {
  return async function forgetOld(): Promise<number> {
    const beforeMs = clock.nowMs() - settings().reportsKeptMs
    return await sweepInBatches((rowsMax) => store.forgetReports({ beforeMs, rowsMax }))
  }
}
