import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  cancelOrder,
  deleteOrder,
  deliverOrder,
  editOrder,
  expireOrder,
  isSettled,
  type NewOrder,
  type Order,
  type OrderChange,
  payOrder,
  placeOrder,
  refundOrder,
  remindPayment,
  remindRefund,
  settlePaid,
  settlePaidWithoutStock,
  settlePaymentFailed,
  settleRefunded,
  shipOrder,
  totalMinorMax,
} from './order.ts'
import type { OrderStatus } from './order-status.ts'
import { isRefusal, type OrderRefusal } from './refusals.ts'

const wish: NewOrder = {
  orderId: 'o1',
  customerId: 'c1',
  lines: [{ productId: 'p1', title: 'Metropolis', quantity: 2, unitPriceMinor: 999 }],
  currency: 'USD',
  note: '',
  shippingAddress: undefined,
  payByMs: 1000,
  payment: { paymentId: 'pay1', method: 'card_ok' },
}

const start = decided(placeOrder(wish, 0))

function decided(decision: OrderChange | OrderRefusal): Order {
  assert.ok(!isRefusal(decision), 'the decision is a refusal')
  return decision.order
}

function inStatus(status: OrderStatus): Order {
  return { ...start, status }
}

/** Every command that can meet an order, at a time when it may still be paid. */
const commands = {
  pay: (order) => payOrder(order, { paymentId: 'pay2', method: 'card_ok', actor: 'customer' }, 10),
  cancel: (order) => cancelOrder(order, { actor: 'customer', reason: '' }, 10),
  ship: (order) => shipOrder(order, 'T1', 10),
  deliver: (order) => deliverOrder(order, 10),
  refund: (order) => refundOrder(order, '', 10),
  edit: (order) => editOrder(order, { note: 'n' }, { actor: 'customer', nowMs: 10 }),
  delete: (order) => deleteOrder(order, 10),
  paid: (order) => settlePaid(order, 'pay1', 10),
  paidWithoutStock: (order) => settlePaidWithoutStock(order, 'pay1', 10),
  failed: (order) => settlePaymentFailed(order, { paymentId: 'pay1', failure: 'card_declined' }, 10),
  refunded: (order) => settleRefunded(order, 'pay1', 10),
  expire: (order) => expireOrder(order, 2000),
  remindPayment: (order) => remindPayment(order, 10),
  remindRefund: (order) => remindRefund(order, 10),
} satisfies Record<string, (order: Order) => OrderChange | OrderRefusal>

/** What each command makes of each status; `-` changes nothing, a word in brackets is a refusal. */
const transitions: Record<OrderStatus, Record<keyof typeof commands, string>> = {
  placed: row(
    'paying cancelled (not_shippable) (not_deliverable) (not_refundable) placed (not_settled) - - - - cancelled - -',
  ),
  paying: row(
    '(not_payable) paying (not_shippable) (not_deliverable) (not_refundable) paying (not_settled) paid refunding placed - - paying -',
  ),
  paid: row('(not_payable) refunding shipped (not_deliverable) refunding paid (not_settled) - - - refunded - - -'),
  shipped: row(
    '(not_payable) (not_cancellable) (not_shippable) delivered refunding (not_editable) (not_settled) - - - refunded - - -',
  ),
  delivered: row(
    '(not_payable) (not_cancellable) (not_shippable) (not_deliverable) refunding (not_editable) delivered - - - refunded - - -',
  ),
  cancelled: row(
    '(not_payable) - (not_shippable) (not_deliverable) (not_refundable) (not_editable) cancelled - - - - - - -',
  ),
  refunding: row(
    '(not_payable) (not_cancellable) (not_shippable) (not_deliverable) (not_refundable) (not_editable) (not_settled) - - - refunded - - refunding',
  ),
  refunded: row(
    '(not_payable) (not_cancellable) (not_shippable) (not_deliverable) (not_refundable) (not_editable) refunded - - - - - - -',
  ),
}

function row(cells: string): Record<keyof typeof commands, string> {
  const parts = cells.split(' ')
  return Object.fromEntries(Object.keys(commands).map((name, at) => [name, parts[at]])) as never
}

function outcomeOf(order: Order, decision: OrderChange | OrderRefusal): string {
  if (isRefusal(decision)) return `(${decision.refused})`
  return decision.order === order ? '-' : decision.order.status
}

