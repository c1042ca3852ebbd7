import { create } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import {
  type Address as AddressMessage,
  AddressSchema,
  type Order as OrderMessage,
  OrderSchema,
  OrderStatus,
} from '../../contract/index.ts'
import type { Address, Order } from '../domain/order.ts'
import type { OrderStatus as Status } from '../domain/order-status.ts'

const statuses = {
  placed: OrderStatus.PLACED,
  paying: OrderStatus.PAYING,
  paid: OrderStatus.PAID,
  shipped: OrderStatus.SHIPPED,
  delivered: OrderStatus.DELIVERED,
  cancelled: OrderStatus.CANCELLED,
  refunding: OrderStatus.REFUNDING,
  refunded: OrderStatus.REFUNDED,
} as const satisfies Record<Status, OrderStatus>

const byNumber = new Map(Object.entries(statuses).map(([name, number]) => [number as OrderStatus, name as Status]))

const messages = new WeakMap<Order, OrderMessage>()

/** The order as the contract shows it. Made once for each state of an order: its events and its answer share it. */
export function toOrderMessage(order: Order): OrderMessage {
  let message = messages.get(order)
  if (!message) {
    message = createMessage(order)
    messages.set(order, message)
  }
  return message
}

function createMessage(order: Order): OrderMessage {
  const money = (amountMinor: number) => ({ amountMinor: BigInt(amountMinor), currency: order.currency })
  return create(OrderSchema, {
    orderId: order.orderId,
    customerId: order.customerId,
    status: statuses[order.status],
    lines: order.lines.map((line) => ({
      productId: line.productId,
      title: line.title,
      quantity: line.quantity,
      unitPrice: money(line.unitPriceMinor),
    })),
    total: money(order.totalMinor),
    note: order.note,
    ...(order.shippingAddress && { shippingAddress: create(AddressSchema, order.shippingAddress) }),
    createdAt: timestampFromMs(order.createdAtMs),
    updatedAt: timestampFromMs(order.updatedAtMs),
    payBy: timestampFromMs(order.payByMs),
    paymentId: order.paymentId,
    paymentFailure: order.paymentFailure,
    trackingCode: order.trackingCode,
    cancelReason: order.cancelReason,
    etag: etagOf(order.version),
  })
}

/** The domain's status of a number on the wire; `undefined` for unspecified. */
export function statusFromNumber(status: OrderStatus): Status | undefined {
  return byNumber.get(status)
}

export function addressFromMessage(address: AddressMessage | undefined): Address | undefined {
  if (!address) return undefined
  const { name, line1, line2, postalCode, city, country } = address
  return { name, line1, line2, postalCode, city, country }
}

/** The version as the contract shows it; in a header it stands in quotes (RFC 9110, section 8.8.3). */
function etagOf(version: number): string {
  return String(version)
}

/** The version an entity tag names, with quotes or without; `undefined` for none or `*`, `NaN` for one we never gave, which matches nothing. */
export function versionFromEtag(etag: string): number | undefined {
  if (etag === '' || etag === '*') return undefined
  const digits = /^"?(\d{1,15})"?$/.exec(etag)?.[1]
  return digits === undefined ? Number.NaN : Number(digits)
}
