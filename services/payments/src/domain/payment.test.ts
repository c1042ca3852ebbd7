import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  applyVerdict,
  capturePayment,
  confirmPayment,
  createPayment,
  isSameWish,
  makeDue,
  type NewPayment,
  type Payment,
  type PaymentChange,
  type PendingOperation,
  refundPayment,
  type Verdict,
  voidPayment,
} from './payment.ts'
import { isRefusal, type PaymentRefusal } from './refusals.ts'

const wish: NewPayment = {
  paymentId: 'pay1',
  orderId: 'o1',
  amountMinor: 1998,
  currency: 'USD',
  method: 'card_ok',
  manualCapture: false,
  manualConfirm: false,
}
const delays = { retryMinMs: 100, retryMaxMs: 1000 }
const approved: Verdict = { outcome: 'approved', reference: 'r1' }
const declined: Verdict = { outcome: 'declined', reason: 'card_declined' }
const lost: Verdict = { outcome: 'lost' }

function decided(decision: PaymentChange | PaymentRefusal): Payment {
  assert.ok(!isRefusal(decision), 'the decision is a refusal')
  return decision.payment
}

function answered(payment: Payment, operation: PendingOperation, verdict: Verdict): PaymentChange {
  return applyVerdict(payment, { operation, verdict }, { nowMs: 50, delays })
}

const processing = decided(createPayment(wish, 0))
const captured = answered(processing, 'charge', approved).payment
const authorized = answered(decided(createPayment({ ...wish, manualCapture: true }, 0)), 'charge', approved).payment

describe('payment', () => {
  it('createPayment() asks for the charge at once unless it waits for a confirmation', () => {
    assert.deepEqual([processing.status, processing.pending], ['processing', 'charge'])
    const created = decided(createPayment({ ...wish, manualConfirm: true }, 0))
    assert.deepEqual([created.status, created.pending], ['created', undefined])
    assert.equal(decided(confirmPayment(created, 5)).pending, 'charge')
    assert.deepEqual(confirmPayment(processing, 5), { refused: 'not_confirmable', status: 'processing' })
  })

  it('createPayment() refuses an amount that is not positive', () => {
    for (const amountMinor of [0, -1]) {
      assert.deepEqual(createPayment({ ...wish, amountMinor }, 0), { refused: 'amount_not_positive', amountMinor })
    }
  })

  it('applyVerdict() settles a charge: captured, authorized, failed, or unknown', () => {
    assert.equal(captured.status, 'captured')
    assert.equal(authorized.status, 'authorized')
    const failed = answered(processing, 'charge', declined)
    assert.deepEqual(
      [failed.payment.status, failed.payment.failure, failed.event],
      ['failed', 'card_declined', 'payment_failed'],
    )
    const unknown = answered(processing, 'charge', lost).payment
    assert.deepEqual([unknown.status, unknown.pending, unknown.tries], ['unknown', 'charge', 1])
    assert.equal(answered(unknown, 'charge', approved).payment.status, 'captured')
  })

  it('applyVerdict() asks again after pauses that double up to the longest', () => {
    let payment = processing
    const pauses: number[] = []
    for (let attempt = 0; attempt < 6; attempt++) {
      payment = answered(payment, 'charge', lost).payment
      pauses.push(payment.dueAtMs - 50)
    }
    assert.deepEqual(pauses, [100, 200, 400, 800, 1000, 1000])
  })

  it('applyVerdict() ignores an answer to a question that is no longer open', () => {
    for (const verdict of [approved, declined, lost]) {
      assert.equal(answered(captured, 'charge', verdict).payment, captured)
      assert.equal(answered(processing, 'refund', verdict).payment, processing)
    }
  })

  it('applyVerdict() never gives up on money that has to go back', () => {
    const refunding = decided(refundPayment(captured, 10))
    const again = answered(refunding, 'refund', declined)
    assert.deepEqual([again.payment.status, again.payment.pending, again.event], ['refunding', 'refund', undefined])
    const done = answered(again.payment, 'refund', approved)
    assert.deepEqual([done.payment.status, done.event], ['refunded', 'payment_refunded'])
  })

  it('capturePayment() and voidPayment() take an authorized payment, one of them once', () => {
    const capturing = decided(capturePayment(authorized, 10))
    assert.equal(capturing.pending, 'capture')
    assert.deepEqual(voidPayment(capturing, 11), { refused: 'not_voidable', status: 'authorized' })
    assert.equal(answered(capturing, 'capture', approved).payment.status, 'captured')
    const voiding = decided(voidPayment(authorized, 10))
    assert.deepEqual(capturePayment(voiding, 11), { refused: 'not_capturable', status: 'authorized' })
    assert.equal(answered(voiding, 'void', approved).payment.status, 'voided')
  })

  it('repeats of a command change nothing', () => {
    const refunding = decided(refundPayment(captured, 10))
    assert.equal(decided(refundPayment(refunding, 11)), refunding)
    assert.equal(decided(capturePayment(captured, 11)), captured)
    const voided = decided(voidPayment(decided(createPayment({ ...wish, manualConfirm: true }, 0)), 5))
    assert.equal(decided(voidPayment(voided, 6)), voided)
  })

  it('refuses what the state does not allow', () => {
    assert.deepEqual(refundPayment(processing, 10), { refused: 'not_refundable', status: 'processing' })
    assert.deepEqual(capturePayment(processing, 10), { refused: 'not_capturable', status: 'processing' })
    assert.deepEqual(voidPayment(captured, 10), { refused: 'not_voidable', status: 'captured' })
  })

  it('makeDue() hastens an open question and leaves a settled payment alone', () => {
    const later = answered(processing, 'charge', lost).payment
    assert.equal(makeDue(later, 60).payment.dueAtMs, 60)
    assert.equal(makeDue(captured, 60).payment, captured)
  })

  it('isSameWish() tells a repetition from another wish under the same id', () => {
    assert.ok(isSameWish(processing, wish))
    for (const other of [
      { amountMinor: 1 },
      { orderId: 'o2' },
      { currency: 'EUR' },
      { method: 'x' },
      { manualCapture: true },
    ]) {
      assert.ok(!isSameWish(processing, { ...wish, ...other }))
    }
  })
})
