import { fromBinary } from '@bufbuild/protobuf'
import type { Bus, Message, Subscription } from '@plinth/messaging'
import { PaymentEventSchema, paymentTopic } from '@plinth/payments-service/contract'
import { OrderEventSchema, orderTopic } from '../../contract/index.ts'
import type { OrderEventType } from '../domain/order.ts'
import type { Orders } from '../usecases/orders.ts'
import type { OrderNews } from '../usecases/react-to-order.ts'
import { type PaymentNews, paymentGroup } from '../usecases/react-to-payment.ts'

/** The group that carries the saga outward. */
const sagaGroup = 'orders.saga'

const sagaTypes = [
  'order_payment_requested',
  'order_refund_requested',
  'order_cancelled',
  'order_refunded',
] as const satisfies readonly OrderEventType[]

const paymentTypes = [
  'payment_captured',
  'payment_failed',
  'payment_voided',
  'payment_refunded',
] as const satisfies readonly PaymentNews['type'][]

/**
 * About eight hours of tries: a service that is away for a night must not leave an order without its last step. Only
 * the orders concerned wait.
 */
const retry = { attemptsMax: 1000, backoffMaxMs: 30_000 } as const

/** Orders' own events drive what happens elsewhere; payments' events drive the order. */
export async function subscribeOrders(bus: Bus, orders: Orders): Promise<readonly Subscription[]> {
  const saga = await bus.subscribe({
    topics: [orderTopic],
    group: sagaGroup,
    types: sagaTypes,
    retry,
    handler: (message) => orders.reactToOrder(orderNews(message)),
  })
  const outcomes = await bus.subscribe({
    topics: [paymentTopic],
    group: paymentGroup,
    types: paymentTypes,
    retry,
    handler: (message) => orders.reactToPayment(paymentNews(message)),
  })
  return [saga, outcomes]
}

function orderNews(message: Message): OrderNews {
  const event = fromBinary(OrderEventSchema, message.payload)
  const { order } = event
  return {
    messageId: message.id,
    type: message.type as OrderEventType,
    orderId: message.key,
    paymentId: order?.paymentId ?? '',
    totalMinor: Number(order?.total?.amountMinor ?? 0n),
    currency: order?.total?.currency ?? '',
    paymentMethod: event.paymentMethod,
    reason: event.detail,
    goodsLeft: event.goodsLeft,
  }
}

function paymentNews(message: Message): PaymentNews {
  const { payment } = fromBinary(PaymentEventSchema, message.payload)
  return {
    messageId: message.id,
    type: message.type as PaymentNews['type'],
    orderId: message.key,
    paymentId: payment?.paymentId ?? '',
    failure: payment?.failure ?? '',
  }
}
