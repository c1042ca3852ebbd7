import { create } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { type Payment as PaymentMessage, PaymentSchema, PaymentStatus } from '../../contract/index.ts'
import type { Payment } from '../domain/payment.ts'
import type { PaymentStatus as Status } from '../domain/payment-status.ts'

const statuses = {
  created: PaymentStatus.CREATED,
  processing: PaymentStatus.PROCESSING,
  unknown: PaymentStatus.UNKNOWN,
  authorized: PaymentStatus.AUTHORIZED,
  captured: PaymentStatus.CAPTURED,
  failed: PaymentStatus.FAILED,
  voided: PaymentStatus.VOIDED,
  refunding: PaymentStatus.REFUNDING,
  refunded: PaymentStatus.REFUNDED,
} as const satisfies Record<Status, PaymentStatus>

const byNumber = new Map(Object.entries(statuses).map(([name, number]) => [number as PaymentStatus, name as Status]))

/** The payment as the contract shows it: without the means of payment. */
export function toPaymentMessage(payment: Payment): PaymentMessage {
  return create(PaymentSchema, {
    paymentId: payment.paymentId,
    orderId: payment.orderId,
    amount: { amountMinor: BigInt(payment.amountMinor), currency: payment.currency },
    status: statuses[payment.status],
    failure: payment.failure,
    providerReference: payment.providerReference,
    createdAt: timestampFromMs(payment.createdAtMs),
    updatedAt: timestampFromMs(payment.updatedAtMs),
    attempts: payment.attempts,
    manualCapture: payment.manualCapture,
    ...(payment.pending && { pendingSince: timestampFromMs(payment.pendingSinceMs) }),
  })
}

/** The domain's status of a number on the wire; `undefined` for unspecified. */
export function statusFromNumber(status: PaymentStatus): Status | undefined {
  return byNumber.get(status)
}
