import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, it } from 'node:test'
import { PlatformError } from '@plinth/base'
import { openShop } from './open-shop.ts'

const operator = { id: 'op', roles: ['operator'] }

describe('the last unit', () => {
  it('goes to exactly one of two hundred buyers, and 199 are told so', async () => {
    await using shop = await openShop()
    const { catalog, inventory } = shop.as(operator)
    const { productId } = await catalog.createProduct({
      product: {
        sku: 'LAST',
        title: 'The Last Seduction',
        category: 'drama',
        price: { amountMinor: 500n, currency: 'USD' },
      },
    })
    await inventory.adjustStock({ productId, delta: 1 })

    const outcomes = await Promise.allSettled(
      Array.from({ length: 200 }, (_, buyer) =>
        shop
          .as({ id: `buyer-${buyer}`, roles: ['customer'] })
          .orders.placeOrder({ lines: [{ productId, quantity: 1 }] }, { idempotencyKey: randomUUID() }),
      ),
    )

    const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
    assert.equal(outcomes.length - refused.length, 1)
    for (const { reason } of refused) {
      assert.ok(PlatformError.is(reason))
      assert.deepEqual([reason.kind, reason.code], ['precondition', 'catalog.out_of_stock'])
      assert.deepEqual(reason.details['short'], [{ product_id: productId, wanted: 1, available: 0 }])
    }
    const stock = await inventory.getStock({ productId })
    assert.deepEqual([stock.available, stock.held, stock.sold], [0n, 1n, 0n])
    const { orders } = await shop.as(operator).orders.listOrders({ pageSize: 100 })
    assert.equal(orders.length, 1)
  })

  it('is sold once to a buyer who sends the same command eight times at once', async () => {
    await using shop = await openShop()
    const { catalog, inventory } = shop.as(operator)
    const { productId } = await catalog.createProduct({
      product: {
        sku: 'TWO',
        title: 'Double Indemnity',
        category: 'drama',
        price: { amountMinor: 500n, currency: 'USD' },
      },
    })
    await inventory.adjustStock({ productId, delta: 10 })
    const buyer = shop.as({ id: 'buyer', roles: ['customer'] })
    const key = randomUUID()

    const answers = await Promise.all(
      Array.from({ length: 8 }, () =>
        buyer.orders.placeOrder({ lines: [{ productId, quantity: 2 }] }, { idempotencyKey: key }),
      ),
    )

    assert.equal(new Set(answers.map((order) => order.orderId)).size, 1)
    const stock = await inventory.getStock({ productId })
    assert.deepEqual([stock.available, stock.held], [8n, 2n])
  })
})
