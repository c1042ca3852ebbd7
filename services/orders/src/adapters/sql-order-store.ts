import { PlatformError } from '@plinth/base'
import { findAnswer, idempotent, type SqlReader, type SqlStore, type SqlWriter, sweepIdempotency } from '@plinth/data'
import { inbox, type Outbox } from '@plinth/messaging'
import type { Order, OrderChange } from '../domain/order.ts'
import type { CartLine, OnceKey, OrderQuery, OrderStore, OrderUnit, TimelineEntry } from '../usecases/ports.ts'
import { encodeOrderEvent } from '../wire/order-event.ts'
import { fromRow, toRow } from './order-row.ts'
import type { OrderSchema } from './order-schema.ts'
import * as statements from './order-statements.ts'

export interface SqlOrderStoreDeps {
  readonly store: SqlStore<OrderSchema>
  readonly outbox: Outbox
  readonly clock: { nowMs(): number }
  readonly ids: { next(): string }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Orders in a SQL store: one row an order, one an event of its timeline, events in the outbox of the same commit. */
export function createSqlOrderStore(deps: SqlOrderStoreDeps): OrderStore {
  const { store } = deps
  return {
    find: (orderId) => store.read((tx) => find(tx, orderId)),
    list: (query) => store.read((tx) => list(tx, query)),
    timeline: (orderId) => store.read((tx) => timeline(tx, orderId)),
    cart: (customerId) => store.read((tx) => cart(tx, customerId)),
    async answered<T>(key: OnceKey): Promise<T | undefined> {
      const answer = await store.read((tx) => findAnswer(tx, key))
      return answer && (JSON.parse(decoder.decode(answer)) as T)
    },
    expired: (nowMs, limit) => store.read((tx) => ids(tx.all(statements.expired, { nowMs, limit }))),
    waiting: (beforeMs, limit) => store.read((tx) => ids(tx.all(statements.waiting, { beforeMs, limit }))),
    forgetAnswers: (before) => store.write((tx) => sweepIdempotency(tx, before)),
    forgetMessages: (before) => store.write((tx) => inbox.sweep(tx, before)),
    unit: (work) => store.write((tx) => work(createUnit(tx, deps))),
  } satisfies OrderStore
}

function createUnit(tx: SqlWriter<OrderSchema>, deps: SqlOrderStoreDeps): OrderUnit {
  return {
    find: (orderId) => find(tx, orderId),
    add: (change) => add(tx, change, deps),
    save: (change) => save(tx, change, deps),
    cart: (customerId) => cart(tx, customerId),
    async setCartLine(customerId, line) {
      if (line.quantity === 0) await tx.run(statements.removeCartLine, { customerId, productId: line.productId })
      else await tx.run(statements.setCartLine, { customerId, ...line })
    },
    async clearCart(customerId) {
      await tx.run(statements.clearCart, { customerId })
    },
    async once<T>(key: OnceKey, work: () => Promise<T>) {
      let fresh: { readonly value: T } | undefined
      const { answer, replayed } = await idempotent(tx, { ...key, nowMs: deps.clock.nowMs() }, async () => {
        fresh = { value: await work() }
        return encoder.encode(JSON.stringify(fresh.value))
      })
      return { value: fresh ? fresh.value : (JSON.parse(decoder.decode(answer)) as T), replayed }
    },
    firstTime: (group, messageId) => inbox.firstTime(tx, { group, messageId, nowMs: deps.clock.nowMs() }),
  }
}

async function find(tx: SqlReader<OrderSchema>, orderId: string): Promise<Order | undefined> {
  const row = await tx.get(statements.find, { orderId })
  return row && fromRow(row)
}

async function list(tx: SqlReader<OrderSchema>, query: OrderQuery): Promise<readonly Order[]> {
  let select = tx.query.selectFrom('customer_order').selectAll().where('deleted', '=', 0)
  if (query.customerId !== undefined) select = select.where('customer_id', '=', query.customerId)
  if (query.status !== undefined) select = select.where('status', '=', query.status)
  const after = query.after
  if (after) {
    select = select.where((where) =>
      where.or([
        where('created_at_ms', '<', after.timeMs),
        where.and([where('created_at_ms', '=', after.timeMs), where('order_id', '<', after.id)]),
      ]),
    )
  }
  const rows = await select.orderBy('created_at_ms', 'desc').orderBy('order_id', 'desc').limit(query.limit).execute()
  return rows.map(fromRow)
}

async function add(
  tx: SqlWriter<OrderSchema>,
  change: OrderChange,
  deps: SqlOrderStoreDeps,
): Promise<Order | undefined> {
  const { changes } = await tx.run(statements.insert, toRow(change.order, timelineLines(change)))
  if (changes === 0) return await find(tx, change.order.orderId)
  await publish(tx, change, deps)
  return undefined
}

async function save(tx: SqlWriter<OrderSchema>, change: OrderChange, deps: SqlOrderStoreDeps): Promise<void> {
  const { order } = change
  const row = { ...toRow(order, timelineLines(change)), versionBefore: order.version - 1 }
  const { changes } = await tx.run(statements.update, row)
  if (changes !== 1) throw changedError(order)
  await publish(tx, change, deps)
}

async function publish(tx: SqlWriter<OrderSchema>, change: OrderChange, deps: SqlOrderStoreDeps): Promise<void> {
  const { order, events } = change
  await deps.outbox.add(
    tx,
    events.map((event) => encodeOrderEvent(order, { event, id: deps.ids.next() })),
  )
}

/** What a change adds to the timeline. Reminders are not history: an order that waits long would fill up with them. */
function timelineLines({ order, events }: OrderChange): string {
  return events
    .map(({ isReminder, ...event }, index): string => {
      // Versions grow by one and a version has few events, so the two make a growing sequence.
      const entry: TimelineEntry = { sequence: order.version * 10 + index, atMs: order.updatedAtMs, ...event }
      return isReminder ? '' : `${JSON.stringify(entry)}\n`
    })
    .join('')
}

async function timeline(tx: SqlReader<OrderSchema>, orderId: string): Promise<readonly TimelineEntry[]> {
  const lines = (await tx.get(statements.timeline, { orderId }))?.timeline.split('\n') ?? []
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as TimelineEntry)
}

async function cart(tx: SqlReader<OrderSchema>, customerId: string): Promise<readonly CartLine[]> {
  return await tx.all(statements.cart, { customerId })
}

async function ids(rows: Promise<readonly { order_id: string }[]>): Promise<readonly string[]> {
  return (await rows).map((row) => row.order_id)
}

function changedError(order: Order): PlatformError {
  return new PlatformError('Cannot save the order: it was changed by another unit of work', {
    kind: 'conflict',
    code: 'orders.changed',
    details: { order_id: order.orderId },
  })
}
