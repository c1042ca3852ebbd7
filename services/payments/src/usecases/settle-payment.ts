import type { Clock } from '@plinth/base'
import { withScope } from '@plinth/concurrency'
import { applyVerdict, type Payment, type RetryDelays, type Verdict } from '../domain/payment.ts'
import type { Gateway, PaymentStore } from './ports.ts'

export interface SettlePaymentDeps {
  readonly store: PaymentStore
  readonly gateway: Gateway
  readonly clock: Clock
  readonly settings: () => SettleSettings
}

export interface SettleSettings extends RetryDelays {
  /** How long one call to the provider may take. */
  readonly callTimeoutMs: number
}

/**
 * Asks the provider about a payment's pending operation and takes in the answer. The first time the operation is
 * performed; after a lost answer or a restart it is looked up first and performed again, under the same key, only if
 * the provider never heard of it. Answers the payment as it is then.
 */
export function createSettlePayment(deps: SettlePaymentDeps) {
  return async function settlePayment(payment: Payment): Promise<Payment> {
    const operation = payment.pending
    if (!operation) return payment
    const verdict = await ask(payment, operation)
    return await deps.store.unit(async (unit) => {
      const current = await unit.find(payment.paymentId)
      if (!current) return payment
      const at = { nowMs: deps.clock.nowMs(), delays: deps.settings() }
      const change = applyVerdict(current, { operation, verdict }, at)
      if (change.payment !== current) await unit.update(change)
      return change.payment
    })
  }

  async function ask(payment: Payment, operation: NonNullable<Payment['pending']>): Promise<Verdict> {
    const options = { timeoutMs: deps.settings().callTimeoutMs, clock: deps.clock }
    return await withScope(options, async ({ signal }): Promise<Verdict> => {
      const request = { operation, payment }
      if (payment.tries > 0) {
        const known = await deps.gateway.lookUp(request, signal)
        if (known.outcome !== 'unheard') return known
      }
      return await deps.gateway.perform(request, signal)
    })
  }
}

export type SettlePayment = ReturnType<typeof createSettlePayment>
