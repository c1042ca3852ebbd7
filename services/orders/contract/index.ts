/**
 * What others may know of orders: messages, events and the contract to call them by.
 * @module
 */

/** What is written in these contracts, for the API reference. */
export { default as ordersComments } from './gen/comments.json' with { type: 'json' }

import { defineContract } from '@plinth/rpc/client'
import { OrdersService } from './gen/plinth/orders/v1/orders_pb.ts'

export { type OrderEvent, OrderEventSchema } from './gen/plinth/orders/v1/events_pb.ts'
export {
  type Address,
  AddressSchema,
  type CancelOrderRequest,
  type Cart,
  CartSchema,
  type ListOrdersRequest,
  type Order,
  OrderSchema,
  OrderStatus,
  OrdersService,
  type PlaceOrderRequest,
  PlaceOrderRequestSchema,
  type Timeline,
  TimelineSchema,
  type UpdateOrderRequest,
} from './gen/plinth/orders/v1/orders_pb.ts'

/** Carts and orders. */
export const ordersContract = defineContract('orders.orders', OrdersService)

/** The topic of everything that happens to orders; the key is the order id, the payload an `OrderEvent`. */
export const orderTopic = 'orders.order'
