import type { OrderStatus } from './order-status.ts'
import type { OrderRefusal } from './refusals.ts'

export interface OrderLine {
  readonly productId: string
  readonly title: string
  readonly quantity: number
  readonly unitPriceMinor: number
}

export interface Address {
  readonly name: string
  readonly line1: string
  readonly line2: string
  readonly postalCode: string
  readonly city: string
  readonly country: string
}

/** One order as it stands. Amounts are minor units of `currency`; times are UTC milliseconds. */
export interface Order {
  readonly orderId: string
  readonly customerId: string
  readonly status: OrderStatus
  readonly lines: readonly OrderLine[]
  readonly currency: string
  readonly totalMinor: number
  readonly note: string
  readonly shippingAddress: Address | undefined
  readonly createdAtMs: number
  readonly updatedAtMs: number
  readonly payByMs: number
  readonly paymentId: string
  readonly paymentMethod: string
  readonly paymentFailure: string
  readonly trackingCode: string
  readonly cancelReason: string
  /** The customer gave up while a payment was under way: its outcome decides between cancelling and refunding. */
  readonly cancelRequested: boolean
  /** Whether the goods have left the house, so that a refund gives no stock back. */
  readonly goodsLeft: boolean
  readonly deleted: boolean
  /** Grows with every change; the etag and the optimistic lock. */
  readonly version: number
}

export type OrderEventType =
  | 'order_placed'
  | 'order_payment_requested'
  | 'order_payment_failed'
  | 'order_paid'
  | 'order_shipped'
  | 'order_delivered'
  | 'order_updated'
  | 'order_cancelled'
  | 'order_refund_requested'
  | 'order_refunded'

export type Actor = 'customer' | 'operator' | 'system'

/** One thing that happened, as the timeline keeps it and the world hears it. */
export interface OrderEvent {
  readonly type: OrderEventType
  readonly actor: Actor
  readonly detail: string
  /** The same wish once more: heard by whoever carries it out, and no part of the history. */
  readonly isReminder?: true
}

/** A decision: the order after it and what happened, in order. No events means nothing changed. */
export interface OrderChange {
  readonly order: Order
  readonly events: readonly OrderEvent[]
}

export interface NewOrder {
  readonly orderId: string
  readonly customerId: string
  readonly lines: readonly OrderLine[]
  readonly currency: string
  readonly note: string
  readonly shippingAddress: Address | undefined
  readonly payByMs: number
  /** Present when the payment starts with the order. */
  readonly payment: { readonly paymentId: string; readonly method: string } | undefined
}

/** The largest total: far above any shop, far below where minor units lose exactness (2^53). */
export const totalMinorMax = 10 ** 13

export function placeOrder(wish: NewOrder, nowMs: number): OrderChange | OrderRefusal {
  if (wish.lines.length === 0) return { refused: 'cart_empty' }
  const totalMinor = wish.lines.reduce((sum, line) => sum + line.quantity * line.unitPriceMinor, 0)
  if (!(totalMinor <= totalMinorMax)) return { refused: 'total_too_large', totalMinor }
  const order: Order = {
    orderId: wish.orderId,
    customerId: wish.customerId,
    status: 'placed',
    lines: wish.lines,
    currency: wish.currency,
    totalMinor,
    note: wish.note,
    shippingAddress: wish.shippingAddress,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    payByMs: wish.payByMs,
    paymentId: '',
    paymentMethod: '',
    paymentFailure: '',
    trackingCode: '',
    cancelReason: '',
    cancelRequested: false,
    goodsLeft: false,
    deleted: false,
    version: 1,
  }
  const placed: OrderEvent = { type: 'order_placed', actor: 'customer', detail: '' }
  if (!wish.payment) return { order, events: [placed] }
  const requested: OrderEvent = { type: 'order_payment_requested', actor: 'customer', detail: '' }
  return {
    order: { ...order, status: 'paying', paymentId: wish.payment.paymentId, paymentMethod: wish.payment.method },
    events: [placed, requested],
  }
}

export interface PaymentAttempt {
  readonly paymentId: string
  readonly method: string
  readonly actor: Actor
}

