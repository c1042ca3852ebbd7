import { type Order, OrderSchema, OrderStatus } from '@plinth/orders-service/contract'
import type { Terminal } from '../terminal.ts'
import { clean, money, type Style, time } from '../text.ts'
import { messageJson } from './message.ts'

/** The names of the states, by what a person types. */
export const orderStatuses: ReadonlyMap<string, OrderStatus> = new Map([
  ['placed', OrderStatus.PLACED],
  ['paying', OrderStatus.PAYING],
  ['paid', OrderStatus.PAID],
  ['shipped', OrderStatus.SHIPPED],
  ['delivered', OrderStatus.DELIVERED],
  ['cancelled', OrderStatus.CANCELLED],
  ['refunding', OrderStatus.REFUNDING],
  ['refunded', OrderStatus.REFUNDED],
])

const statusNames = new Map([...orderStatuses].map(([name, status]) => [status, name]))

/** A state as people read it. */
export function statusName(status: OrderStatus): string {
  return statusNames.get(status) ?? String(status)
}

function statusText(style: Style, status: OrderStatus): string {
  const name = statusName(status)
  if (name === 'paid' || name === 'shipped' || name === 'delivered') return style.green(name)
  return name === 'cancelled' || name === 'refunded' ? style.red(name) : style.yellow(name)
}

/** Answers one order: all of it, or its id with `--quiet`. */
export function answerOrder(terminal: Terminal, order: Order): void {
  terminal.answer(
    messageJson(OrderSchema, order),
    () => orderLines(terminal, order),
    () => [order.orderId],
  )
}

/** An order on one line, for streams. */
export function orderLine(terminal: Terminal, order: Order): string {
  const why = order.paymentFailure || order.cancelReason || order.trackingCode
  const status = statusText(terminal.style, order.status)
  return `${time(order.updatedAt)}  ${status}${why === '' ? '' : `  ${clean(why)}`}`
}

/** Orders as columns. */
export function orderColumns(terminal: Terminal, orders: readonly Order[]): readonly string[] {
  if (orders.length === 0) return ['No orders.']
  return terminal.columns([
    ['ORDER', 'STATUS', 'TOTAL', 'PLACED', 'WHAT'],
    ...orders.map((order) => [
      order.orderId,
      statusText(terminal.style, order.status),
      money(order.total),
      time(order.createdAt),
      clean(order.lines.map(({ quantity, title }) => `${quantity} × ${title}`).join(', ')),
    ]),
  ])
}

function orderLines(terminal: Terminal, order: Order): readonly string[] {
  const { bold, dim } = terminal.style
  const address = order.shippingAddress
  const place = address && [
    address.name,
    address.line1,
    address.line2,
    `${address.postalCode} ${address.city}`,
    address.country,
  ]
  const facts: readonly (readonly [string, string])[] = [
    ['placed', time(order.createdAt)],
    ['changed', time(order.updatedAt)],
    ['pay by', order.status === OrderStatus.PLACED ? time(order.payBy) : ''],
    ['payment', order.paymentId],
    ['failure', order.paymentFailure],
    ['tracking', order.trackingCode],
    ['reason', order.cancelReason],
    ['note', order.note],
    ['ship to', place?.filter((part) => part.trim() !== '').join(', ') ?? ''],
    ['customer', order.customerId],
    ['etag', order.etag],
  ]
  return [
    `order ${bold(order.orderId)}  ${statusText(terminal.style, order.status)}  ${bold(money(order.total))}`,
    ...order.lines.map(({ quantity, title, unitPrice }) => `  ${quantity} × ${clean(title)}  ${dim(money(unitPrice))}`),
    ...facts.filter(([, value]) => value !== '').map(([name, value]) => `  ${dim(name.padEnd(9))} ${clean(value)}`),
  ]
}
