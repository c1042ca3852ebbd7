import { isSettled, type Order } from '../domain/order.ts'
import type { OrderStatus } from '../domain/order-status.ts'
import { checkVisible } from './change-order.ts'
import type { Caller, OrderFeed, OrderQuery, OrderStore, TimelineEntry } from './ports.ts'

export interface ListRequest {
  readonly caller: Caller
  readonly customerId: string | undefined
  readonly status: OrderStatus | undefined
  readonly limit: number
  readonly after: OrderQuery['after']
}

export interface OrderPage {
  readonly orders: readonly Order[]
  /** Where the next page begins, if there is one. */
  readonly next: OrderQuery['after']
}

type One = { readonly orderId: string; readonly caller: Caller }

/** Everything that looks at orders without changing them. */
export function createReadOrders(deps: { readonly store: OrderStore; readonly feed: OrderFeed }) {
  async function get(request: One): Promise<Order> {
    return checkVisible(await deps.store.find(request.orderId), request)
  }

  return {
    get,
    async list(request: ListRequest): Promise<OrderPage> {
      const customerId = request.caller.isOperator ? request.customerId : request.caller.id
      const { status, limit, after } = request
      // One more than asked for tells whether there is a next page.
      const found = await deps.store.list({ customerId, status, after, limit: limit + 1 })
      const orders = found.slice(0, limit)
      const last = orders.at(-1)
      const next = found.length > limit && last ? { timeMs: last.createdAtMs, id: last.orderId } : undefined
      return { orders, next }
    },
    async timeline(request: One): Promise<readonly TimelineEntry[]> {
      await get(request)
      return await deps.store.timeline(request.orderId)
    },
    async *watch(request: One, signal: AbortSignal): AsyncIterable<Order> {
      // Listening begins before the first look, so that no change falls between the two.
      using watch = deps.feed.watch(request.orderId)
      let order: Order | undefined = await get(request)
      let seen = 0
      while (order) {
        if (order.version > seen) yield order
        seen = Math.max(seen, order.version)
        if (isSettled(order)) return
        order = await watch.next(signal)
      }
    },
  }
}
