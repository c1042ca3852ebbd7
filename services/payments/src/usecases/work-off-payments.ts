import { type Clock, fromUnknown, type PlatformError, sleep } from '@plinth/base'
import { leaveScope } from '@plinth/concurrency'
import type { Payment } from '../domain/payment.ts'
import type { PaymentStore } from './ports.ts'
import type { SettlePayment } from './settle-payment.ts'

export interface WorkOffDeps {
  readonly store: PaymentStore
  readonly settle: SettlePayment
  readonly clock: Clock
  readonly settings: () => WorkOffSettings
  /** Hears of a payment that could not be worked on; it stays due. Must not throw. */
  readonly onFault: (payment: Payment, fault: PlatformError) => void
}

export interface WorkOffSettings {
  /** Calls to the provider under way at once. */
  readonly callsMax: number
  /** Pause between looks for due payments. */
  readonly sweepMs: number
}

/** Rest of a payment that could not be worked on. */
const faultPauseMs = 1000

/** How many new payments wait in memory; beyond it they wait on disk for the next sweep. */
const waitingMax = 1000

/**
 * Works through everything that waits for the provider: new payments at once, all others when they are due. What is
 * pending is on disk, so a crash loses nothing: the first sweep after the start finds it.
 */
export function createWorkOff(deps: WorkOffDeps) {
  const underWay = new Set<string>()
  const waiting: Payment[] = []

  function offer(payment: Payment): void {
    if (!underWay.has(payment.paymentId) && waiting.length < waitingMax) waiting.push(payment)
    startNext()
  }

  function startNext(): void {
    while (waiting.length > 0 && underWay.size < deps.settings().callsMax) {
      const payment = waiting.shift()
      // Whoever made it pending may be gone by the time of the answer: his deadline is not that of the payment.
      if (payment && !underWay.has(payment.paymentId)) void leaveScope(() => work(payment))
    }
  }

  async function work(payment: Payment): Promise<void> {
    underWay.add(payment.paymentId)
    try {
      await deps.settle(payment)
    } catch (error) {
      deps.onFault(payment, fromUnknown(error))
      // What failed on our side (a full disk, say) would fail again at once: the payment rests and keeps its place.
      await sleep(deps.clock, faultPauseMs)
    } finally {
      underWay.delete(payment.paymentId)
      startNext()
    }
  }

  async function sweep(): Promise<void> {
    const room = Math.max(0, waitingMax - waiting.length)
    for (const payment of await deps.store.due(deps.clock.nowMs(), Math.min(room, 200))) offer(payment)
  }

  return {
    /** Takes a payment that became pending just now. */
    offer,
    /** Sweeps until the signal aborts. */
    async run(signal: AbortSignal): Promise<void> {
      for (;;) {
        await sweep()
        await sleep(deps.clock, deps.settings().sweepMs, signal)
      }
    },
    /** Calls under way, for health and drain. */
    get underWay(): number {
      return underWay.size
    },
  }
}
