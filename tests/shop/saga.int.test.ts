import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, it } from 'node:test'
import { type Order, OrderStatus } from '@plinth/orders-service/contract'
import { PaymentStatus } from '@plinth/payments-service/contract'
import { openShop, type Shop } from './open-shop.ts'

const customer = { id: 'c1', roles: ['customer'] }
const operator = { id: 'op', roles: ['operator'] }

/** Watches an order until it has this status. */
async function until(shop: Shop, orderId: string, status: OrderStatus): Promise<Order> {
  const seen: OrderStatus[] = []
  for await (const order of shop.as(operator).orders.watchOrder({ orderId }, { timeoutMs: 10_000 })) {
    seen.push(order.status)
    if (order.status === status) return order
  }
  return assert.fail(`the order never had status ${status}, only ${seen.join(', ')}`)
}

async function stockedProduct(shop: Shop, units: number): Promise<string> {
  const { catalog, inventory } = shop.as(operator)
  const { productId } = await catalog.createProduct({
    product: {
      sku: `SKU-${randomUUID()}`,
      title: 'The Third Man',
      category: 'drama',
      price: { amountMinor: 999n, currency: 'USD' },
    },
  })
  if (units > 0) await inventory.adjustStock({ productId, delta: units })
  return productId
}

describe('the order saga', () => {
  it('carries an order from placing to delivery', async () => {
    await using shop = await openShop()
    const productId = await stockedProduct(shop, 5)
    const placed = await shop
      .as(customer)
      .orders.placeOrder(
        { lines: [{ productId, quantity: 2 }], paymentMethod: 'card_ok' },
        { idempotencyKey: randomUUID() },
      )
    assert.equal(placed.status, OrderStatus.PAYING)
    assert.equal(placed.total?.amountMinor, 1998n)
    const { orderId } = await until(shop, placed.orderId, OrderStatus.PAID)
    const { orders, inventory } = shop.as(operator)
    const stock = await inventory.getStock({ productId })
    assert.deepEqual([stock.available, stock.held, stock.sold], [3n, 0n, 2n])
    assert.equal((await orders.shipOrder({ orderId, trackingCode: 'T1' })).status, OrderStatus.SHIPPED)
    assert.equal((await orders.deliverOrder({ orderId })).status, OrderStatus.DELIVERED)
    const { entries } = await orders.getTimeline({ orderId })
    assert.deepEqual(
      entries.map((entry) => entry.type),
      ['order_placed', 'order_payment_requested', 'order_paid', 'order_shipped', 'order_delivered'],
    )
  })

  it('gives the order back for another try when the card is declined', async () => {
    await using shop = await openShop()
    const productId = await stockedProduct(shop, 1)
    const { orders } = shop.as(customer)
    const placed = await orders.placeOrder(
      { lines: [{ productId, quantity: 1 }], paymentMethod: 'card_declined' },
      { idempotencyKey: randomUUID() },
    )
    const failed = await until(shop, placed.orderId, OrderStatus.PLACED)
    assert.equal(failed.paymentFailure, 'card_declined')
    await orders.payOrder({ orderId: placed.orderId, paymentMethod: 'card_ok' }, { idempotencyKey: randomUUID() })
    await until(shop, placed.orderId, OrderStatus.PAID)
  })

  it('refunds a paid order and puts its stock back', async () => {
    await using shop = await openShop()
    const productId = await stockedProduct(shop, 1)
    const placed = await shop
      .as(customer)
      .orders.placeOrder(
        { lines: [{ productId, quantity: 1 }], paymentMethod: 'card_ok' },
        { idempotencyKey: randomUUID() },
      )
    const paid = await until(shop, placed.orderId, OrderStatus.PAID)
    await shop.as(operator).orders.refundOrder({ orderId: paid.orderId, reason: 'scratched' })
    await until(shop, paid.orderId, OrderStatus.REFUNDED)
    const payment = await shop.as(operator).payments.getPayment({ paymentId: paid.paymentId })
    assert.equal(payment.status, PaymentStatus.REFUNDED)
  })

  it('finds out what became of a payment whose answer was lost', async () => {
    await using shop = await openShop({ settings: ['payments.retryMinMs=10ms', 'payments.sweepMs=50ms'] })
    const productId = await stockedProduct(shop, 1)
    const placed = await shop
      .as(customer)
      .orders.placeOrder(
        { lines: [{ productId, quantity: 1 }], paymentMethod: 'card_answer_lost' },
        { idempotencyKey: randomUUID() },
      )
    await until(shop, placed.orderId, OrderStatus.PAID)
  })
})
