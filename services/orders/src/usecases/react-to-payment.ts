import type { Clock } from '@plinth/base'
import {
  type Order,
  type OrderChange,
  settlePaid,
  settlePaidWithoutStock,
  settlePaymentFailed,
  settleRefunded,
} from '../domain/order.ts'
import type { Inventory, OrderFeed, OrderStore, PaymentOutcome } from './ports.ts'

/** What payments announce, reduced to what an order needs to know. */
export interface PaymentNews extends PaymentOutcome {
  readonly messageId: string
  readonly orderId: string
  readonly paymentId: string
}

export interface ReactToPaymentDeps {
  readonly store: OrderStore
  readonly inventory: Inventory
  readonly feed: OrderFeed
  readonly clock: Pick<Clock, 'nowMs'>
}

/** The name under which handled messages are remembered. */
export const paymentGroup = 'orders.payments'

/**
 * The inward half of the saga: a payment's outcome becomes the order's. The stock is sold before the order turns paid,
 * so "paid" means that the goods are ours to send; if the stock is gone the money goes back.
 */
export function createReactToPayment(deps: ReactToPaymentDeps) {
  return async function reactToPayment(news: PaymentNews): Promise<void> {
    const isSale = news.type === 'payment_captured'
    const stock = isSale ? await sell(news) : 'sold'
    const changed = await deps.store.unit(async (unit): Promise<Order | undefined> => {
      if (!(await unit.firstTime(paymentGroup, news.messageId))) return undefined
      const order = await unit.find(news.orderId)
      if (!order) return undefined
      const change = decide(order, news, { stock, nowMs: deps.clock.nowMs() })
      if (change.order === order) return undefined
      await unit.save(change)
      return change.order
    })
    if (changed) deps.feed.publish(changed)
  }

  /** Old news about an order that has moved on must not take stock again. */
  async function sell(news: PaymentNews): Promise<'sold' | 'gone'> {
    const order = await deps.store.find(news.orderId)
    const isCurrent = order?.status === 'paying' && order.paymentId === news.paymentId
    return isCurrent ? await deps.inventory.commit(news.orderId) : 'sold'
  }
}

export type ReactToPayment = ReturnType<typeof createReactToPayment>

function decide(
  order: Order,
  news: PaymentNews,
  facts: { readonly stock: 'sold' | 'gone'; readonly nowMs: number },
): OrderChange {
  switch (news.type) {
    case 'payment_captured':
      return facts.stock === 'sold'
        ? settlePaid(order, news.paymentId, facts.nowMs)
        : settlePaidWithoutStock(order, news.paymentId, facts.nowMs)
    case 'payment_failed':
      return settlePaymentFailed(order, news, facts.nowMs)
    case 'payment_voided':
      return settlePaymentFailed(order, { paymentId: news.paymentId, failure: 'payment_voided' }, facts.nowMs)
    case 'payment_refunded':
      return settleRefunded(order, news.paymentId, facts.nowMs)
    default:
      return news.type satisfies never
  }
}
