/** Processes that come and go: a missing peer is said clearly and in time, nothing of what was accepted is lost. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { eventually } from '../e2e/harness/eventually.ts'
import { loginOperator } from '../e2e/harness/people.ts'
import { createRest } from '../e2e/harness/rest.ts'
import { stockProduct } from '../e2e/harness/shop.ts'
import { layouts, openTopology, planTopology, type RunningShop } from './open-topology.ts'

const patienceMs = 20_000

describe('a process for each service', () => {
  let shop: RunningShop

  before(async () => {
    shop = await openTopology({ layout: layouts['a process for each service'] })
  })

  after(() => shop[Symbol.asyncDispose]())

  async function place(token: string, productId: string, options: { key?: string; timeoutMs?: number } = {}) {
    const { key = randomUUID(), timeoutMs } = options
    const headers = { 'idempotency-key': key, ...(timeoutMs && { 'x-timeout-ms': String(timeoutMs) }) }
    const json = { lines: [{ productId, quantity: 1 }], paymentMethod: 'card_ok' }
    return await shop.rest('/v1/orders', { token, json, headers })
  }

  const paid = (token: string, orderId: string) =>
    eventually(
      async () => {
        const { json } = await shop.rest(`/v1/orders/${orderId}`, { token })
        return json.status === 'ORDER_STATUS_PAID' ? { ok: true } : `it is ${json.status}`
      },
      { what: 'a paid order', timeoutMs: patienceMs },
    )

  it('says that a peer is down, within the deadline of the call, and goes on when it is back', async () => {
    const token = await shop.mint.token()
    const productId = await stockProduct(shop.rest, shop.operator.token, { units: 10 })
    const catalog = shop.placeOf('catalog')
    await catalog.program().kill()
    const key = randomUUID()
    for (const [timeoutMs, limitMs] of [
      [500, 2_000],
      [undefined, 8_000],
    ] as const) {
      const startMs = performance.now()
      const refused = await place(token, productId, { key, ...(timeoutMs && { timeoutMs }) })
      const tookMs = performance.now() - startMs
      assert.ok(refused.status === 503 || refused.status === 504, refused.text)
      assert.equal(refused.json.retryable, true)
      assert.ok(tookMs < limitMs, `${tookMs} ms`)
    }
    const passedOn = await shop.rest(`/v1/products/${productId}`)
    assert.equal(passedOn.status, 503, passedOn.text)
    assert.equal((await shop.rest('/v1/orders', { token })).status, 200, 'what needs no peer is served')
    await catalog.start()
    const placed = await eventually(
      async () => {
        const answer = await place(token, productId, { key })
        return answer.status === 200 ? answer : answer.text
      },
      { what: 'the catalogue', timeoutMs: patienceMs },
    )
    await paid(token, placed.json.orderId)
  })

  for (const service of ['payments', 'events', 'identity'] as const) {
    it(`carries orders to their end although ${service} dies and comes back`, async () => {
      const token = await shop.mint.token()
      const productId = await stockProduct(shop.rest, shop.operator.token, { units: 10 })
      const one = await place(token, productId)
      await shop.placeOf(service).program().kill()
      // Placing needs neither payments nor the bus nor identity: what is to happen is on disk.
      const two = await place(token, productId)
      assert.equal(two.status, 200, two.text)
      await shop.placeOf(service).start()
      await paid(token, one.json.orderId)
      await paid(token, two.json.orderId)
    })
  }

  it('stops one process after the other in good order, in any order', async () => {
    for (const service of ['catalog', 'events', 'orders', 'identity', 'payments'] as const) {
      const { took_ms } = await shop.placeOf(service).program().stop()
      assert.ok(Number(took_ms) < 5_000, `${service} took ${took_ms} ms`)
    }
  })
})

describe('the order in which processes start', () => {
  for (const order of [
    ['orders', 'payments', 'catalog', 'identity', 'events'],
    ['identity', 'orders', 'events', 'payments', 'catalog'],
  ] as const) {
    it(`does not matter: ${order.join(', ')}`, async () => {
      await using plan = await planTopology({ layout: layouts['a process for each service'] })
      const places = order.map((service) => plan.places.find((place) => place.services[0] === service)!)
      const starts: Promise<unknown>[] = []
      for (const place of places) {
        starts.push(place.start())
        // Long enough for each to look for its peers in vain before the next one is there.
        await new Promise((resolve) => setTimeout(resolve, 500))
      }
      await Promise.all(starts)
      const programOf = (service: string) => places[order.indexOf(service as never)]!.program()
      const rest = createRest(programOf('orders').http)
      const operator = await loginOperator(rest, programOf('identity').dir)
      const productId = await stockProduct(rest, operator.token, { units: 1 })
      const cart = await rest(`/v1/cart/lines/${productId}`, {
        method: 'PUT',
        token: operator.token,
        json: { quantity: 1 },
      })
      assert.ok(cart.status === 200 || cart.status === 403, cart.text)
    })
  }
})
