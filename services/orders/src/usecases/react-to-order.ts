import type { OrderEventType } from '../domain/order.ts'
import type { Inventory, PaymentOutcome, Payments, PaymentWish } from './ports.ts'
import type { ReactToPayment } from './react-to-payment.ts'

/** What orders announce, reduced to what has to happen elsewhere. */
export interface OrderNews extends PaymentWish {
  readonly messageId: string
  readonly type: OrderEventType
  readonly reason: string
  readonly goodsLeft: boolean
}

export interface ReactToOrderDeps {
  readonly inventory: Inventory
  readonly payments: Payments
  /** Takes in an outcome that is known at once. */
  readonly settle: ReactToPayment
}

/**
 * The outward half of the saga: what has to happen elsewhere after an order event. Every step may be repeated, so an
 * event that is delivered twice, or again after a crash in the middle, does no harm. Throwing asks for another delivery.
 */
export function createReactToOrder(deps: ReactToOrderDeps) {
  return async function reactToOrder(news: OrderNews): Promise<void> {
    switch (news.type) {
      case 'order_payment_requested':
        return await settle(news, isFree(news) ? freeOf('payment_captured') : await deps.payments.request(news))
      case 'order_refund_requested':
        return await settle(news, isFree(news) ? freeOf('payment_refunded') : await refund(news))
      case 'order_cancelled':
        return await deps.inventory.release(news.orderId)
      case 'order_refunded':
        return news.goodsLeft ? undefined : await deps.inventory.release(news.orderId)
      case 'order_placed':
      case 'order_payment_failed':
      case 'order_paid':
      case 'order_shipped':
      case 'order_delivered':
      case 'order_updated':
        return
      default:
        return news.type satisfies never
    }
  }

  function refund(news: OrderNews): Promise<PaymentOutcome | undefined> {
    return deps.payments.refund(news.paymentId, news.reason)
  }

  async function settle(news: OrderNews, outcome: PaymentOutcome | undefined): Promise<void> {
    const { messageId, orderId, paymentId } = news
    if (outcome) await deps.settle({ ...outcome, messageId, orderId, paymentId })
  }
}

/** No provider charges nothing: an order without a price is paid and refunded by itself. */
function isFree(news: OrderNews): boolean {
  return news.totalMinor === 0
}

function freeOf(type: PaymentOutcome['type']): PaymentOutcome {
  return { type, failure: '' }
}