describe('order', () => {
  it('follows the table of states', () => {
    for (const [status, expected] of Object.entries(transitions)) {
      const order = inStatus(status as OrderStatus)
      const found = Object.entries(commands).map(([name, command]) => [name, outcomeOf(order, command(order))])
      assert.deepEqual(Object.fromEntries(found), expected, `from ${status}`)
    }
  })

  it('placeOrder() sums its lines and starts the payment it was given', () => {
    const change = placeOrder(wish, 5)
    assert.ok(!isRefusal(change))
    assert.equal(change.order.totalMinor, 1998)
    assert.deepEqual([change.order.status, change.order.paymentId], ['paying', 'pay1'])
    assert.deepEqual(
      change.events.map((event) => event.type),
      ['order_placed', 'order_payment_requested'],
    )
  })

  it('placeOrder() refuses an empty order and a total it could not count', () => {
    assert.deepEqual(placeOrder({ ...wish, lines: [] }, 0), { refused: 'cart_empty' })
    const line = { productId: 'p1', title: 't', quantity: 1, unitPriceMinor: totalMinorMax }
    assert.ok(!isRefusal(placeOrder({ ...wish, lines: [line] }, 0)))
    const tooMuch = placeOrder({ ...wish, lines: [line, { ...line, unitPriceMinor: 1 }] }, 0)
    assert.deepEqual(tooMuch, { refused: 'total_too_large', totalMinor: totalMinorMax + 1 })
  })

  it('payOrder() refuses from the moment the time to pay is over', () => {
    const attempt = { paymentId: 'pay2', method: 'card_ok', actor: 'customer' } as const
    assert.ok(!isRefusal(payOrder(inStatus('placed'), attempt, 999)))
    assert.deepEqual(payOrder(inStatus('placed'), attempt, 1000), { refused: 'too_late_to_pay', payByMs: 1000 })
  })

  it('turns a cancellation during a payment into a refund when the money was taken', () => {
    const asked = decided(cancelOrder(start, { actor: 'customer', reason: 'changed my mind' }, 10))
    assert.deepEqual([asked.status, asked.cancelRequested], ['paying', true])
    const paid = settlePaid(asked, 'pay1', 20)
    assert.equal(paid.order.status, 'refunding')
    assert.deepEqual(
      paid.events.map((event) => event.type),
      ['order_paid', 'order_refund_requested'],
    )
    assert.equal(settlePaymentFailed(asked, { paymentId: 'pay1', failure: 'x' }, 20).order.status, 'cancelled')
  })

  it('ignores news of a payment that is not its own', () => {
    assert.equal(settlePaid(start, 'other', 10).order, start)
    assert.equal(settlePaidWithoutStock(start, 'other', 10).order, start)
    assert.equal(settlePaymentFailed(start, { paymentId: 'other', failure: '' }, 10).order, start)
    const refunding = inStatus('refunding')
    assert.equal(settleRefunded(refunding, 'other', 10).order, refunding)
  })

  it('never loses count: each change raises the version by one and tells what happened', () => {
    const names = Object.keys(commands) as (keyof typeof commands)[]
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...names), { maxLength: 30 }), (path) => {
        let order = start
        for (const name of path) {
          const decision = commands[name](order)
          if (isRefusal(decision)) continue
          if (decision.order === order) assert.deepEqual(decision.events, [])
          else {
            assert.equal(decision.order.version, order.version + 1)
            assert.ok(decision.events.length > 0)
          }
          order = decision.order
        }
        assert.equal(order.totalMinor, 1998)
      }),
    )
  })

  it('keeps the money or gives it back, never both: a refunded order was refunded once', () => {
    const names = Object.keys(commands) as (keyof typeof commands)[]
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...names), { maxLength: 40 }), (path) => {
        let order = start
        let refunds = 0
        for (const name of path) {
          const decision = commands[name](order)
          if (isRefusal(decision)) continue
          refunds += decision.events.filter((event) => event.type === 'order_refunded').length
          order = decision.order
        }
        assert.ok(refunds <= 1)
        assert.equal(order.status === 'refunded', refunds === 1)
      }),
    )
  })

  it('isSettled() names the states in which nothing more happens by itself', () => {
    const settled = Object.keys(transitions).filter((status) => isSettled(inStatus(status as OrderStatus)))
    assert.deepEqual(settled.sort(), ['cancelled', 'delivered', 'refunded'])
  })
})
