import type { Clock, Ids } from '@plinth/base'
import {
  type Address,
  placeOrder as decide,
  holdsNoStock,
  type NewOrder,
  type Order,
  type OrderChange,
} from '../domain/order.ts'
import { isRefusal, type OrderRefusal } from '../domain/refusals.ts'
import { orderIdOf } from './order-id.ts'
import type { CartLine, Inventory, OnceKey, OrderFeed, OrderStore, ReservedLine } from './ports.ts'

export interface PlaceOrderDeps {
  readonly store: OrderStore
  readonly inventory: Inventory
  readonly feed: OrderFeed
  readonly clock: Pick<Clock, 'nowMs'>
  readonly ids: Ids
  readonly settings: () => PlaceOrderSettings
}

export interface PlaceOrderSettings {
  /** How long a customer may take to pay. */
  readonly payTimeoutMs: number
  /** How much longer than that the stock is held, so that the order expires before its reservation does. */
  readonly holdMarginMs: number
}

export interface PlaceOrder {
  readonly customerId: string
  /** Empty: the cart. */
  readonly lines: readonly CartLine[]
  readonly note: string
  readonly shippingAddress: Address | undefined
  /** Empty: to be paid later. */
  readonly paymentMethod: string
  readonly once: OnceKey
}

/**
 * Reserves the stock, then writes the order. Both are named by the command's idempotency, so a command that is sent
 * again, at the same time or after a crash between the two, meets its own reservation and its own order. A reservation
 * whose order never comes expires; an order without a reservation cannot come to be.
 */
export function createPlaceOrder(deps: PlaceOrderDeps) {
  return async function placeOrder(request: PlaceOrder): Promise<Order | OrderRefusal> {
    const orderId = orderIdOf(request.once)
    const fromCart = request.lines.length === 0
    // The first time empties the cart, so a repetition cannot be told by its lines.
    if (fromCart) {
      const placed = await findPlaced(orderId, request.once)
      if (placed) return placed
    }
    const lines = fromCart ? await deps.store.cart(request.customerId) : request.lines
    if (lines.length === 0) return { refused: 'cart_empty' }

    const { payTimeoutMs, holdMarginMs } = deps.settings()
    const { taken, placed: before } = await reserve(orderId, { request, lines, holdMs: payTimeoutMs + holdMarginMs })
    if (before) return before
    try {
      const nowMs = deps.clock.nowMs()
      const decision = decideOn(newOrder(orderId, request, { taken, payByMs: nowMs + payTimeoutMs }), taken, nowMs)
      if (isRefusal(decision)) {
        await giveBack(orderId)
        return decision
      }
      const placed = await write(decision, request, fromCart)
      if (placed === decision.order) deps.feed.publish(placed)
      else await giveBack(orderId)
      return placed
    } catch (error) {
      await giveBack(orderId)
      throw error
    }
  }

  /** Takes the stock; or, when there is none any more, finds the order if the command was carried out before. */
  async function reserve(
    orderId: string,
    wish: { readonly request: PlaceOrder; readonly lines: readonly CartLine[]; readonly holdMs: number },
  ): Promise<{ readonly taken: readonly ReservedLine[]; readonly placed?: Order }> {
    try {
      return { taken: await deps.inventory.reserve(orderId, wish) }
    } catch (error) {
      const placed = await findPlaced(orderId, wish.request.once)
      if (placed) return { taken: [], placed }
      throw error
    }
  }

  async function findPlaced(orderId: string, once: OnceKey): Promise<Order | undefined> {
    // The answer may have been forgotten, but the order remembers.
    return (await deps.store.answered<Order>(once)) ?? (await deps.store.find(orderId))
  }

  async function write(decision: OrderChange, wish: PlaceOrder, fromCart: boolean): Promise<Order> {
    const { value } = await deps.store.unit((unit) =>
      unit.once(wish.once, async () => {
        const known = await unit.add(decision)
        if (known) return known
        if (fromCart) await unit.clearCart(wish.customerId)
        return decision.order
      }),
    )
    return value
  }

  /**
   * Best effort: when it fails too, the reservation expires. The stock stays with an order that has it: the same
   * command may have been carried out before or beside this one.
   */
  async function giveBack(orderId: string): Promise<void> {
    try {
      const order = await deps.store.find(orderId)
      if (!order || holdsNoStock(order)) await deps.inventory.release(orderId)
    } catch {
      // The caller hears of the first failure, which is the one that matters.
    }
  }

  function newOrder(
    orderId: string,
    wish: PlaceOrder,
    facts: { readonly taken: readonly ReservedLine[]; readonly payByMs: number },
  ): NewOrder {
    return {
      orderId,
      customerId: wish.customerId,
      lines: facts.taken.map(({ currency: _, ...line }) => line),
      currency: facts.taken[0]?.currency ?? '',
      note: wish.note,
      shippingAddress: wish.shippingAddress,
      payByMs: facts.payByMs,
      payment: wish.paymentMethod === '' ? undefined : { paymentId: deps.ids.next(), method: wish.paymentMethod },
    }
  }
}

function decideOn(order: NewOrder, taken: readonly ReservedLine[], nowMs: number) {
  const currencies = new Set(taken.map((line) => line.currency))
  if (currencies.size > 1) return { refused: 'currencies_mixed', currencies: [...currencies] } as const
  return decide(order, nowMs)
}
