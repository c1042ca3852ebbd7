import type { Address, Order, OrderLine } from '../domain/order.ts'
import type { OrderStatus } from '../domain/order-status.ts'
import type { OrderRow } from './order-schema.ts'

/** The row of an order; `timeline` is what this change adds to it. */
export function toRow(order: Order, timeline: string): OrderRow {
  return {
    order_id: order.orderId,
    customer_id: order.customerId,
    status: order.status,
    lines: JSON.stringify(order.lines),
    currency: order.currency,
    total_minor: order.totalMinor,
    note: order.note,
    shipping_address: order.shippingAddress ? JSON.stringify(order.shippingAddress) : '',
    created_at_ms: order.createdAtMs,
    updated_at_ms: order.updatedAtMs,
    pay_by_ms: order.payByMs,
    payment_id: order.paymentId,
    payment_method: order.paymentMethod,
    payment_failure: order.paymentFailure,
    tracking_code: order.trackingCode,
    cancel_reason: order.cancelReason,
    cancel_requested: Number(order.cancelRequested),
    goods_left: Number(order.goodsLeft),
    deleted: Number(order.deleted),
    version: order.version,
    timeline,
  }
}

/** Rows are written by {@link toRow} alone, so their JSON is trusted. */
export function fromRow(row: OrderRow): Order {
  return {
    orderId: row.order_id,
    customerId: row.customer_id,
    status: row.status as OrderStatus,
    lines: JSON.parse(row.lines) as readonly OrderLine[],
    currency: row.currency,
    totalMinor: row.total_minor,
    note: row.note,
    shippingAddress: row.shipping_address === '' ? undefined : (JSON.parse(row.shipping_address) as Address),
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
    payByMs: row.pay_by_ms,
    paymentId: row.payment_id,
    paymentMethod: row.payment_method,
    paymentFailure: row.payment_failure,
    trackingCode: row.tracking_code,
    cancelReason: row.cancel_reason,
    cancelRequested: row.cancel_requested === 1,
    goodsLeft: row.goods_left === 1,
    deleted: row.deleted === 1,
    version: row.version,
  }
}