export function payOrder(order: Order, attempt: PaymentAttempt, nowMs: number): OrderChange | OrderRefusal {
  if (order.status !== 'placed') return { refused: 'not_payable', status: order.status }
  if (nowMs >= order.payByMs) return { refused: 'too_late_to_pay', payByMs: order.payByMs }
  return change(order, nowMs, {
    to: { status: 'paying', paymentId: attempt.paymentId, paymentMethod: attempt.method, paymentFailure: '' },
    events: [{ type: 'order_payment_requested', actor: attempt.actor, detail: '' }],
  })
}

/** The same payment, asked for once more: nobody has heard of its outcome. */
export function remindPayment(order: Order, nowMs: number): OrderChange {
  if (order.status !== 'paying') return { order, events: [] }
  return change(order, nowMs, {
    to: {},
    events: [{ type: 'order_payment_requested', actor: 'system', detail: 'no answer yet', isReminder: true }],
  })
}

/** The same refund, asked for once more. */
export function remindRefund(order: Order, nowMs: number): OrderChange {
  if (order.status !== 'refunding') return { order, events: [] }
  return change(order, nowMs, { to: {}, events: [{ ...refundRequested(order.cancelReason), isReminder: true }] })
}

/** Money was taken and the stock is sold. News of another payment than the order's own is refused. */
export function settlePaid(order: Order, paymentId: string, nowMs: number): OrderChange {
  if (order.status !== 'paying' || order.paymentId !== paymentId) return { order, events: [] }
  const paid: OrderEvent = { type: 'order_paid', actor: 'system', detail: '' }
  if (!order.cancelRequested) return change(order, nowMs, { to: { status: 'paid' }, events: [paid] })
  return change(order, nowMs, { to: { status: 'refunding' }, events: [paid, refundRequested(order.cancelReason)] })
}

/** Money was taken but the stock is gone: the money goes back. */
export function settlePaidWithoutStock(order: Order, paymentId: string, nowMs: number): OrderChange {
  if (order.status !== 'paying' || order.paymentId !== paymentId) return { order, events: [] }
  const reason = order.cancelReason || 'out of stock'
  return change(order, nowMs, {
    to: { status: 'refunding', cancelReason: reason },
    events: [refundRequested(reason)],
  })
}

export function settlePaymentFailed(
  order: Order,
  payment: { readonly paymentId: string; readonly failure: string },
  nowMs: number,
): OrderChange {
  if (order.status !== 'paying' || order.paymentId !== payment.paymentId) return { order, events: [] }
  const failed: OrderEvent = { type: 'order_payment_failed', actor: 'system', detail: payment.failure }
  if (order.cancelRequested || nowMs >= order.payByMs) {
    const reason = order.cancelReason || 'not paid in time'
    return change(order, nowMs, {
      to: { status: 'cancelled', paymentFailure: payment.failure, cancelReason: reason },
      events: [failed, { type: 'order_cancelled', actor: 'system', detail: reason }],
    })
  }
  return change(order, nowMs, { to: { status: 'placed', paymentFailure: payment.failure }, events: [failed] })
}

export interface Cancellation {
  readonly actor: Actor
  readonly reason: string
}

export function cancelOrder(order: Order, by: Cancellation, nowMs: number): OrderChange | OrderRefusal {
  const reason = by.reason || `cancelled by ${by.actor}`
  switch (order.status) {
    case 'placed':
      return change(order, nowMs, {
        to: { status: 'cancelled', cancelReason: reason },
        events: [{ type: 'order_cancelled', actor: by.actor, detail: reason }],
      })
    case 'paying':
      if (order.cancelRequested) return { order, events: [] }
      return change(order, nowMs, {
        to: { cancelRequested: true, cancelReason: reason },
        events: [{ type: 'order_updated', actor: by.actor, detail: 'cancel requested' }],
      })
    case 'paid':
      return change(order, nowMs, {
        to: { status: 'refunding', cancelReason: reason },
        events: [{ ...refundRequested(reason), actor: by.actor }],
      })
    case 'cancelled':
      return { order, events: [] }
    case 'shipped':
    case 'delivered':
    case 'refunding':
    case 'refunded':
      return { refused: 'not_cancellable', status: order.status }
    default:
      return order.status satisfies never
  }
}

