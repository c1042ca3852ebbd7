import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createIds, createSeededRandom, systemClock } from '@plinth/base'
import { createFakeClock } from '@plinth/base/testing'
import { migrate, openSqliteStore } from '@plinth/data'
import { createSqliteFolder } from '@plinth/data/testing'
import { createOutbox } from '@plinth/messaging'
import { createMemoryOrderFeed } from '../src/adapters/memory-order-feed.ts'
import { type OrderSchema, orderMigrations } from '../src/adapters/order-schema.ts'
import { createSqlOrderStore } from '../src/adapters/sql-order-store.ts'
import type { Order, OrderEventType } from '../src/domain/order.ts'
import { isRefusal } from '../src/domain/refusals.ts'
import { createOrders } from '../src/usecases/orders.ts'
import type { Inventory, PaymentOutcome, Payments } from '../src/usecases/ports.ts'

const settings = {
  payTimeoutMs: 60_000,
  holdMarginMs: 1000,
  remindAfterMs: 30_000,
  answersKeptMs: 3_600_000,
  messagesKeptMs: 7_200_000,
}

/** Orders on a real store between a catalogue and payments that note what they are asked. */
async function openOrders(unitPriceMinor = 999) {
  await using undo = new AsyncDisposableStack()
  const folder = undo.use(await createSqliteFolder())
  const sql = undo.use(await openSqliteStore<OrderSchema>({ path: folder.file, clock: systemClock }))
  await migrate(sql, orderMigrations)
  const clock = createFakeClock()
  const ids = createIds({ clock, random: createSeededRandom(1) })
  const asked: string[] = []
  const inventory: Inventory = {
    async reserve(orderId, { lines }) {
      asked.push(`reserve ${orderId}`)
      return lines.map((line) => ({ ...line, title: 'Metropolis', unitPriceMinor, currency: 'USD' }))
    },
    async commit(orderId) {
      asked.push(`commit ${orderId}`)
      return 'sold'
    },
    async release(orderId) {
      asked.push(`release ${orderId}`)
    },
  }
  const answer: { outcome: PaymentOutcome | undefined } = { outcome: undefined }
  const payments: Payments = {
    async request({ paymentId }) {
      asked.push(`pay ${paymentId}`)
      return answer.outcome
    },
    async refund(paymentId) {
      asked.push(`refund ${paymentId}`)
      return answer.outcome
    },
  }
  const store = createSqlOrderStore({ store: sql, outbox: createOutbox(), clock, ids })
  const feed = createMemoryOrderFeed()
  const orders = createOrders({ store, inventory, payments, feed, clock, ids, settings: () => settings })
  const resources = undo.move()
  return { orders, store, clock, ids, asked, answer, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

type House = Awaited<ReturnType<typeof openOrders>>

const operator = { id: 'op', isOperator: true }

async function place({ orders }: House, key: string, paymentMethod = ''): Promise<Order> {
  const placed = await orders.place({
    customerId: 'c1',
    lines: [{ productId: 'p1', quantity: 2 }],
    note: '',
    shippingAddress: undefined,
    paymentMethod,
    once: { scope: 'c1 place', key, fingerprint: 'f' },
  })
  assert.ok(!isRefusal(placed))
  return placed
}

/** Hands an event of the order to the saga, as the bus does. */
async function hear({ orders, ids }: House, order: Order, type: OrderEventType): Promise<void> {
  const { orderId, paymentId, totalMinor, currency, paymentMethod, goodsLeft } = order
  const news = { messageId: ids.next(), type, orderId, paymentId, totalMinor, currency, paymentMethod, goodsLeft }
  await orders.reactToOrder({ ...news, reason: 'r' })
}

describe('orders', () => {
  it('find an outcome whose event got lost when they ask again', async () => {
    await using house = await openOrders()
    const { orders, clock, answer } = house
    const order = await place(house, 'k1', 'card_ok')
    await hear(house, order, 'order_payment_requested')
    assert.equal((await orders.read.get({ orderId: order.orderId, caller: operator })).status, 'paying')
    await clock.advance(settings.remindAfterMs)
    assert.equal(await orders.sweep(), 0)
    await clock.advance(1)
    assert.equal(await orders.sweep(), 1)
    answer.outcome = { type: 'payment_captured', failure: '' }
    await hear(house, order, 'order_payment_requested')
    assert.equal((await orders.read.get({ orderId: order.orderId, caller: operator })).status, 'paid')
  })

  it('without a price are paid and refunded without asking for money', async () => {
    await using house = await openOrders(0)
    const { orders, asked } = house
    const order = await place(house, 'k1', 'card_ok')
    const { orderId } = order
    await hear(house, order, 'order_payment_requested')
    assert.equal((await orders.read.get({ orderId, caller: operator })).status, 'paid')
    await orders.refund({ orderId, caller: operator }, 'scratched')
    await hear(house, order, 'order_refund_requested')
    assert.equal((await orders.read.get({ orderId, caller: operator })).status, 'refunded')
    assert.deepEqual(asked, [`reserve ${orderId}`, `commit ${orderId}`])
  })

  it('follow a payment that somebody refunded itself', async () => {
    await using house = await openOrders()
    const { orders, answer, ids } = house
    const order = await place(house, 'k1', 'card_ok')
    const { orderId, paymentId } = order
    answer.outcome = { type: 'payment_captured', failure: '' }
    await hear(house, order, 'order_payment_requested')
    const news = { messageId: ids.next(), type: 'payment_refunded', orderId, paymentId, failure: '' } as const
    await orders.reactToPayment(news)
    await orders.reactToPayment(news)
    const refunded = await orders.read.get({ orderId, caller: operator })
    assert.deepEqual([refunded.status, refunded.cancelReason], ['refunded', 'payment refunded'])
  })

  it('are remembered longer than the answers to their commands, and keep no stock twice', async () => {
    await using house = await openOrders()
    const { orders, clock, asked } = house
    const order = await place(house, 'k1')
    await clock.advance(settings.answersKeptMs)
    assert.equal(await orders.forgetOld(), 0)
    await clock.advance(1)
    assert.equal(await orders.forgetOld(), 1)
    assert.deepEqual(await place(house, 'k1'), order)
    // The same reservation twice is one, and it stays with the order.
    assert.deepEqual(asked, [`reserve ${order.orderId}`, `reserve ${order.orderId}`])
    await orders.cancel({ orderId: order.orderId, caller: operator }, '')
    await clock.advance(settings.answersKeptMs + 1)
    await orders.forgetOld()
    assert.equal((await place(house, 'k1')).status, 'cancelled')
    assert.deepEqual(asked.slice(2), [`reserve ${order.orderId}`, `release ${order.orderId}`])
  })

  it('forget handled messages after their time', async () => {
    await using house = await openOrders()
    const { orders, store, clock } = house
    const isFirst = () => store.unit((unit) => unit.firstTime('g', 'm1'))
    assert.equal(await isFirst(), true)
    await clock.advance(settings.messagesKeptMs)
    assert.deepEqual([await orders.forgetOld(), await isFirst()], [0, false])
    await clock.advance(1)
    assert.deepEqual([await orders.forgetOld(), await isFirst()], [1, true])
  })
})
