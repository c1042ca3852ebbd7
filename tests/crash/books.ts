/**
 * What a shop has written down, read from the files of its services, and whether it adds up.
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export interface OrderRecord {
  readonly orderId: string
  readonly status: string
  readonly totalMinor: number
  readonly paymentId: string
  readonly goodsLeft: number
  readonly payByMs: number
  readonly lines: readonly { readonly productId: string; readonly quantity: number }[]
}

export interface EventRecord {
  readonly orderId: string
  readonly sequence: number
  readonly type: string
  readonly actor: string
  readonly detail: string
}

export interface PaymentRecord {
  readonly paymentId: string
  readonly orderId: string
  readonly amountMinor: number
  readonly status: string
  readonly pending: string
  readonly attempts: number
}

export interface ProviderRecord {
  readonly key: string
  readonly paymentId: string
  readonly orderId: string
  readonly operation: string
  readonly amountMinor: number
  readonly outcome: string
}

export interface StockRecord {
  readonly productId: string
  readonly available: number
  readonly held: number
  readonly sold: number
}

export interface ReservationRecord {
  readonly reservationId: string
  readonly state: string
}

export interface Books {
  readonly orders: ReadonlyMap<string, OrderRecord>
  readonly events: ReadonlyMap<string, readonly EventRecord[]>
  readonly payments: readonly PaymentRecord[]
  readonly provider: readonly ProviderRecord[]
  readonly stock: readonly StockRecord[]
  readonly reservations: ReadonlyMap<string, ReservationRecord>
  /** Messages that wait in the outboxes. */
  readonly outbox: number
}

/** Reads the books; the shop may be running. */
export function readBooks(dir: string): Books {
  const orders = rows(dir, 'orders', orderQuery).map((row) => ({ ...row, lines: JSON.parse(String(row['lines'])) }))
  return {
    orders: new Map((orders as unknown as OrderRecord[]).map((order) => [order.orderId, order])),
    events: Map.groupBy(rows(dir, 'orders', eventQuery) as unknown as EventRecord[], (event) => event.orderId),
    payments: rows(dir, 'payments', paymentQuery) as unknown as PaymentRecord[],
    provider: rows(dir, 'provider', providerQuery) as unknown as ProviderRecord[],
    stock: rows(dir, 'catalog', stockQuery) as unknown as StockRecord[],
    reservations: new Map(
      (rows(dir, 'catalog', reservationQuery) as unknown as ReservationRecord[]).map((one) => [one.reservationId, one]),
    ),
    outbox: ['orders', 'payments', 'catalog', 'identity'].reduce(
      (sum, name) => sum + Number(rows(dir, name, 'select count(*) as count from outbox')[0]?.['count'] ?? 0),
      0,
    ),
  }
}

const orderQuery = `
  select order_id as orderId, status, total_minor as totalMinor, payment_id as paymentId, goods_left as goodsLeft,
    pay_by_ms as payByMs, lines from customer_order`
const eventQuery = `
  select o.order_id as orderId, e.value ->> 'sequence' as sequence, e.value ->> 'type' as type,
    e.value ->> 'actor' as actor, e.value ->> 'detail' as detail
  from customer_order o, json_each('[' || replace(rtrim(o.timeline, char(10)), char(10), ',') || ']') e
  order by o.order_id, sequence`
const paymentQuery = `
  select payment_id as paymentId, order_id as orderId, amount_minor as amountMinor, status, pending, attempts
  from payment order by created_at_ms, payment_id`
const providerQuery = `
  select key, payment_id as paymentId, order_id as orderId, operation, amount_minor as amountMinor, outcome
  from provider_operation order by at_ms, key`
const stockQuery = 'select product_id as productId, available, held, sold from stock'
const reservationQuery = 'select reservation_id as reservationId, state from reservation'

function rows(dir: string, name: string, query: string): readonly Record<string, unknown>[] {
  const database = new DatabaseSync(join(dir, `${name}.db`), { readOnly: true, timeout: 5000 })
  try {
    return database.prepare(query).all()
  } finally {
    database.close()
  }
}

/** Something that does not add up, and the order it is about when it is about one. */
export interface Discrepancy {
  readonly what: string
  readonly orderId?: string
}

/** Whether something in the books still waits to happen by itself. */
export function stillMoving(books: Books, nowMs: number): readonly Discrepancy[] {
  const moving: Discrepancy[] = []
  for (const { orderId, status, payByMs } of books.orders.values()) {
    if (status === 'paying' || status === 'refunding') moving.push({ orderId, what: `the order is stuck in ${status}` })
    if (status === 'placed' && payByMs < nowMs) moving.push({ orderId, what: 'the order should have expired' })
  }
  for (const { orderId, paymentId, pending } of books.payments) {
    if (pending !== '') moving.push({ orderId, what: `payment ${paymentId} still waits for ${pending}` })
  }
  if (books.outbox > 0) moving.push({ what: `${books.outbox} messages wait in the outboxes` })
  for (const { reservationId: orderId, state } of books.reservations.values()) {
    const status = books.orders.get(orderId)?.status
    if (state === 'held' && status !== 'placed') moving.push({ orderId, what: `stock is held, the order is ${status}` })
  }
  return moving
}

/** Everything in books at rest that does not add up. `stocked` is what was put in, by product. */
export function audit(books: Books, stocked: ReadonlyMap<string, number>): readonly Discrepancy[] {
  const found: Discrepancy[] = []
  const atProvider = Map.groupBy(books.provider, (operation) => operation.orderId)
  for (const order of books.orders.values()) {
    for (const what of auditMoney(order, atProvider.get(order.orderId) ?? [])) {
      found.push({ orderId: order.orderId, what })
    }
    const told = replayTimeline(books.events.get(order.orderId) ?? [])
    if (told !== order.status) found.push({ orderId: order.orderId, what: `is ${order.status}; the timeline: ${told}` })
  }
  for (const orderId of atProvider.keys()) {
    if (!books.orders.has(orderId)) found.push({ orderId, what: 'the provider knows an order that we do not' })
  }
  return [...found, ...auditPayments(books), ...auditStock(books, stocked)]
}

