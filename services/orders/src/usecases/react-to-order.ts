import type { Order, OrderEventType } from '../domain/order.ts'
import type { Inventory, Payments } from './ports.ts'

export interface ReactToOrderDeps {
  readonly inventory: Inventory
  readonly payments: Payments
}

/**
 * The outward half of the saga: what has to happen elsewhere after an order event. Every step may be repeated, so an
 * event that is delivered twice, or again after a crash in the middle, does no harm. Throwing asks for another delivery.
 */
export function createReactToOrder(deps: ReactToOrderDeps) {
  return async function reactToOrder(type: OrderEventType, order: Order): Promise<void> {
    switch (type) {
      case 'order_payment_requested':
        return await deps.payments.request(order)
      case 'order_refund_requested':
        return await deps.payments.refund(order.paymentId, order.cancelReason)
      case 'order_cancelled':
        return await deps.inventory.release(order.orderId)
      case 'order_refunded':
        return order.goodsLeft ? undefined : await deps.inventory.release(order.orderId)
      case 'order_placed':
      case 'order_payment_failed':
      case 'order_paid':
      case 'order_shipped':
      case 'order_delivered':
      case 'order_updated':
        return
      default:
        return type satisfies never
    }
  }
}
