import { create, toBinary } from '@bufbuild/protobuf'
import type { NewMessage } from '@plinth/messaging'
import { OrderEventSchema, orderTopic } from '../../contract/index.ts'
import type { Order, OrderEvent } from '../domain/order.ts'
import { toOrderMessage } from './order-message.ts'

/** Packs one thing that happened to an order for the bus. */
export function encodeOrderEvent(order: Order, what: { readonly event: OrderEvent; readonly id: string }): NewMessage {
  const { event, id } = what
  const message = create(OrderEventSchema, {
    type: event.type,
    order: toOrderMessage(order),
    actor: event.actor,
    detail: event.detail,
    paymentMethod: event.type === 'order_payment_requested' ? order.paymentMethod : '',
    goodsLeft: order.goodsLeft,
  })
  return {
    topic: orderTopic,
    key: order.orderId,
    id,
    type: event.type,
    headers: { schema: OrderEventSchema.typeName },
    payload: toBinary(OrderEventSchema, message),
    timeMs: order.updatedAtMs,
  }
}
