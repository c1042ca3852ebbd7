import { type Clock, PlatformError } from '@plinth/base'
import type { Order, OrderChange } from '../domain/order.ts'
import { isRefusal, type OrderRefusal } from '../domain/refusals.ts'
import type { Caller, OnceKey, OrderFeed, OrderStore, OrderUnit } from './ports.ts'

export interface ChangeOrderDeps {
  readonly store: OrderStore
  readonly feed: OrderFeed
  readonly clock: Pick<Clock, 'nowMs'>
}

export interface ChangeRequest {
  readonly orderId: string
  readonly caller: Caller
  /** The version the caller saw; another one is refused with `orders.stale`. */
  readonly version?: number | undefined
  readonly once?: OnceKey | undefined
}

/** The decision of one verb, made on the order as it is inside the unit of work. */
export type Decide = (order: Order, nowMs: number) => OrderChange | OrderRefusal

/**
 * What every verb on one order does around its decision: finds the order, checks that the caller may touch it and saw
 * its current version, decides, and saves state, timeline and events as one unit.
 */
export function createChangeOrder(deps: ChangeOrderDeps) {
  return async function changeOrder(request: ChangeRequest, decide: Decide): Promise<Order | OrderRefusal> {
    let refusal: OrderRefusal | undefined
    const work = async (unit: OrderUnit) => {
      const order = checkVisible(await unit.find(request.orderId), request)
      if (request.version !== undefined && request.version !== order.version) throw staleError(order)
      const decision = decide(order, deps.clock.nowMs())
      if (isRefusal(decision)) {
        refusal = decision
        throw new RolledBack()
      }
      if (decision.order !== order) await unit.save(decision)
      return decision.order
    }
    try {
      const changed = await deps.store.unit(async (unit) =>
        request.once ? (await unit.once(request.once, () => work(unit))).value : await work(unit),
      )
      deps.feed.publish(changed)
      return changed
    } catch (error) {
      if (error instanceof RolledBack && refusal) return refusal
      throw error
    }
  }
}

/** Leaves a unit of work without a trace: a refusal is no answer to keep, the same command may succeed later. */
class RolledBack extends Error {}

/** Another customer's order looks exactly like one that does not exist. */
export function checkVisible(
  order: Order | undefined,
  request: { readonly orderId: string; readonly caller: Caller },
): Order {
  if (order && (request.caller.isOperator || order.customerId === request.caller.id)) return order
  throw new PlatformError(`Cannot find the order: no order ${request.orderId}`, {
    kind: 'not_found',
    code: 'orders.not_found',
    details: { order_id: request.orderId },
  })
}

function staleError(order: Order): PlatformError {
  return new PlatformError('Cannot change the order: it was changed since you read it', {
    kind: 'stale',
    code: 'orders.stale',
    details: { order_id: order.orderId, etag: String(order.version) },
  })
}
