/**
 * The table of contents: everything that can be done with orders.
 * @module
 */
import {
  cancelOrder,
  deleteOrder,
  deliverOrder,
  editOrder,
  type Order,
  type OrderEdit,
  payOrder,
  refundOrder,
  shipOrder,
} from '../domain/order.ts'
import type { OrderRefusal } from '../domain/refusals.ts'
import { createCart } from './cart.ts'
import { type ChangeRequest, createChangeOrder } from './change-order.ts'
import { createForgetOld, type ForgetOldSettings } from './forget-old.ts'
import { createPlaceOrder, type PlaceOrderDeps, type PlaceOrderSettings } from './place-order.ts'
import type { Payments } from './ports.ts'
import { createReactToOrder } from './react-to-order.ts'
import { createReactToPayment } from './react-to-payment.ts'
import { createReadOrders } from './read-orders.ts'
import { createSweepOrders } from './sweep-orders.ts'

export interface OrdersSettings extends PlaceOrderSettings, ForgetOldSettings {
  readonly remindAfterMs: number
}

export interface OrdersDeps extends Omit<PlaceOrderDeps, 'settings'> {
  readonly payments: Payments
  readonly settings: () => OrdersSettings
}

type Outcome = Promise<Order | OrderRefusal>

export function createOrders(deps: OrdersDeps) {
  const change = createChangeOrder(deps)
  const reactToPayment = createReactToPayment(deps)
  const actorOf = (request: ChangeRequest) => (request.caller.isOperator ? 'operator' : 'customer')
  return {
    cart: createCart(deps),
    place: createPlaceOrder(deps),
    pay: (request: ChangeRequest, method: string): Outcome =>
      change(request, (order, nowMs) =>
        payOrder(order, { paymentId: deps.ids.next(), method, actor: actorOf(request) }, nowMs),
      ),
    cancel: (request: ChangeRequest, reason: string): Outcome =>
      change(request, (order, nowMs) => cancelOrder(order, { actor: actorOf(request), reason }, nowMs)),
    ship: (request: ChangeRequest, trackingCode: string): Outcome =>
      change(request, (order, nowMs) => shipOrder(order, trackingCode, nowMs)),
    deliver: (request: ChangeRequest): Outcome => change(request, deliverOrder),
    refund: (request: ChangeRequest, reason: string): Outcome =>
      change(request, (order, nowMs) => refundOrder(order, reason, nowMs)),
    edit: (request: ChangeRequest, edit: OrderEdit): Outcome =>
      change(request, (order, nowMs) => editOrder(order, edit, { actor: actorOf(request), nowMs })),
    delete: (request: ChangeRequest): Outcome => change(request, deleteOrder),
    read: createReadOrders(deps),
    reactToOrder: createReactToOrder({ ...deps, settle: reactToPayment }),
    reactToPayment,
    sweep: createSweepOrders(deps),
    forgetOld: createForgetOld(deps),
  }
}

export type Orders = ReturnType<typeof createOrders>
