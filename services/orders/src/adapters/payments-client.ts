import { type Payment, PaymentStatus, type PaymentsService } from '@plinth/payments-service/contract'
import type { Client } from '@plinth/rpc'
import type { PaymentOutcome, Payments } from '../usecases/ports.ts'

/** Money, asked of the payments service. The order's payment id makes every repetition the same wish. */
export function createPaymentsClient(client: Client<typeof PaymentsService>): Payments {
  return {
    async request(payment) {
      const { paymentId, orderId, totalMinor, currency, paymentMethod } = payment
      const amount = { amountMinor: BigInt(totalMinor), currency }
      return outcomeOf(await client.createPayment({ paymentId, orderId, amount, paymentMethod }))
    },
    async refund(paymentId, reason) {
      return outcomeOf(await client.refundPayment({ paymentId, reason }))
    },
  } satisfies Payments
}

const outcomes: ReadonlyMap<PaymentStatus, PaymentOutcome['type']> = new Map([
  [PaymentStatus.CAPTURED, 'payment_captured'],
  [PaymentStatus.FAILED, 'payment_failed'],
  [PaymentStatus.VOIDED, 'payment_voided'],
  [PaymentStatus.REFUNDED, 'payment_refunded'],
])

function outcomeOf({ status, failure }: Payment): PaymentOutcome | undefined {
  const type = outcomes.get(status)
  return type && { type, failure }
}
