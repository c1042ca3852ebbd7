import { PlatformError } from '@plinth/base'
import type { InventoryService } from '@plinth/catalog-service/contract'
import type { Client } from '@plinth/rpc'
import type { Inventory } from '../usecases/ports.ts'

/** The stock of a reservation was sold to others, or the reservation was forgotten long after its stock went back. */
const goneCodes = new Set(['catalog.reservation_expired', 'catalog.reservation_not_found'])

/** Stock, asked of the catalogue's inventory service. */
export function createInventoryClient(client: Client<typeof InventoryService>): Inventory {
  return {
    async reserve(orderId, request) {
      const lines = request.lines.map(({ productId, quantity }) => ({ productId, quantity }))
      const { lines: reserved } = await client.reserve({ reservationId: orderId, lines, holdMs: request.holdMs })
      return reserved.map((line) => ({
        productId: line.productId,
        title: line.title,
        quantity: line.quantity,
        unitPriceMinor: Number(line.unitPrice?.amountMinor ?? 0n),
        currency: line.unitPrice?.currency ?? '',
      }))
    },
    async commit(orderId) {
      try {
        await client.commit({ reservationId: orderId })
        return 'sold'
      } catch (error) {
        if (PlatformError.is(error) && goneCodes.has(error.code)) return 'gone'
        throw error
      }
    },
    async release(orderId) {
      await client.release({ reservationId: orderId })
    },
  } satisfies Inventory
}
