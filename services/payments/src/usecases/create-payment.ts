import { createPayment as decide, isSameWish, type NewPayment, type Payment } from '../domain/payment.ts'
import { isRefusal, type PaymentRefusal } from '../domain/refusals.ts'
import type { ChangePaymentDeps } from './change-payment.ts'

/** Creates a payment once per id, whoever asks how often. */
export function createCreatePayment(deps: ChangePaymentDeps) {
  return async function createPayment(wish: NewPayment): Promise<Payment | PaymentRefusal> {
    const outcome = await deps.store.unit(async (unit): Promise<Payment | PaymentRefusal> => {
      const known = await unit.find(wish.paymentId)
      if (known) return isSameWish(known, wish) ? known : { refused: 'id_reused', paymentId: wish.paymentId }
      const decision = decide(wish, deps.clock.nowMs())
      if (isRefusal(decision)) return decision
      await unit.insert(decision)
      return decision.payment
    })
    if (!isRefusal(outcome) && outcome.pending) deps.onPending(outcome)
    return outcome
  }
}
