import type { Clock, Ids } from '@plinth/base'
import { type Address, placeOrder as decide, type NewOrder, type Order } from '../domain/order.ts'
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
 * Reserves the stock, then writes the order. A crash between the two leaves a reservation without an order, which
 * expires by itself; an order without a reservation cannot come to be.
 */
export function createPlaceOrder(deps: PlaceOrderDeps) {
  return async function placeOrder(request: PlaceOrder): Promise<Order | OrderRefusal> {
    const before = await deps.store.answered<Order>(request.once)
    if (before) return before
    const orderId = orderIdOf(request.once)
    // The answer may have been forgotten, but the order remembers: no stock is taken for it again.
    const known = await deps.store.find(orderId)
    if (known) return known
    const fromCart = request.lines.length === 0
    const lines = fromCart ? await deps.store.cart(request.customerId) : request.lines
    if (lines.length === 0) return { refused: 'cart_empty' }

    const { payTimeoutMs, holdMarginMs } = deps.settings()
    const reserved = await deps.inventory.reserve(orderId, { lines, holdMs: payTimeoutMs + holdMarginMs })
    try {
      const placed = await write(orderId, request, reserved)
      if (isRefusal(placed)) await giveBack(orderId)
      else deps.feed.publish(placed)
      return placed
    } catch (error) {
      await giveBack(orderId)
      throw error
    }

    async function write(id: string, wish: PlaceOrder, taken: readonly ReservedLine[]): Promise<Order | OrderRefusal> {
      const nowMs = deps.clock.nowMs()
      const decision = decideOn(newOrder(id, wish, { taken, payByMs: nowMs + payTimeoutMs }), taken, nowMs)
      if (isRefusal(decision)) return decision
      const { value } = await deps.store.unit((unit) =>
        unit.once(wish.once, async () => {
          const placed = await unit.find(id)
          if (placed) return placed
          await unit.save(decision)
          if (fromCart) await unit.clearCart(wish.customerId)
          return decision.order
        }),
      )
      return value
    }
  }

  /**
   * Best effort: when it fails too, the reservation expires. The same command may have been carried out beside this
   * one; then the reservation is that order's.
   */
  async function giveBack(orderId: string): Promise<void> {
    try {
      if (!(await deps.store.find(orderId))) await deps.inventory.release(orderId)
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
