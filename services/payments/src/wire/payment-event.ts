import { create, toBinary } from '@bufbuild/protobuf'
import type { NewMessage } from '@plinth/messaging'
import { PaymentEventSchema, paymentTopic } from '../../contract/index.ts'
import type { Payment, PaymentEventType } from '../domain/payment.ts'
import { toPaymentMessage } from './payment-message.ts'

/** Packs one thing that happened to a payment for the bus. */
export function encodePaymentEvent(
  payment: Payment,
  what: { readonly type: PaymentEventType; readonly id: string },
): NewMessage {
  return {
    topic: paymentTopic,
    key: payment.orderId,
    id: what.id,
    type: what.type,
    headers: { schema: PaymentEventSchema.typeName },
    payload: toBinary(
      PaymentEventSchema,
      create(PaymentEventSchema, { type: what.type, payment: toPaymentMessage(payment) }),
    ),
    timeMs: payment.updatedAtMs,
  }
}
