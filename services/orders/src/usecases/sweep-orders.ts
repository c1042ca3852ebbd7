import type { Clock } from '@plinth/base'
import { expireOrder, type Order, type OrderChange, remindPayment, remindRefund } from '../domain/order.ts'
import type { OrderFeed, OrderStore } from './ports.ts'

export interface SweepOrdersDeps {
  readonly store: OrderStore
  readonly feed: OrderFeed
  readonly clock: Pick<Clock, 'nowMs'>
  readonly settings: () => { readonly remindAfterMs: number }
}

/** Orders looked at in one sweep of a kind; the rest waits for the next. */
const batch = 100

/**
 * The clock's part of the saga: cancels what was not paid in time, and asks again for payments and refunds of which
 * nothing was heard (a message that became a dead letter, a payment service restored from an old backup).
 * Answers how many orders it changed.
 */
export function createSweepOrders(deps: SweepOrdersDeps) {
  return async function sweepOrders(): Promise<number> {
    const nowMs = deps.clock.nowMs()
    const expired = await deps.store.expired(nowMs, batch)
    const waiting = await deps.store.waiting(nowMs - deps.settings().remindAfterMs, batch)
    let changed = 0
    for (const orderId of expired) changed += await apply(orderId, (order) => expireOrder(order, nowMs))
    for (const orderId of waiting) changed += await apply(orderId, (order) => remind(order, nowMs))
    return changed
  }

  async function apply(orderId: string, decide: (order: Order) => OrderChange): Promise<number> {
    const changed = await deps.store.unit(async (unit) => {
      const order = await unit.find(orderId)
      const change = order && decide(order)
      if (!change || change.order === order) return undefined
      await unit.save(change)
      return change.order
    })
    if (changed) deps.feed.publish(changed)
    return changed ? 1 : 0
  }
}

function remind(order: Order, nowMs: number): OrderChange {
  return order.status === 'refunding' ? remindRefund(order, nowMs) : remindPayment(order, nowMs)
}
