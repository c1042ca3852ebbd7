import type { Payment, PendingOperation } from '../domain/payment.ts'
import type { PaymentStatus } from '../domain/payment-status.ts'
import type { PaymentRow } from './payment-schema.ts'

export function toRow(payment: Payment): PaymentRow {
  return {
    payment_id: payment.paymentId,
    order_id: payment.orderId,
    amount_minor: payment.amountMinor,
    currency: payment.currency,
    method: payment.method,
    manual_capture: Number(payment.manualCapture),
    status: payment.status,
    failure: payment.failure,
    provider_reference: payment.providerReference,
    pending: payment.pending ?? '',
    pending_since_ms: payment.pendingSinceMs,
    due_at_ms: payment.dueAtMs,
    tries: payment.tries,
    attempts: payment.attempts,
    created_at_ms: payment.createdAtMs,
    updated_at_ms: payment.updatedAtMs,
  }
}

/** Rows are written by {@link toRow} alone, so their words are trusted. */
export function fromRow(row: PaymentRow): Payment {
  return {
    paymentId: row.payment_id,
    orderId: row.order_id,
    amountMinor: row.amount_minor,
    currency: row.currency,
    method: row.method,
    manualCapture: row.manual_capture === 1,
    status: row.status as PaymentStatus,
    failure: row.failure,
    providerReference: row.provider_reference,
    pending: row.pending === '' ? undefined : (row.pending as PendingOperation),
    pendingSinceMs: row.pending_since_ms,
    dueAtMs: row.due_at_ms,
    tries: row.tries,
    attempts: row.attempts,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
  }
}
