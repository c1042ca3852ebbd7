import type { Message } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { invariant, PlatformError } from '@plinth/base'
import { type CallContext, decodePageToken, encodePageToken, onceKey, type ServiceImplementation } from '@plinth/rpc'
import { AddressSchema, type OrdersService } from '../../contract/index.ts'
import type { OrderEdit } from '../domain/order.ts'
import type { ChangeRequest } from '../usecases/change-order.ts'
import type { Orders } from '../usecases/orders.ts'
import type { Caller } from '../usecases/ports.ts'
import { addressFromMessage, statusFromNumber, toOrderMessage, versionFromEtag } from '../wire/order-message.ts'
import { orThrow } from './refusal-error.ts'

const pageSizeDefault = 20

/** Orders over every transport. What the contract checks is not checked again. */
export function createOrdersRpc(orders: Orders): ServiceImplementation<typeof OrdersService> {
  return {
    getCart: async (_, context) => ({ lines: [...(await orders.cart.read(callerOf(context).id))] }),
    async setCartLine(request, context) {
      const { productId, quantity } = request
      return { lines: [...orThrow(await orders.cart.setLine(callerOf(context).id, { productId, quantity }))] }
    },
    async clearCart(_, context) {
      await orders.cart.clear(callerOf(context).id)
      return { lines: [] }
    },
    async placeOrder(request, context) {
      const once = onceKey(context, request)
      invariant(once, 'the policy of PlaceOrder demands an idempotency key')
      const placed = await orders.place({
        customerId: callerOf(context).id,
        lines: checkLines(request.lines),
        note: request.note,
        shippingAddress: addressFromMessage(request.shippingAddress),
        paymentMethod: request.paymentMethod,
        once,
      })
      return toOrderMessage(orThrow(placed))
    },
    getOrder: async (request, context) =>
      toOrderMessage(await orders.read.get({ orderId: request.orderId, caller: callerOf(context) })),
    async listOrders(request, context) {
      const page = await orders.read.list({
        caller: callerOf(context),
        customerId: request.customerId === '' ? undefined : request.customerId,
        status: statusFromNumber(request.status),
        limit: request.pageSize === 0 ? pageSizeDefault : request.pageSize,
        after: decodePageToken(request.pageToken),
      })
      return {
        orders: page.orders.map(toOrderMessage),
        nextPageToken: page.next ? encodePageToken(page.next) : '',
      }
    },
    async updateOrder(request, context) {
      const { order, updateMask } = request
      invariant(order, 'the contract requires an order')
      const change = { ...changeOf(context, order), version: versionFromEtag(order.etag || ifMatch(context)) }
      const edit = editOf(updateMask?.paths ?? [], {
        note: order.note,
        address: addressFromMessage(order.shippingAddress),
      })
      return toOrderMessage(orThrow(await orders.edit(change, edit)))
    },
    async deleteOrder(request, context) {
      orThrow(await orders.delete(changeOf(context, request)))
      return {}
    },
    payOrder: async (request, context) =>
      toOrderMessage(orThrow(await orders.pay(onceChange(context, request), request.paymentMethod))),
    cancelOrder: async (request, context) =>
      toOrderMessage(orThrow(await orders.cancel(onceChange(context, request), request.reason))),
    shipOrder: async (request, context) =>
      toOrderMessage(orThrow(await orders.ship(onceChange(context, request), request.trackingCode))),
    deliverOrder: async (request, context) =>
      toOrderMessage(orThrow(await orders.deliver(onceChange(context, request)))),
    refundOrder: async (request, context) =>
      toOrderMessage(orThrow(await orders.refund(onceChange(context, request), request.reason))),
    async getTimeline(request, context) {
      const entries = await orders.read.timeline({ orderId: request.orderId, caller: callerOf(context) })
      return { entries: entries.map((entry) => ({ ...entry, at: timestampFromMs(entry.atMs) })) }
    },
    async *watchOrder(request, context) {
      const one = { orderId: request.orderId, caller: callerOf(context) }
      for await (const order of orders.read.watch(one, context.signal)) yield toOrderMessage(order)
    },
  }
}

function callerOf(context: CallContext): Caller {
  invariant(context.principal, 'every method of orders demands a principal')
  return { id: context.principal.id, isOperator: context.principal.roles.includes('operator') }
}

interface OnOrder {
  readonly orderId: string
}

function changeOf(context: CallContext, request: OnOrder): ChangeRequest {
  return { orderId: request.orderId, caller: callerOf(context), version: versionFromEtag(ifMatch(context)) }
}

function onceChange(context: CallContext, request: Message & OnOrder): ChangeRequest {
  return { ...changeOf(context, request), once: onceKey(context, request) }
}

function ifMatch(context: CallContext): string {
  return context.requestHeaders.get('if-match') ?? ''
}

function checkLines<Line extends { readonly productId: string; readonly quantity: number }>(lines: readonly Line[]) {
  const seen = new Set<string>()
  for (const [index, { productId }] of lines.entries()) {
    if (seen.has(productId)) throw invalid(`lines[${index}].productId`, 'unique', 'A product may appear once')
    seen.add(productId)
  }
  return lines.map(({ productId, quantity }) => ({ productId, quantity }))
}

const addressPaths = new Set([
  'shipping_address',
  ...AddressSchema.fields.map(({ name }) => `shipping_address.${name}`),
])

function editOf(
  paths: readonly string[],
  values: { readonly note: string; readonly address: OrderEdit['shippingAddress'] },
): OrderEdit {
  if (paths.length === 0) throw invalid('updateMask', 'required', 'Name what changes: note, shipping_address')
  let edit: OrderEdit = {}
  for (const path of paths) {
    if (path === 'note') edit = { ...edit, note: values.note }
    // An address is replaced whole: half an old and half a new one lead nowhere.
    else if (addressPaths.has(path) && values.address) edit = { ...edit, shippingAddress: values.address }
    else throw invalid('updateMask', 'path', `Cannot change "${path}": note and shipping_address can be changed`)
  }
  return edit
}

function invalid(field: string, rule: string, message: string): PlatformError {
  return new PlatformError(`Cannot take the request: ${field} is not as expected`, {
    kind: 'invalid',
    code: 'orders.invalid_request',
    details: { violations: [{ field, rule, message }] },
  })
}
