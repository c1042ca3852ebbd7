/**
 * What a shop does, whatever its layout: one suite that also writes down the outcomes, so that layouts can be compared.
 * @module
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { PlatformError } from '@plinth/base'
import { inventoryContract } from '@plinth/catalog-service/contract'
import { eventsContract, Start } from '@plinth/events-service/contract'
import { OrderStatus, ordersContract } from '@plinth/orders-service/contract'
import { paymentsContract } from '@plinth/payments-service/contract'
import { eventually } from '../e2e/harness/eventually.ts'
import { signUp } from '../e2e/harness/people.ts'
import { errorLines } from '../e2e/harness/program.ts'
import type { Answer, RestRequest } from '../e2e/harness/rest.ts'
import { stockProduct } from '../e2e/harness/shop.ts'
import type { RunningShop } from './open-topology.ts'

/** What happened, step by step, without ids and times. */
export type Outcomes = ReadonlyMap<string, unknown>

const buyers = 50
const patienceMs = 20_000

/** Runs the suite on one shop and answers what it wrote down. */
export function describeShop(name: string, open: () => Promise<RunningShop>): Outcomes {
  const outcomes = new Map<string, unknown>()
  const note = (step: string, outcome: unknown) => outcomes.set(step, plain(outcome))

  describe(name, () => {
    let shop: RunningShop

    before(async () => {
      shop = await open()
    })

    after(async () => {
      const failures = shop.places.flatMap((place) => errorLines(place.program()))
      await shop[Symbol.asyncDispose]()
      assert.deepEqual(failures, [])
    })

    const operator = (request: RestRequest = {}): RestRequest => ({ token: shop.operator.token, ...request })
    const stock = (units: number, facts?: Record<string, unknown>) =>
      stockProduct(shop.rest, shop.operator.token, { units, facts })

    async function place(token: string, json: unknown, key: string = randomUUID()): Promise<Answer> {
      return await shop.rest('/v1/orders', { token, json, headers: { 'idempotency-key': key } })
    }

    async function orderIn(token: string, orderId: string, status: string): Promise<Answer['json']> {
      return await eventually(
        async () => {
          const { json } = await shop.rest(`/v1/orders/${orderId}`, { token })
          return json.status === status ? json : `it is ${json.status}`
        },
        { what: `order ${status}`, timeoutMs: patienceMs },
      )
    }

    it('carries an order from the cart to the customer and back', async () => {
      const customer = await signUp(shop.rest)
      const productId = await stock(5)
      const { token } = customer
      const act = (path: string, json: unknown = {}, who = token) =>
        shop.rest(path, { token: who, json, headers: { 'idempotency-key': randomUUID() } })

      const cart = await shop.rest(`/v1/cart/lines/${productId}`, { method: 'PUT', token, json: { quantity: 2 } })
      note('story: cart', cart)
      const placed = await place(token, { shippingAddress: address })
      note('story: placed', placed)
      const { orderId } = placed.json
      note('story: paying', await act(`/v1/orders/${orderId}:pay`, { paymentMethod: 'card_ok' }))
      const paid = await orderIn(token, orderId, 'ORDER_STATUS_PAID')
      note('story: paid', paid)
      note('story: stock', await shop.rest(`/v1/products/${productId}/stock`, operator()))
      note('story: shipped', await act(`/v1/orders/${orderId}:ship`, { trackingCode: 'T1' }, shop.operator.token))
      note('story: delivered', await act(`/v1/orders/${orderId}:deliver`, {}, shop.operator.token))
      note('story: refunding', await act(`/v1/orders/${orderId}:refund`, { reason: 'torn' }, shop.operator.token))
      note('story: refunded', await orderIn(token, orderId, 'ORDER_STATUS_REFUNDED'))
      note('story: timeline', (await shop.rest(`/v1/orders/${orderId}/timeline`, { token })).json.entries)
      note('story: payment', await shop.rest(`/v1/payments/${paid.paymentId}`, operator()))
      note('story: settled stock', await shop.rest(`/v1/products/${productId}/stock`, operator()))
    })

    it('settles a declined, a cancelled and an overtaken payment', async () => {
      const { token } = await signUp(shop.rest)
      const lines = [{ productId: await stock(10), quantity: 1 }]
      const declined = await place(token, { lines, paymentMethod: 'card_declined' })
      await eventually(
        async () => (await shop.rest(`/v1/orders/${declined.json.orderId}`, { token })).json.paymentFailure || 'none',
        { what: 'a failure', timeoutMs: patienceMs, until: (failure) => failure !== 'none' },
      )
      note('declined', await orderIn(token, declined.json.orderId, 'ORDER_STATUS_PLACED'))
      const lost = await place(token, { lines, paymentMethod: 'card_answer_lost' })
      note('answer lost', (await orderIn(token, lost.json.orderId, 'ORDER_STATUS_PAID')).paymentFailure)
      const cancelled = await shop.rest(`/v1/orders/${lost.json.orderId}:cancel`, { token, json: { reason: 'late' } })
      note('cancelled', cancelled.status)
      const end = await eventually(
        async () => {
          const { json } = await shop.rest(`/v1/orders/${lost.json.orderId}`, { token })
          return /CANCELLED|REFUNDED/.test(json.status) ? json : json.status
        },
        { what: 'a settled order', timeoutMs: patienceMs },
      )
      note('cancelled: end', end)
    })

    it('refuses what cannot be, and says why', async () => {
      const { token } = await signUp(shop.rest)
      const stranger = await shop.mint.token()
      const productId = await stock(1)
      const yen = await stock(1, { price: { amountMinor: '100', currency: 'JPY' } })
      const order = (await place(token, { lines: [{ productId, quantity: 1 }] })).json
      const one = `/v1/orders/${order.orderId}`
      const id = randomUUID()
      const key = { 'idempotency-key': randomUUID() }
      const refusals: readonly [string, string, RestRequest][] = [
        ['nobody', '/v1/orders', {}],
        ['a bad token', '/v1/cart', { token: 'x.y.z' }],
        ['the wrong role', one.concat(':ship'), { token, json: {} }],
        ['an unknown path', '/v1/nothing', { token }],
        ['the wrong method', '/v1/cart', { method: 'PATCH', token, json: {} }],
        ['no key', '/v1/orders', { token, json: { lines: [{ productId, quantity: 1 }] } }],
        ['an empty cart', '/v1/orders', { token, json: {}, headers: key }],
        ['no stock', '/v1/orders', { token, json: { lines: [{ productId, quantity: 9 }] }, headers: key }],
        ['no product', '/v1/orders', { token, json: { lines: [{ productId: id, quantity: 1 }] }, headers: key }],
        ['broken lines', '/v1/orders', { token, json: { lines: [{ productId: 'x', quantity: 0 }] }, headers: key }],
        [
          'two currencies',
          '/v1/orders',
          {
            token,
            json: { lines: [productId, yen].map((each) => ({ productId: each, quantity: 1 })) },
            headers: { 'idempotency-key': randomUUID() },
          },
        ],
        ['an unknown order', `/v1/orders/${id}`, { token }],
        ["another's order", one, { token: stranger }],
        ["another's timeline", `${one}/timeline`, { token: stranger }],
        ['a bad page', '/v1/orders?pageToken=xyz', { token }],
        ['an unknown filter', '/v1/orders?colour=red', { token }],
        ['a stale tag', one, { method: 'PATCH', token, json: { note: 'x' }, headers: { 'if-match': '"99"' } }],
        ['a bad mask', `${one}?updateMask=status`, { method: 'PATCH', token, json: { note: 'x' } }],
        ['too early to ship', `${one}:ship`, operator({ json: {} })],
        ['too early to deliver', `${one}:deliver`, operator({ json: {} })],
        ['nothing to refund', `${one}:refund`, operator({ json: {} })],
        ['not settled', one, { method: 'DELETE', token }],
        ['an unknown payment', `/v1/payments/${id}`, operator()],
        ['a bad report', '/v1/payments/webhooks/simulator', { json: { report_id: 'r' } }],
        ['an unknown user', `/v1/users/${id}`, operator()],
        ['a taken SKU', '/v1/products', operator({ json: await productLike(productId) })],
        ['a wrong password', '/v1/auth/login', { json: { email: 'nobody@example.com', password: 'x' } }],
      ]
      for (const [why, path, request] of refusals) note(`refused: ${why}`, await shop.rest(path, request))
    })

    async function productLike(productId: string): Promise<unknown> {
      const { sku, title, category, price } = (await shop.rest(`/v1/products/${productId}`)).json
      return { sku, title, category, price }
    }

    it(`sells the last unit once to ${buyers} buyers`, async () => {
      const productId = await stock(1)
      const tokens = await Promise.all(Array.from({ length: buyers }, () => shop.mint.token()))
      const answers = await Promise.all(
        tokens.map((token) => place(token, { lines: [{ productId, quantity: 1 }], paymentMethod: 'card_ok' })),
      )
      const counts: Record<string, number> = {}
      for (const { status, json } of answers) {
        const outcome = `${status} ${json.code ?? 'placed'}`
        counts[outcome] = (counts[outcome] ?? 0) + 1
      }
      note('last unit', Object.entries(counts).sort())
      assert.equal(counts['200 placed'], 1)
      assert.equal(answers.length, buyers)
      const won = answers.findIndex(({ status }) => status === 200)
      await orderIn(tokens[won]!, answers[won]!.json.orderId, 'ORDER_STATUS_PAID')
      note('last unit: stock', await shop.rest(`/v1/products/${productId}/stock`, operator()))
    })

    it('answers a repeated command with its first answer', async () => {
      const token = await shop.mint.token()
      const productId = await stock(5)
      const key = randomUUID()
      const json = { lines: [{ productId, quantity: 1 }] }
      const answers = await Promise.all(Array.from({ length: 8 }, () => place(token, json, key)))
      assert.equal(new Set(answers.map(({ json: order }) => order.orderId)).size, 1)
      note(
        'repeated',
        answers.map(({ status }) => status),
      )
      note('repeated: other content', await place(token, { lines: [{ productId, quantity: 2 }] }, key))
      note("repeated: another's key", (await place(await shop.mint.token(), json, key)).status)
      note('repeated: stock', await shop.rest(`/v1/products/${productId}/stock`, operator()))
    })

    it('streams what happens to an order and on the bus', async () => {
      const token = await shop.mint.token()
      const productId = await stock(1)
      const { json } = await place(token, { lines: [{ productId, quantity: 1 }] })
      const { orderId } = json
      const seen: OrderStatus[] = []
      const watching = (async () => {
        for await (const { status } of shop
          .grpc(ordersContract, token)
          .watchOrder({ orderId }, { timeoutMs: 30_000 })) {
          seen.push(status)
          if (status === OrderStatus.PAID) return
        }
      })()
      const pay = { token, json: { paymentMethod: 'card_ok' }, headers: { 'idempotency-key': randomUUID() } }
      assert.equal((await shop.rest(`/v1/orders/${orderId}:pay`, pay)).status, 200)
      await watching
      assert.ok(
        seen.every((status, at) => at === 0 || status > seen[at - 1]!),
        seen.join(),
      )
      const types: string[] = []
      const tail = { topic: 'orders.order', start: Start.EARLIEST }
      for await (const { key, type } of shop.grpc(eventsContract, shop.operator.token).tailTopic(tail)) {
        if (key === orderId) types.push(type)
        if (type === 'order_paid' && key === orderId) break
      }
      note('streams: events', types)
    })

    it('keeps deadlines, and gives errors with their details, over gRPC', async () => {
      const { token } = await signUp(shop.rest)
      const productId = await stock(1)
      const orders = shop.grpc(ordersContract, token)
      const { json } = await place(token, { lines: [{ productId, quantity: 1 }] })
      const attempts: Record<string, () => Promise<unknown>> = {
        'no time': () => first(orders.watchOrder({ orderId: json.orderId }, { timeoutMs: 200 }), 2),
        'no stock': () => orders.placeOrder({ lines: [{ productId, quantity: 2 }] }, { idempotencyKey: randomUUID() }),
        'no key': () => orders.placeOrder({ lines: [{ productId, quantity: 1 }] }),
        'broken fields': () =>
          orders.placeOrder({ note: 'x'.repeat(501), lines: [{ productId: 'x' }] }, { idempotencyKey: randomUUID() }),
        'an unknown order': () => orders.getOrder({ orderId: randomUUID() }),
        'a service alone': () => shop.grpc(inventoryContract, token).release({ reservationId: randomUUID() }),
        nobody: () => shop.grpc(paymentsContract).getPayment({ paymentId: randomUUID() }),
      }
      for (const [why, attempt] of Object.entries(attempts)) {
        const fault = await attempt().then(
          () => 'was accepted',
          (error: unknown) => (PlatformError.is(error) ? faultOf(error) : String(error)),
        )
        note(`gRPC: ${why}`, fault)
      }
    })

    it('ends a session everywhere', async () => {
      const customer = await signUp(shop.rest)
      assert.equal((await shop.rest('/v1/cart', { token: customer.token })).status, 200)
      await shop.rest('/v1/auth/logout', { json: { refreshToken: customer.refreshToken } })
      const refused = await eventually(
        async () => {
          const answer = await shop.rest('/v1/cart', { token: customer.token })
          return answer.status === 200 ? 'still let in' : answer
        },
        { what: 'the end of the session', timeoutMs: patienceMs },
      )
      note('ended session', refused)
      note(
        'ended session: refresh',
        await shop.rest('/v1/auth/refresh', { json: { refreshToken: customer.refreshToken } }),
      )
    })
  })
  return outcomes
}

const address = { name: 'Ada', line1: '1 Way', postalCode: 'N1', city: 'London', country: 'GB' }

async function first(stream: AsyncIterable<unknown>, count: number): Promise<void> {
  let seen = 0
  for await (const _ of stream) if (++seen === count) return
}

function faultOf({ kind, code, message, retryable, details }: PlatformError): unknown {
  return { kind, code, message, retryable, details }
}

const instants = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/
const uuids = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g

/** An outcome without what differs from run to run. */
function plain(outcome: unknown): unknown {
  if (outcome !== null && typeof outcome === 'object' && 'headers' in outcome && 'text' in outcome) {
    const { status, json, text } = outcome as Answer
    return { status, body: plain(json ?? text) }
  }
  return JSON.parse(
    JSON.stringify(outcome ?? null, (key, value) => {
      if (key === 'attempts' || key === 'etag' || key === 'providerReference') return undefined
      if (typeof value !== 'string') return value
      return instants.test(value) ? '<time>' : value.replaceAll(uuids, '<id>')
    }),
  )
}
