import type { Clock } from '@plinth/base'
import { sweepInBatches } from '@plinth/data'
import type { OrderStore } from './ports.ts'

export interface ForgetOldDeps {
  readonly store: OrderStore
  readonly clock: Pick<Clock, 'nowMs'>
  readonly settings: () => ForgetOldSettings
}

export interface ForgetOldSettings {
  /** How long a repeated command gets its first answer again. */
  readonly answersKeptMs: number
  /** How long a handled message is remembered. */
  readonly messagesKeptMs: number
}

/** Forgets what nobody will ask for again. Answers how many rows. */
export function createForgetOld({ store, clock, settings }: ForgetOldDeps) {
  return async function forgetOld(): Promise<number> {
    const nowMs = clock.nowMs()
    const { answersKeptMs, messagesKeptMs } = settings()
    return (
      (await sweepInBatches((rowsMax) => store.forgetAnswers({ beforeMs: nowMs - answersKeptMs, rowsMax }))) +
      (await sweepInBatches((rowsMax) => store.forgetMessages({ beforeMs: nowMs - messagesKeptMs, rowsMax })))
    )
  }
}
