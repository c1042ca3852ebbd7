import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { PlatformError } from '@plinth/base'
import type { CallContext } from '@plinth/rpc'
import { OrdersService } from '../../contract/index.ts'
import type { OrderEdit } from '../domain/order.ts'
import type { Orders } from '../usecases/orders.ts'
import { createOrdersRpc } from './rpc.ts'

const orderId = '01890a5d-ac96-774b-bcce-b302099a8057'
const shippingAddress = { name: 'Ada', line1: '1 Way', line2: '', postalCode: '', city: 'London', country: 'GB' }

/** What an update with this mask asks the use case to change. */
async function editOf(paths: readonly string[]): Promise<OrderEdit> {
  let asked: OrderEdit = {}
  const edit = async (_: unknown, change: OrderEdit) => {
    asked = change
    throw new Error('far enough')
  }
  const rpc = createOrdersRpc({ edit } as unknown as Orders)
  const request = create(OrdersService.method.updateOrder.input, {
    order: { orderId, note: 'Ring twice', shippingAddress },
    updateMask: { paths: [...paths] },
  })
  const context = { requestHeaders: new Map(), principal: { id: 'u', roles: ['customer'] } } as unknown as CallContext
  await (rpc.updateOrder(request, context) as Promise<unknown>).catch((error: unknown) => {
    if (PlatformError.is(error)) throw error
  })
  return asked
}

describe('updateOrder', () => {
  it('updateOrder() changes what the mask names and nothing else', async () => {
    assert.deepEqual(await editOf(['note']), { note: 'Ring twice' })
    assert.deepEqual(await editOf(['shipping_address']), { shippingAddress })
    assert.deepEqual(await editOf(['shipping_address.name', 'shipping_address.city']), { shippingAddress })
  })

  it('updateOrder() refuses a mask that names anything else', async () => {
    for (const path of ['status', 'shipping_address.', 'shipping_address.planet', 'note.x', '*', '', '__proto__']) {
      await assert.rejects(
        editOf(['note', path]),
        (error) => PlatformError.is(error) && error.details.violations?.[0]?.field === 'updateMask',
        path,
      )
    }
    await assert.rejects(editOf([]), { code: 'orders.invalid_request' })
  })
})
