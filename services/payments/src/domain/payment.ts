import type { PaymentStatus } from './payment-status.ts'
import type { PaymentRefusal } from './refusals.ts'

/** What is still to be asked of the provider. At most one thing at a time, so two answers never race. */
export type PendingOperation = 'charge' | 'capture' | 'void' | 'refund'

/** One payment as it stands. Amounts are minor units; times are UTC milliseconds. */
export interface Payment {
  readonly paymentId: string
  readonly orderId: string
  readonly amountMinor: number
  readonly currency: string
  readonly method: string
  readonly manualCapture: boolean
  readonly status: PaymentStatus
  readonly failure: string
  readonly providerReference: string
  readonly pending: PendingOperation | undefined
  /** Since when the pending operation waits for its outcome; 0 when nothing is pending. */
  readonly pendingSinceMs: number
  /** When the provider is to be asked; meaningful while something is pending. */
  readonly dueAtMs: number
  /** How often the provider was asked about the pending operation. */
  readonly tries: number
  /** How often it was asked in all. */
  readonly attempts: number
  readonly createdAtMs: number
  readonly updatedAtMs: number
}

export type PaymentEventType =
  | 'payment_authorized'
  | 'payment_captured'
  | 'payment_failed'
  | 'payment_voided'
  | 'payment_refunded'

/** A change that was decided: the payment after it, and what the world is told. */
export interface PaymentChange {
  readonly payment: Payment
  readonly event: PaymentEventType | undefined
}

/** What the provider said, or that nobody knows what it said. */
export type Verdict =
  | { readonly outcome: 'approved'; readonly reference: string }
  | { readonly outcome: 'declined'; readonly reason: string }
  | { readonly outcome: 'lost' }

export interface NewPayment {
  readonly paymentId: string
  readonly orderId: string
  readonly amountMinor: number
  readonly currency: string
  readonly method: string
  readonly manualCapture: boolean
  readonly manualConfirm: boolean
}

export function createPayment(wish: NewPayment, nowMs: number): PaymentChange | PaymentRefusal {
  if (wish.amountMinor <= 0) return { refused: 'amount_not_positive', amountMinor: wish.amountMinor }
  const created: Payment = {
    paymentId: wish.paymentId,
    orderId: wish.orderId,
    amountMinor: wish.amountMinor,
    currency: wish.currency,
    method: wish.method,
    manualCapture: wish.manualCapture,
    status: 'created',
    failure: '',
    providerReference: '',
    pending: undefined,
    pendingSinceMs: 0,
    dueAtMs: 0,
    tries: 0,
    attempts: 0,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  }
  return wish.manualConfirm ? { payment: created, event: undefined } : ask(created, 'charge', 'processing', nowMs)
}

/** Whether a second wish under the same id is the same wish. */
export function isSameWish(payment: Payment, wish: NewPayment): boolean {
  return (
    payment.orderId === wish.orderId &&
    payment.amountMinor === wish.amountMinor &&
    payment.currency === wish.currency &&
    payment.method === wish.method &&
    payment.manualCapture === wish.manualCapture
  )
}

export function confirmPayment(payment: Payment, nowMs: number): PaymentChange | PaymentRefusal {
  if (payment.status !== 'created') return { refused: 'not_confirmable', status: payment.status }
  return ask(payment, 'charge', 'processing', nowMs)
}

export function capturePayment(payment: Payment, nowMs: number): PaymentChange | PaymentRefusal {
  if (payment.status === 'captured' || payment.pending === 'capture') return unchanged(payment)
  if (payment.status !== 'authorized' || payment.pending) return { refused: 'not_capturable', status: payment.status }
  return ask(payment, 'capture', 'authorized', nowMs)
}

export function voidPayment(payment: Payment, nowMs: number): PaymentChange | PaymentRefusal {
  if (payment.status === 'voided' || payment.pending === 'void') return unchanged(payment)
  if (payment.status === 'created') {
    return { payment: { ...payment, status: 'voided', updatedAtMs: nowMs }, event: 'payment_voided' }
  }
  if (payment.status !== 'authorized' || payment.pending) return { refused: 'not_voidable', status: payment.status }
  return ask(payment, 'void', 'authorized', nowMs)
}

