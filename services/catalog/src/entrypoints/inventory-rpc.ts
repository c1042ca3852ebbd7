import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import { onceKey, type ServiceImplementation } from '@plinth/rpc'
import type { InventoryService } from '../../contract/index.ts'
import type { Inventory } from '../usecases/inventory.ts'
import type { Stock } from '../usecases/ports.ts'

/** Stock over every transport. */
export function createInventoryRpc(inventory: Inventory): ServiceImplementation<typeof InventoryService> {
  return {
    async reserve(request) {
      const { reservationId, lines, holdMs } = request
      const reservation = await inventory.reserve({ reservationId, lines, holdMs })
      return {
        expiresAt: timestampFromMs(reservation.expiresAtMs),
        lines: reservation.lines.map(({ unitPriceMinor, currency, ...line }) => ({
          ...line,
          unitPrice: { amountMinor: BigInt(unitPriceMinor), currency },
        })),
      }
    },
    async commit(request) {
      await inventory.commit(request.reservationId)
      return {}
    },
    async release(request) {
      await inventory.release(request.reservationId)
      return {}
    },
    getStock: async (request) => toMessage(await inventory.stock(request.productId)),
    adjustStock: async (request, context) =>
      toMessage(await inventory.adjust(request.productId, request.delta, onceKey(context, request))),
  }
}

function toMessage(stock: Stock) {
  return {
    productId: stock.productId,
    available: BigInt(stock.available),
    held: BigInt(stock.held),
    sold: BigInt(stock.sold),
  }
}
