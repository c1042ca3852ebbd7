/**
 * What others may know of the catalogue: messages, events and the contracts to call it by.
 * @module
 */
import { defineContract } from '@plinth/rpc'
import { InventoryService } from './gen/plinth/catalog/v1/inventory_pb.ts'

export { InventoryService, type ReservedLine } from './gen/plinth/catalog/v1/inventory_pb.ts'

/** Stock that is promised before it is sold. */
export const inventoryContract = defineContract('catalog.inventory', InventoryService)