const keepsMoney = new Set(['paid', 'shipped', 'delivered'])

function* auditMoney(order: OrderRecord, operations: readonly ProviderRecord[]): Iterable<string> {
  const approved = operations.filter((one) => one.outcome === 'approved')
  const charges = approved.filter((one) => one.operation === 'charge')
  const refunds = approved.filter((one) => one.operation === 'refund')
  if (charges.length > 1) yield `was charged ${charges.length} times`
  if (refunds.length > 1) yield `was refunded ${refunds.length} times`
  const kept = sum(charges) - sum(refunds)
  const due = keepsMoney.has(order.status) ? order.totalMinor : 0
  if (kept !== due) yield `is ${order.status} and ${due} are due, but the provider keeps ${kept}`
  if (refunds.length > 0 !== (order.status === 'refunded')) yield `is ${order.status} with ${refunds.length} refunds`
  if (order.status === 'refunded' && charges.length === 0) yield 'was refunded without a charge'
}

function sum(operations: readonly ProviderRecord[]): number {
  return operations.reduce((total, one) => total + one.amountMinor, 0)
}

/** What the provider's books say of a payment of each status: approved charges, approved refunds. */
const atProviderBy: Readonly<Record<string, readonly [number, number]>> = {
  captured: [1, 0],
  refunded: [1, 1],
  failed: [0, 0],
}

function* auditPayments(books: Books): Iterable<Discrepancy> {
  const byPayment = Map.groupBy(books.provider, (operation) => operation.paymentId)
  for (const { paymentId, orderId, status } of books.payments) {
    const approved = (byPayment.get(paymentId) ?? []).filter((one) => one.outcome === 'approved')
    const counts = ['charge', 'refund'].map((name) => approved.filter((one) => one.operation === name).length)
    const expected = atProviderBy[status]
    if (expected?.[0] !== counts[0] || expected?.[1] !== counts[1]) {
      yield { orderId, what: `payment ${paymentId} is ${status}, the provider has ${counts[0]}/${counts[1]}` }
    }
  }
}

function* auditStock(books: Books, stocked: ReadonlyMap<string, number>): Iterable<Discrepancy> {
  const held = new Map<string, number>()
  const sold = new Map<string, number>()
  for (const order of books.orders.values()) {
    const isOpen = order.status === 'placed' || order.status === 'paying'
    const isSold = keepsMoney.has(order.status) || (order.status === 'refunded' && order.goodsLeft === 1)
    const states = isOpen ? ['held'] : isSold ? ['committed'] : ['released', 'expired', undefined]
    const state = books.reservations.get(order.orderId)?.state
    if (!states.includes(state)) yield { orderId: order.orderId, what: `is ${order.status}, its stock ${state}` }
    for (const { productId, quantity } of order.lines) {
      if (isOpen) held.set(productId, (held.get(productId) ?? 0) + quantity)
      if (isSold) sold.set(productId, (sold.get(productId) ?? 0) + quantity)
    }
  }
  for (const stock of books.stock) {
    const { productId } = stock
    const total = stock.available + stock.held + stock.sold
    const wanted = { held: held.get(productId) ?? 0, sold: sold.get(productId) ?? 0 }
    if (total !== stocked.get(productId)) yield { what: `${productId}: ${total} units of ${stocked.get(productId)}` }
    if (stock.held !== wanted.held) yield { what: `${productId}: ${stock.held} held, orders hold ${wanted.held}` }
    if (stock.sold !== wanted.sold) yield { what: `${productId}: ${stock.sold} sold, orders bought ${wanted.sold}` }
  }
}

/** Where each event may lead, by the status before it. */
const moves: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  order_placed: { nothing: 'placed' },
  order_payment_requested: { placed: 'paying', paying: 'paying' },
  order_payment_failed: { paying: 'placed' },
  order_paid: { paying: 'paid' },
  order_shipped: { paid: 'shipped' },
  order_delivered: { shipped: 'delivered' },
  order_cancelled: { placed: 'cancelled' },
  order_refund_requested: {
    paying: 'refunding',
    paid: 'refunding',
    shipped: 'refunding',
    delivered: 'refunding',
    refunding: 'refunding',
  },
  order_refunded: { refunding: 'refunded', paid: 'refunded', shipped: 'refunded', delivered: 'refunded' },
}

/** The status that a timeline tells of, or what is wrong with it. */
function replayTimeline(events: readonly EventRecord[]): string {
  let status = 'nothing'
  for (const { type } of events) {
    if (type === 'order_updated') continue
    const next = moves[type]?.[status]
    if (next === undefined) return `${type} after ${status}`
    status = next
  }
  return status
}

/** All that is known of one order, for whoever has to find out what went wrong. */
export function storyOf(orderId: string, books: Books): string {
  const order = books.orders.get(orderId)
  const lines = [
    `order ${orderId}: ${JSON.stringify(order)}`,
    ...(books.events.get(orderId) ?? []).map(
      (event) => `  ${event.sequence} ${event.type} (${event.actor}) ${event.detail}`,
    ),
    ...books.payments.filter((one) => one.orderId === orderId).map((one) => `  payment ${JSON.stringify(one)}`),
    ...books.provider.filter((one) => one.orderId === orderId).map((one) => `  provider ${JSON.stringify(one)}`),
    `  reservation ${JSON.stringify(books.reservations.get(orderId))}`,
  ]
  return lines.join('\n')
}