/** An unpaid order whose time is over. */
export function expireOrder(order: Order, nowMs: number): OrderChange {
  if (order.status !== 'placed' || nowMs < order.payByMs) return { order, events: [] }
  return change(order, nowMs, {
    to: { status: 'cancelled', cancelReason: 'not paid in time' },
    events: [{ type: 'order_cancelled', actor: 'system', detail: 'not paid in time' }],
  })
}

export function shipOrder(order: Order, trackingCode: string, nowMs: number): OrderChange | OrderRefusal {
  if (order.status !== 'paid') return { refused: 'not_shippable', status: order.status }
  return change(order, nowMs, {
    to: { status: 'shipped', trackingCode, goodsLeft: true },
    events: [{ type: 'order_shipped', actor: 'operator', detail: trackingCode }],
  })
}

export function deliverOrder(order: Order, nowMs: number): OrderChange | OrderRefusal {
  if (order.status !== 'shipped') return { refused: 'not_deliverable', status: order.status }
  return change(order, nowMs, {
    to: { status: 'delivered' },
    events: [{ type: 'order_delivered', actor: 'operator', detail: '' }],
  })
}

export function refundOrder(order: Order, reason: string, nowMs: number): OrderChange | OrderRefusal {
  if (order.status !== 'paid' && order.status !== 'shipped' && order.status !== 'delivered') {
    return { refused: 'not_refundable', status: order.status }
  }
  const why = reason || 'refunded by operator'
  return change(order, nowMs, {
    to: { status: 'refunding', cancelReason: why },
    events: [{ ...refundRequested(why), actor: 'operator' }],
  })
}

/** The money went back: because the order asked for it, or because somebody refunded the payment itself. */
export function settleRefunded(order: Order, paymentId: string, nowMs: number): OrderChange {
  if (!holdsMoney.has(order.status) || order.paymentId !== paymentId) return { order, events: [] }
  const reason = order.cancelReason || 'payment refunded'
  return change(order, nowMs, {
    to: { status: 'refunded', cancelReason: reason },
    events: [{ type: 'order_refunded', actor: 'system', detail: reason }],
  })
}

const holdsMoney = new Set<OrderStatus>(['paid', 'shipped', 'delivered', 'refunding'])

export interface OrderEdit {
  readonly note?: string
  readonly shippingAddress?: Address
}

export function editOrder(
  order: Order,
  edit: OrderEdit,
  by: { readonly actor: Actor; readonly nowMs: number },
): OrderChange | OrderRefusal {
  if (order.status !== 'placed' && order.status !== 'paying' && order.status !== 'paid') {
    return { refused: 'not_editable', status: order.status }
  }
  return change(order, by.nowMs, {
    to: edit,
    events: [{ type: 'order_updated', actor: by.actor, detail: Object.keys(edit).sort().join(', ') }],
  })
}

export function deleteOrder(order: Order, nowMs: number): OrderChange | OrderRefusal {
  if (!isSettled(order)) return { refused: 'not_settled', status: order.status }
  if (order.deleted) return { order, events: [] }
  return change(order, nowMs, {
    to: { deleted: true },
    events: [{ type: 'order_updated', actor: 'operator', detail: 'deleted' }],
  })
}

/** Whether nothing more will happen to the order by itself. */
export function isSettled(order: Order): boolean {
  return order.status === 'cancelled' || order.status === 'refunded' || order.status === 'delivered'
}

/** Whether the order's stock has gone back for good. */
export function holdsNoStock(order: Order): boolean {
  return order.status === 'cancelled' || (order.status === 'refunded' && !order.goodsLeft)
}

function refundRequested(reason: string): OrderEvent {
  return { type: 'order_refund_requested', actor: 'system', detail: reason }
}

function change(
  order: Order,
  nowMs: number,
  what: { readonly to: Partial<Order>; readonly events: readonly OrderEvent[] },
): OrderChange {
  return { order: { ...order, ...what.to, updatedAtMs: nowMs, version: order.version + 1 }, events: what.events }
}
