import type { Clock } from '@plinth/base'
import { sweepInBatches } from '@plinth/data'
import type { CatalogStore } from './ports.ts'

export interface ForgetOldDeps {
  readonly store: CatalogStore
  readonly clock: Pick<Clock, 'nowMs'>
  readonly settings: () => ForgetOldSettings
}

export interface ForgetOldSettings {
  /** How long a repeated command gets its first answer again. */
  readonly answersKeptMs: number
  /** How long a reservation is remembered that gave its stock back. */
  readonly reservationsKeptMs: number
  /** How long a sale is remembered; a refund before shipping gives stock back only as long. */
  readonly salesKeptMs: number
}

/** Forgets what nobody will ask for again. Answers how many rows. */
export function createForgetOld({ store, clock, settings }: ForgetOldDeps) {
  return async function forgetOld(): Promise<number> {
    const nowMs = clock.nowMs()
    const { answersKeptMs, reservationsKeptMs, salesKeptMs } = settings()
    const released = { beforeMs: nowMs - reservationsKeptMs }
    const sold = { beforeMs: nowMs - salesKeptMs }
    return (
      (await sweepInBatches((rowsMax) => store.forgetAnswers({ beforeMs: nowMs - answersKeptMs, rowsMax }))) +
      (await sweepInBatches((rowsMax) => store.forgetReservations('released', { ...released, rowsMax }))) +
      (await sweepInBatches((rowsMax) => store.forgetReservations('expired', { ...released, rowsMax }))) +
      (await sweepInBatches((rowsMax) => store.forgetReservations('committed', { ...sold, rowsMax })))
    )
  }
}
