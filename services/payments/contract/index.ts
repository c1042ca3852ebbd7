/**
 * What others may know of payments: messages, events and the contract to call them by.
 * @module
 */

/** What is written in these contracts, for the API reference. */
export { default as paymentsComments } from './gen/comments.json' with { type: 'json' }

import { defineContract } from '@plinth/rpc/client'
import { PaymentsService } from './gen/plinth/payments/v1/payments_pb.ts'

export { type PaymentEvent, PaymentEventSchema } from './gen/plinth/payments/v1/events_pb.ts'
export {
  type CreatePaymentRequest,
  CreatePaymentRequestSchema,
  type ListPaymentsRequest,
  type Payment,
  PaymentSchema,
  PaymentStatus,
  PaymentsService,
  type ReceiveWebhookRequest,
} from './gen/plinth/payments/v1/payments_pb.ts'

/** Payments through a provider. */
export const paymentsContract = defineContract('payments.payments', PaymentsService)

/** The topic of everything that happens to payments; the key is the order id, the payload a `PaymentEvent`. */
export const paymentTopic = 'payments.payment'
