import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createFakeClock } from '@plinth/base/testing'
import { currentScope, withScope } from '@plinth/concurrency'
import { createPayment, type Payment } from '../domain/payment.ts'
import { isRefusal } from '../domain/refusals.ts'
import type { PaymentStore } from './ports.ts'
import { createWorkOff } from './work-off-payments.ts'

function pendingPayment(paymentId: string): Payment {
  const wish = { orderId: 'o1', amountMinor: 1, currency: 'USD', method: 'card_ok' }
  const created = createPayment({ ...wish, paymentId, manualCapture: false, manualConfirm: false }, 0)
  assert.ok(!isRefusal(created))
  return created.payment
}

/** Work on payments that are always due, with what became of each try. */
function createHouse(settle: (payment: Payment) => Promise<Payment>, dueNow: readonly Payment[] = []) {
  const clock = createFakeClock()
  const faults: string[] = []
  const store = { due: async () => dueNow } as Partial<PaymentStore> as PaymentStore
  const settings = () => ({ callsMax: 2, sweepMs: 100 })
  const onFault = (payment: Payment) => void faults.push(payment.paymentId)
  return { clock, faults, workOff: createWorkOff({ store, settle, clock, settings, onFault }) }
}

describe('work on payments', () => {
  it('is not cut off by the deadline of whoever made the payment pending', async () => {
    const deadlines: number[] = []
    const { clock, workOff } = createHouse(async (payment) => {
      deadlines.push(currentScope().deadlineMs)
      return payment
    })
    await withScope({ timeoutMs: 10, clock }, async () => workOff.offer(pendingPayment('p1')))
    await clock.advance(0)
    assert.deepEqual(deadlines, [Infinity])
  })

  it('asks about as many at once as it may, and about each once at a time', async () => {
    const asked: string[] = []
    const held = Promise.withResolvers<void>()
    const { clock, workOff } = createHouse(async (payment) => {
      asked.push(payment.paymentId)
      await held.promise
      return payment
    })
    for (const id of ['p1', 'p1', 'p2', 'p3']) workOff.offer(pendingPayment(id))
    assert.deepEqual([asked, workOff.underWay], [['p1', 'p2'], 2])
    held.resolve()
    await clock.advance(0)
    assert.deepEqual(asked, ['p1', 'p2', 'p3'])
    assert.equal(workOff.underWay, 0)
  })

  it('lets a payment rest that could not be worked on, however often it is due', async () => {
    const settle = () => Promise.reject(new Error('the disk is full'))
    const { clock, faults, workOff } = createHouse(settle, [pendingPayment('p1')])
    const closing = new AbortController()
    const sweeping = assert.rejects(workOff.run(closing.signal))
    await clock.advance(950)
    assert.equal(faults.length, 1)
    await clock.advance(150)
    assert.equal(faults.length, 2)
    closing.abort()
    await sweeping
  })
})
