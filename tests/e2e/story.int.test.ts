/** The whole story of a shop, by every wire: from signing up to a refund, on the full catalogue. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { type Api, createGrpcApi, createRestApi } from './harness/api.ts'
import { eventually } from './harness/eventually.ts'
import { goodPassword, mailedToken } from './harness/people.ts'
import { errorLines } from './harness/program.ts'
import { openShop, type Shop } from './harness/shop.ts'

let shop: Shop

before(async () => {
  shop = await openShop({ seed: true, settings: ['identity.verification=required'] })
})

after(async () => {
  assert.deepEqual(errorLines(shop.program), [])
  await shop.program.stop()
  await shop[Symbol.asyncDispose]()
})

const address = { name: 'Ada', line1: '1 Way', postalCode: 'N1', city: 'London', country: 'GB' }
const patienceMs = 15_000

tellStory('by REST with lines of JSON', () => createRestApi(shop, 'ndjson'))
tellStory('by REST with server-sent events', () => createRestApi(shop, 'sse'))
tellStory('by gRPC', () => createGrpcApi(shop))

function tellStory(how: string, open: () => Api): void {
  describe(`the story ${how}`, () => {
    let api: Api
    let token: string
    let refreshToken: string
    let orderId: string
    let productId: string
    const email = `${randomUUID()}@example.com`
    const operator = () => ({ token: shop.operator.token })

    before(() => {
      api = open()
    })

    it('a customer registers, verifies the address and signs in', async () => {
      const answer = await api.call('AuthService/Register', { email, password: goodPassword, displayName: 'Ada' })
      assert.equal(answer.verificationRequired, true)
      const credentials = { email, password: goodPassword, deviceName: 'laptop' }
      await assert.rejects(api.call('AuthService/Login', credentials), { code: 'identity.email_unverified' })
      await api.call('AuthService/VerifyEmail', { token: await mailedToken(shop.program.dir, email) })
      await assert.rejects(api.call('AuthService/Login', { email, password: 'wrong' }), {
        code: 'identity.credentials_wrong',
      })
      const tokens = await api.call('AuthService/Login', credentials)
      token = tokens.accessToken
      refreshToken = tokens.refreshToken
      const me = await api.call('UsersService/GetMe', {}, { token })
      assert.deepEqual([me.email, me.roles], [email, ['customer']])
    })

    it('searches by beginnings, filters and facets, and pages through', async () => {
      const found = await api.call('CatalogService/SearchProducts', { q: 'star wa', pageSize: 5 })
      assert.ok(found.products.some(({ title }: { title: string }) => /star wars/i.test(title)))
      const [{ value: category, count }] = found.categories
      const filtered = await api.call('CatalogService/SearchProducts', { q: 'star wa', category })
      assert.equal(filtered.total, count)
      assert.ok(filtered.products.every((product: { category: string }) => product.category === category))
      const dear = await api.call('CatalogService/SearchProducts', {
        priceMin: '1000',
        inStock: true,
        order: 'SEARCH_ORDER_PRICE_ASCENDING',
      })
      const prices = dear.products.map(({ price }: { price: { amountMinor: string } }) => Number(price.amountMinor))
      assert.deepEqual(
        prices,
        prices.toSorted((a: number, b: number) => a - b),
      )
      assert.ok(prices[0] >= 1000)
      const seen = new Set<string>()
      let pageToken = ''
      for (let page = 0; page < 3; page++) {
        const list = await api.call('CatalogService/ListProducts', { pageSize: 100, pageToken })
        for (const product of list.products) seen.add(product.productId)
        pageToken = list.nextPageToken
      }
      assert.equal(seen.size, 300)
      assert.notEqual(pageToken, '')
      const stocked = filtered.products.find(({ available }: { available: string }) => Number(available) >= 3)
      productId = stocked?.productId ?? (await shop.stock(5))
    })

    it('fills the cart and orders it, once however often', async () => {
      await api.call('OrdersService/SetCartLine', { productId, quantity: 3 }, { token })
      const cart = await api.call('OrdersService/SetCartLine', { productId, quantity: 2 }, { token })
      assert.deepEqual(cart.lines, [{ productId, quantity: 2 }])
      const key = randomUUID()
      const placed = await api.call('OrdersService/PlaceOrder', { shippingAddress: address }, { token, key })
      assert.equal(placed.status, 'ORDER_STATUS_PLACED')
      assert.deepEqual(
        placed.lines.map((line: { productId: string; quantity: number }) => [line.productId, line.quantity]),
        [[productId, 2]],
      )
      const again = await api.call('OrdersService/PlaceOrder', { shippingAddress: address }, { token, key })
      assert.deepEqual(again, placed)
      assert.deepEqual((await api.call('OrdersService/GetCart', {}, { token })).lines, [])
      orderId = placed.orderId
      const { orders } = await api.call('OrdersService/ListOrders', {}, { token })
      assert.deepEqual(
        orders.map((order: { orderId: string }) => order.orderId),
        [orderId],
      )
    })

    it('pays and sees it live, while the operator ships, delivers and refunds', async () => {
      const seen: string[] = []
      const waiting = new Map<string, () => void>()
      const reach = (status: string) =>
        new Promise<void>((resolve) => {
          if (seen.includes(status)) resolve()
          else waiting.set(status, resolve)
        })
      const watching = (async () => {
        for await (const { status } of api.stream('OrdersService/WatchOrder', { orderId }, { token })) {
          seen.push(status)
          waiting.get(status)?.()
        }
      })()
      await reach('ORDER_STATUS_PLACED')
      await api.call('OrdersService/PayOrder', { orderId, paymentMethod: 'card_ok' }, { token })
      await reach('ORDER_STATUS_PAID')
      await assert.rejects(api.call('OrdersService/ShipOrder', { orderId }, { token }), { code: 'rpc.forbidden' })
      await api.call('OrdersService/ShipOrder', { orderId, trackingCode: 'T1' }, operator())
      await reach('ORDER_STATUS_SHIPPED')
      await api.call('OrdersService/DeliverOrder', { orderId }, operator())
      // A settled order has nothing more to tell: the stream ends by itself.
      await watching
      assert.equal(seen.at(-1), 'ORDER_STATUS_DELIVERED')
      await api.call('OrdersService/RefundOrder', { orderId, reason: 'torn' }, operator())
      const isRefunded = async () => {
        const order = await api.call('OrdersService/GetOrder', { orderId }, { token })
        return order.status === 'ORDER_STATUS_REFUNDED' ? { order } : String(order.status)
      }
      const { order } = await eventually(isRefunded, { what: 'the refund', timeoutMs: patienceMs })
      const { entries } = await api.call('OrdersService/GetTimeline', { orderId }, { token })
      assert.deepEqual(
        entries.map(({ type, actor }: { type: string; actor: string }) => `${type} by ${actor}`),
        [
          'order_placed by customer',
          'order_payment_requested by customer',
          'order_paid by system',
          'order_shipped by operator',
          'order_delivered by operator',
          'order_refund_requested by operator',
          'order_refunded by system',
        ],
      )
      const payment = await api.call('PaymentsService/GetPayment', { paymentId: order.paymentId }, operator())
      assert.equal(payment.status, 'PAYMENT_STATUS_REFUNDED')
    })

    it('pages through its orders, newest first', async () => {
      const orders: string[] = [orderId]
      for (let at = 0; at < 4; at++) {
        const request = { lines: [{ productId: await shop.stock(1), quantity: 1 }] }
        orders.push((await api.call('OrdersService/PlaceOrder', request, { token })).orderId)
      }
      const seen: string[] = []
      let pageToken = ''
      do {
        const page = await api.call('OrdersService/ListOrders', { pageSize: 2, pageToken }, { token })
        assert.ok(page.orders.length <= 2)
        seen.push(...page.orders.map((order: { orderId: string }) => order.orderId))
        pageToken = page.nextPageToken
      } while (pageToken !== '')
      assert.deepEqual(seen, orders.toReversed())
    })

    it('stays signed in by refreshing, and is out at once when the session ends', async () => {
      const racing = await Promise.all(
        Array.from({ length: 4 }, () => api.call('AuthService/Refresh', { refreshToken })),
      )
      assert.equal(new Set(racing.map((tokens) => tokens.refreshToken)).size, 1)
      const [{ accessToken, refreshToken: next }] = racing
      const { sessions } = await api.call('AuthService/ListSessions', {}, { token: accessToken })
      assert.deepEqual(
        sessions.map((session: { deviceName: string }) => session.deviceName),
        ['laptop'],
      )
      const other = await api.call('AuthService/Login', { email, password: goodPassword })
      await api.call('AuthService/RevokeSession', { sessionId: other.sessionId }, { token: accessToken })
      await assert.rejects(api.call('UsersService/GetMe', {}, { token: other.accessToken }), {
        code: 'security.token_revoked',
      })
      await api.call('AuthService/Logout', { refreshToken: next })
      await assert.rejects(api.call('OrdersService/GetCart', {}, { token: accessToken }), {
        code: 'security.token_revoked',
      })
      await assert.rejects(api.call('AuthService/Refresh', { refreshToken: next }), { code: 'identity.session_over' })
    })
  })
}