export function refundPayment(payment: Payment, nowMs: number): PaymentChange | PaymentRefusal {
  if (payment.status === 'refunding' || payment.status === 'refunded') return unchanged(payment)
  if (payment.status !== 'captured') return { refused: 'not_refundable', status: payment.status }
  return ask(payment, 'refund', 'refunding', nowMs)
}

/** Puts off asking, or hastens it: a report from the provider makes the next look due at once. */
export function makeDue(payment: Payment, nowMs: number): PaymentChange {
  if (!payment.pending) return unchanged(payment)
  return { payment: { ...payment, dueAtMs: Math.min(payment.dueAtMs, nowMs) }, event: undefined }
}

export interface RetryDelays {
  readonly retryMinMs: number
  readonly retryMaxMs: number
}

/**
 * Takes in what came of asking about `operation`. A verdict for something no longer pending is old news and changes
 * nothing, so that late, repeated and reordered answers are harmless.
 */
export function applyVerdict(
  payment: Payment,
  answer: { readonly operation: PendingOperation; readonly verdict: Verdict },
  at: { readonly nowMs: number; readonly delays: RetryDelays },
): PaymentChange {
  const { operation, verdict } = answer
  if (payment.pending !== operation) return unchanged(payment)
  const asked = { ...payment, attempts: payment.attempts + 1, updatedAtMs: at.nowMs }
  switch (verdict.outcome) {
    case 'approved':
      return settle(asked, approved(operation, payment.manualCapture), { providerReference: verdict.reference })
    case 'declined':
      // Money that must go back or be let go is asked about until it has: only a charge or a capture may fail for good.
      return operation === 'charge' || operation === 'capture'
        ? settle(asked, { status: 'failed', event: 'payment_failed' }, { failure: verdict.reason })
        : askAgain({ ...asked, failure: verdict.reason }, at)
    case 'lost':
      return askAgain({ ...asked, status: operation === 'charge' ? 'unknown' : asked.status }, at)
    default:
      return verdict satisfies never
  }
}

function ask(payment: Payment, pending: PendingOperation, status: PaymentStatus, nowMs: number): PaymentChange {
  const asked = { ...payment, pending, status, pendingSinceMs: nowMs, dueAtMs: nowMs, tries: 0, updatedAtMs: nowMs }
  return { payment: asked, event: undefined }
}

function unchanged(payment: Payment): PaymentChange {
  return { payment, event: undefined }
}

interface Settlement {
  readonly status: PaymentStatus
  readonly event: PaymentEventType
}

function approved(operation: PendingOperation, manualCapture: boolean): Settlement {
  switch (operation) {
    case 'charge':
      return manualCapture
        ? { status: 'authorized', event: 'payment_authorized' }
        : { status: 'captured', event: 'payment_captured' }
    case 'capture':
      return { status: 'captured', event: 'payment_captured' }
    case 'void':
      return { status: 'voided', event: 'payment_voided' }
    case 'refund':
      return { status: 'refunded', event: 'payment_refunded' }
    default:
      return operation satisfies never
  }
}

function settle(payment: Payment, to: Settlement, facts: Partial<Payment>): PaymentChange {
  return {
    payment: {
      ...payment,
      ...facts,
      status: to.status,
      pending: undefined,
      pendingSinceMs: 0,
      failure: facts.failure ?? '',
    },
    event: to.event,
  }
}

function askAgain(payment: Payment, at: { readonly nowMs: number; readonly delays: RetryDelays }): PaymentChange {
  const delayMs = Math.min(at.delays.retryMaxMs, at.delays.retryMinMs * 2 ** Math.min(payment.tries, 30))
  return { payment: { ...payment, tries: payment.tries + 1, dueAtMs: at.nowMs + delayMs }, event: undefined }
}
