import { type Clock, PlatformError } from '@plinth/base'
import type { Payment, PaymentChange } from '../domain/payment.ts'
import { isRefusal, type PaymentRefusal } from '../domain/refusals.ts'
import type { PaymentStore } from './ports.ts'

export interface ChangePaymentDeps {
  readonly store: PaymentStore
  readonly clock: Pick<Clock, 'nowMs'>
  /** Told of every payment that now waits for the provider. Must not throw. */
  readonly onPending: (payment: Payment) => void
}

type Decide = (payment: Payment, nowMs: number) => PaymentChange | PaymentRefusal

/** What every verb on one payment does around its decision. */
export function createChangePayment(deps: ChangePaymentDeps) {
  return async function changePayment(paymentId: string, decide: Decide): Promise<Payment | PaymentRefusal> {
    const outcome = await deps.store.unit(async (unit) => {
      const payment = foundPayment(await unit.find(paymentId), paymentId)
      const decision = decide(payment, deps.clock.nowMs())
      if (isRefusal(decision)) return decision
      if (decision.payment !== payment) await unit.update(decision)
      return decision.payment
    })
    if (!isRefusal(outcome) && outcome.pending) deps.onPending(outcome)
    return outcome
  }
}

/** @throws PlatformError `payments.not_found`. */
export function foundPayment(payment: Payment | undefined, paymentId: string): Payment {
  if (payment) return payment
  throw new PlatformError(`Cannot find the payment: no payment ${paymentId}`, {
    kind: 'not_found',
    code: 'payments.not_found',
    details: { payment_id: paymentId },
  })
}
