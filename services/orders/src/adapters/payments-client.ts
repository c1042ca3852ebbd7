import type { PaymentsService } from '@plinth/payments-service/contract'
import type { Client } from '@plinth/rpc'
import type { Payments } from '../usecases/ports.ts'

/** Money, asked of the payments service. The order's payment id makes every repetition the same wish. */
export function createPaymentsClient(client: Client<typeof PaymentsService>): Payments {
  return {
    async request(payment) {
      await client.createPayment({
        paymentId: payment.paymentId,
        orderId: payment.orderId,
        amount: { amountMinor: BigInt(payment.totalMinor), currency: payment.currency },
        paymentMethod: payment.paymentMethod,
      })
    },
    async refund(paymentId, reason) {
      await client.refundPayment({ paymentId, reason })
    },
  } satisfies Payments
}
